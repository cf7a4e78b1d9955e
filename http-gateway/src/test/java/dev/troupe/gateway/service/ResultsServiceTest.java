package dev.troupe.gateway.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import dev.troupe.actors.blob.Payload;
import dev.troupe.actors.calllog.CallRow;
import dev.troupe.actors.calllog.OutputNumber;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.function.FunctionProtocol;
import dev.troupe.actors.function.FunctionProtocol.Await;
import dev.troupe.actors.function.FunctionProtocol.AwaitReply;
import dev.troupe.actors.function.FunctionProtocol.CallReply;
import dev.troupe.actors.function.FunctionProtocol.FinishInputs;
import dev.troupe.actors.function.FunctionProtocol.Inspect;
import dev.troupe.actors.function.FunctionProtocol.SubmitReply;
import dev.troupe.actors.function.FunctionProtocol.Wanted;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.InputId;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.StatusCode;
import dev.troupe.protocol.modal.FunctionGetOutputsItem;
import dev.troupe.protocol.modal.FunctionGetOutputsRequest;
import dev.troupe.protocol.modal.FunctionGetOutputsResponse;
import dev.troupe.protocol.modal.GenericResult;
import dev.troupe.protocol.modal.GenericResult.GenericStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ResultsServiceTest {

  private static final CallId CALL = CallId.of(Harness.FUNCTION, "0000000000000000000007");
  private static final OutputNumber NUMBER = new OutputNumber(3, 9);
  private static final AwaitReply NOTHING_YET =
      new AwaitReply.Outputs(List.of(), OutputNumber.START, 1);

  private final Harness harness = new Harness();
  private final BlockingQueue<FunctionProtocol.Command> said = new LinkedBlockingQueue<>();

  @AfterEach
  void close() {
    harness.close();
  }

  @Test
  void givesAResultAsTheRunnerSentIt() {
    GenericResult result =
        GenericResult.newBuilder()
            .setStatus(GenericStatus.GENERIC_STATUS_SUCCESS)
            .setData(ByteString.copyFromUtf8("pickled"))
            .build();
    answering(_ -> outputs(row(Payload.of(result.toByteArray(), null), 1, "")));

    FunctionGetOutputsResponse answer = get(request(10).setStartIdx(4).setEndIdx(4));

    FunctionGetOutputsItem item = answer.getOutputs(0);
    assertThat(item.getResult()).isEqualTo(result);
    assertThat(item.getIdx()).isEqualTo(4);
    assertThat(item.getInputId()).isEqualTo(InputId.of(CALL, 4).value());
    assertThat(item.getRetryCount()).isZero();
    assertThat(answer.getLastEntryId()).isEqualTo("3-9");
    assertThat(firstAwait().wanted()).isEqualTo(new Wanted.Range(4, 4));
  }

  @Test
  void saysItselfWhyThePlatformEndedAnInput() {
    answering(_ -> outputs(row(null, 4, "ran for more than 5 s")));

    GenericResult result = get(request(10)).getOutputs(0).getResult();

    assertThat(result.getStatus()).isEqualTo(GenericStatus.GENERIC_STATUS_TIMEOUT);
    assertThat(result.getException()).isEqualTo("ran for more than 5 s");
  }

  @Test
  void goesOnBehindACursor() {
    answering(_ -> outputs(row(null, 3, "")));

    get(request(10).setLastEntryId("3-8"));

    assertThat(firstAwait().wanted()).isEqualTo(new Wanted.After(new OutputNumber(3, 8)));
  }

  @Test
  void renewsItsWaitUntilAResultComes() {
    answering(
        await -> {
          harness.clock.advance(await.patience());
          return said.size() < 4 ? NOTHING_YET : outputs(row(null, 3, ""));
        });

    assertThat(get(request(55)).getOutputsCount()).isOne();
    assertThat(firstAwait().patience()).isEqualTo(Duration.ofSeconds(5));
  }

  @Test
  void saysHowMuchIsUnfinishedWhenTheTimeIsUp() {
    answering(
        await -> {
          harness.clock.advance(await.patience());
          return NOTHING_YET;
        });

    FunctionGetOutputsResponse answer = get(request(12));

    assertThat(answer.getOutputsCount()).isZero();
    assertThat(answer.getNumUnfinishedInputs()).isOne();
    assertThat(said).hasSize(3);
  }

  @Test
  void asksAgainWhereTheFunctionIsAway() {
    answering(_ -> said.size() < 3 ? new AwaitReply.Away() : outputs(row(null, 3, "")));

    assertThat(get(request(10)).getOutputsCount()).isOne();
  }

  @Test
  void answersAPollForWhatIsGoneAndRefusesToWaitForIt() {
    answering(_ -> new AwaitReply.Unknown(CALL));

    assertThat(get(request(0)).getNumUnfinishedInputs()).isZero();
    RpcFailure failure = catchThrowableOfType(RpcFailure.class, () -> get(request(10)));
    assertThat(failure.code()).isEqualTo(StatusCode.NOT_FOUND);
  }

  @Test
  void closesAMapThatIsAcknowledgedAndClearsIt() throws InterruptedException {
    answering(
        await ->
            await.wanted().equals(new Wanted.After(OutputNumber.START))
                ? outputs(row(null, 1, ""))
                : new AwaitReply.Outputs(List.of(), NUMBER, 0));

    FunctionGetOutputsResponse answer =
        get(request(0).setLastEntryId("0-0").setClearOnSuccess(true));

    assertThat(answer.getOutputsCount()).isZero();
    List<FunctionProtocol.Command> heard = new ArrayList<>();
    while (heard.size() < 4) {
      heard.add(said.poll(20, TimeUnit.SECONDS));
    }
    assertThat(heard.get(0)).isInstanceOf(Inspect.class);
    assertThat(((FinishInputs) heard.get(1)).total()).isEqualTo(12);
    assertThat(((Await) heard.get(2)).clear()).isTrue();
    assertThat(((Await) heard.get(3)).wanted()).isEqualTo(new Wanted.After(NUMBER));
  }

  private void answering(Function<Await, AwaitReply> answer) {
    harness.entity(
        FunctionProtocol.KEY,
        (_, command) -> {
          said.add(command);
          switch (command) {
            case Await await -> await.replyTo().tell(answer.apply(await));
            case Inspect inspect -> inspect.replyTo().tell(new CallReply.Found(map(), 12, 12));
            case FinishInputs finish -> finish.replyTo().tell(new SubmitReply.Accepted(CALL));
            default -> throw new IllegalStateException("not expected: " + command);
          }
        });
  }

  private CallRow map() {
    return new CallRow(
        CALL, CallRow.Kind.MAP, CallRow.Invocation.SYNC, -1, false, harness.clock.instant());
  }

  private Await firstAwait() {
    return (Await) said.element();
  }

  private FunctionGetOutputsResponse get(FunctionGetOutputsRequest.Builder request) {
    return harness.call(
        FunctionGetOutputsResponse.class, Harness.TOKEN, "FunctionGetOutputs", request.build());
  }

  private static FunctionGetOutputsRequest.Builder request(float timeout) {
    return FunctionGetOutputsRequest.newBuilder()
        .setFunctionCallId(CALL.value())
        .setTimeout(timeout);
  }

  private static AwaitReply outputs(OutputRow row) {
    return new AwaitReply.Outputs(List.of(row), NUMBER, 0);
  }

  private OutputRow row(@Nullable Payload result, int status, String message) {
    return new OutputRow(
        InputId.of(CALL, 4),
        NUMBER,
        status,
        result,
        message,
        1,
        "",
        null,
        harness.clock.instant(),
        null);
  }
}
