package dev.troupe.gateway.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import com.google.protobuf.Empty;
import dev.troupe.actors.calllog.CallRow;
import dev.troupe.actors.function.FunctionProtocol;
import dev.troupe.actors.function.FunctionProtocol.Cancel;
import dev.troupe.actors.function.FunctionProtocol.NewInput;
import dev.troupe.actors.function.FunctionProtocol.PutInputs;
import dev.troupe.actors.function.FunctionProtocol.Submit;
import dev.troupe.actors.function.FunctionProtocol.SubmitReply;
import dev.troupe.actors.id.CallId;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.StatusCode;
import dev.troupe.protocol.modal.FunctionCallCancelRequest;
import dev.troupe.protocol.modal.FunctionCallInvocationType;
import dev.troupe.protocol.modal.FunctionCallType;
import dev.troupe.protocol.modal.FunctionInput;
import dev.troupe.protocol.modal.FunctionMapRequest;
import dev.troupe.protocol.modal.FunctionMapResponse;
import dev.troupe.protocol.modal.FunctionPutInputsItem;
import dev.troupe.protocol.modal.FunctionPutInputsRequest;
import dev.troupe.protocol.modal.FunctionPutInputsResponse;
import dev.troupe.protocol.modal.FunctionPutInputsResponseItem;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class CallsServiceTest {

  private final Harness harness = new Harness();
  private final List<FunctionProtocol.Command> said = new CopyOnWriteArrayList<>();

  @AfterEach
  void close() {
    harness.close();
  }

  @Test
  void submitsACallWithItsInput() {
    answering(call -> new SubmitReply.Accepted(call));

    FunctionMapResponse answer = map(unary(input(0, 10)));

    Submit submit = (Submit) said.getFirst();
    assertThat(submit.call().kind()).isEqualTo(CallRow.Kind.UNARY);
    assertThat(submit.call().invocation()).isEqualTo(CallRow.Invocation.SYNC);
    assertThat(submit.call().total()).isEqualTo(1);
    assertThat(submit.inputs()).extracting(NewInput::methodName).containsExactly("method");
    assertThat(answer.getFunctionCallId()).isEqualTo(submit.call().call().value());
    assertThat(answer.getSyncClientRetriesEnabled()).isFalse();
    assertThat(answer.getPipelinedInputsList())
        .extracting(FunctionPutInputsResponseItem::getInputId)
        .containsExactly("in-" + submit.call().call().value().substring(3) + "0");
  }

  @Test
  void namesARepeatedCallAlike() {
    answering(call -> new SubmitReply.Accepted(call));

    assertThat(map(unary(input(0, 10)))).isEqualTo(map(unary(input(0, 10))));
  }

  @Test
  void namesAnotherCallOtherwise() {
    answering(call -> new SubmitReply.Accepted(call));

    FunctionMapResponse one =
        harness.call(
            FunctionMapResponse.class, Harness.TOKEN, "FunctionMap", "key 1", unary(input(0, 10)));
    FunctionMapResponse two =
        harness.call(
            FunctionMapResponse.class, Harness.TOKEN, "FunctionMap", "key 2", unary(input(0, 10)));

    assertThat(one.getFunctionCallId()).isNotEqualTo(two.getFunctionCallId());
  }

  @Test
  void liftsBigArgumentsIntoABlob() {
    answering(call -> new SubmitReply.Accepted(call));

    map(unary(input(0, 200_000)));

    NewInput input = ((Submit) said.getFirst()).inputs().getFirst();
    assertThat(input.payload().sizeBytes()).isLessThan(1_000);
    assertThat(harness.blobs.payloads()).containsExactly(input.payload().attached());
  }

  @Test
  void saysNothingBiggerThanAMessageMayBe() {
    answering(call -> new SubmitReply.Accepted(call));
    FunctionMapResponse map =
        map(request().setFunctionCallType(FunctionCallType.FUNCTION_CALL_TYPE_MAP).build());
    FunctionPutInputsRequest.Builder put =
        FunctionPutInputsRequest.newBuilder().setFunctionCallId(map.getFunctionCallId());
    for (int index = 0; index < 49; index++) {
      put.addInputs(input(index, 900));
    }

    FunctionPutInputsResponse answer =
        harness.call(
            FunctionPutInputsResponse.class, Harness.TOKEN, "FunctionPutInputs", put.build());

    List<PutInputs> puts =
        said.stream().filter(PutInputs.class::isInstance).map(PutInputs.class::cast).toList();
    assertThat(puts).hasSizeGreaterThan(4);
    assertThat(puts.stream().flatMap(one -> one.inputs().stream()).map(NewInput::index))
        .hasSize(49)
        .isSorted();
    assertThat(answer.getInputsList())
        .extracting(FunctionPutInputsResponseItem::getIdx)
        .hasSize(49)
        .isSorted();
  }

  @Test
  void tellsACallerToComeBackToAFullFunction() {
    answering(_ -> new SubmitReply.Overloaded(Duration.ofSeconds(2), "full"));

    RpcFailure failure = catchThrowableOfType(RpcFailure.class, () -> map(unary(input(0, 10))));

    assertThat(failure.code()).isEqualTo(StatusCode.RESOURCE_EXHAUSTED);
    assertThat(failure.detailsBytes()).isNotEmpty();
  }

  @Test
  void saysWhyAFunctionCannotBeCalled() {
    answering(_ -> new SubmitReply.NoFunction("it has stopped"));

    RpcFailure failure = catchThrowableOfType(RpcFailure.class, () -> map(unary(input(0, 10))));

    assertThat(failure.code()).isEqualTo(StatusCode.NOT_FOUND);
    assertThat(failure.description()).isEqualTo("it has stopped");
  }

  @Test
  void asksAgainWhileAFunctionIsOnTheMove() {
    AtomicInteger moves = new AtomicInteger();
    answering(
        call ->
            moves.incrementAndGet() < 4 ? new SubmitReply.Moved() : new SubmitReply.Accepted(call));

    map(unary(input(0, 10)));

    assertThat(moves).hasValue(4);
  }

  @Test
  void givesUpOnAFunctionThatNeverArrives() {
    answering(_ -> new SubmitReply.Moved());

    assertThatThrownBy(() -> map(unary(input(0, 10))))
        .isInstanceOfSatisfying(
            RpcFailure.class,
            failure -> assertThat(failure.code()).isEqualTo(StatusCode.UNAVAILABLE));
  }

  @Test
  void cancels() {
    answering(call -> new SubmitReply.Accepted(call));
    CallId call = CallId.of(Harness.FUNCTION, "0000000000000000000007");

    harness.call(
        Empty.class,
        Harness.TOKEN,
        "FunctionCallCancel",
        FunctionCallCancelRequest.newBuilder()
            .setFunctionCallId(call.value())
            .setTerminateContainers(true)
            .build());

    assertThat(((Cancel) said.getFirst()).terminateContainers()).isTrue();
  }

  private interface Answer {
    SubmitReply to(CallId call);
  }

  private void answering(Answer answer) {
    harness.entity(
        FunctionProtocol.KEY,
        (_, command) -> {
          said.add(command);
          switch (command) {
            case Submit submit -> submit.replyTo().tell(answer.to(submit.call().call()));
            case PutInputs put -> put.replyTo().tell(answer.to(put.call()));
            case Cancel cancel -> cancel.replyTo().tell(answer.to(cancel.call()));
            default -> throw new IllegalStateException("not expected: " + command);
          }
        });
  }

  private FunctionMapResponse map(FunctionMapRequest request) {
    return harness.call(FunctionMapResponse.class, Harness.TOKEN, "FunctionMap", request);
  }

  private static FunctionMapRequest unary(FunctionPutInputsItem input) {
    return request()
        .setFunctionCallType(FunctionCallType.FUNCTION_CALL_TYPE_UNARY)
        .addPipelinedInputs(input)
        .build();
  }

  private static FunctionMapRequest.Builder request() {
    return FunctionMapRequest.newBuilder()
        .setFunctionId(Harness.FUNCTION.value())
        .setFunctionCallInvocationType(
            FunctionCallInvocationType.FUNCTION_CALL_INVOCATION_TYPE_SYNC);
  }

  private static FunctionPutInputsItem input(int index, int size) {
    return FunctionPutInputsItem.newBuilder()
        .setIdx(index)
        .setInput(
            FunctionInput.newBuilder()
                .setArgs(ByteString.copyFrom(new byte[size]))
                .setMethodName("method"))
        .build();
  }
}
