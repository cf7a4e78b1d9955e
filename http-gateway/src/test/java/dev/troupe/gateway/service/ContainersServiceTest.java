package dev.troupe.gateway.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import com.google.protobuf.Empty;
import dev.troupe.actors.blob.Payload;
import dev.troupe.actors.calllog.CallRow;
import dev.troupe.actors.calllog.LeaseToken;
import dev.troupe.actors.function.FunctionProtocol;
import dev.troupe.actors.function.FunctionProtocol.Beat;
import dev.troupe.actors.function.FunctionProtocol.Beaten;
import dev.troupe.actors.function.FunctionProtocol.Lease;
import dev.troupe.actors.function.FunctionProtocol.LeaseBroken;
import dev.troupe.actors.function.FunctionProtocol.LeaseReply;
import dev.troupe.actors.function.FunctionProtocol.LeasedInput;
import dev.troupe.actors.function.FunctionProtocol.Report;
import dev.troupe.actors.function.FunctionProtocol.ReportReply;
import dev.troupe.actors.function.FunctionProtocol.Reported;
import dev.troupe.actors.function.FunctionProtocol.StartFailed;
import dev.troupe.actors.id.BlobId;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.InputId;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.StatusCode;
import dev.troupe.protocol.modal.ContainerHeartbeatRequest;
import dev.troupe.protocol.modal.ContainerHeartbeatResponse;
import dev.troupe.protocol.modal.FunctionGetInputsItem;
import dev.troupe.protocol.modal.FunctionGetInputsRequest;
import dev.troupe.protocol.modal.FunctionGetInputsResponse;
import dev.troupe.protocol.modal.FunctionInput;
import dev.troupe.protocol.modal.FunctionPutOutputsItem;
import dev.troupe.protocol.modal.FunctionPutOutputsRequest;
import dev.troupe.protocol.modal.GenericResult;
import dev.troupe.protocol.modal.GenericResult.GenericStatus;
import dev.troupe.protocol.modal.TaskResultRequest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ContainersServiceTest {

  private static final CallId CALL = CallId.of(Harness.FUNCTION, "0000000000000000000007");
  private static final InputId INPUT = InputId.of(CALL, 3);
  private static final BlobId BLOB = new BlobId("bl-0000000000000000000001");

  private final Harness harness = new Harness();
  private final BlockingQueue<FunctionProtocol.Command> said = new LinkedBlockingQueue<>();

  @AfterEach
  void close() {
    harness.close();
  }

  @Test
  void handsOutAnInput() {
    FunctionInput input = FunctionInput.newBuilder().setMethodName("m").build();
    hearing(
        command -> ((Lease) command).replyTo().tell(leased(Payload.of(input.toByteArray(), null))));

    FunctionGetInputsItem item = getInputs(0).getInputs(0);

    assertThat(item.getInput()).isEqualTo(input);
    assertThat(item.getInputId()).isEqualTo(INPUT.value());
    assertThat(item.getFunctionCallId()).isEqualTo(CALL.value());
    assertThat(item.getFunctionMapIdx()).isEqualTo(3);
    assertThat(item.getRetryCount()).isEqualTo(2);
  }

  @Test
  void putsArgumentsInThatTheCallerSentAsABlob() throws IOException {
    harness.blobs.putPayload(BLOB, new ByteArrayInputStream(new byte[3 << 20]));
    FunctionInput input = FunctionInput.newBuilder().setArgsBlobId(BLOB.value()).build();
    hearing(
        command -> ((Lease) command).replyTo().tell(leased(Payload.of(input.toByteArray(), BLOB))));

    assertThat(getInputs(0).getInputs(0).getInput().getArgs().size()).isEqualTo(3 << 20);
  }

  @Test
  void leavesTheArgumentsOfABatchInTheirBlobsWhereTheyAreBig() throws IOException {
    harness.blobs.putPayload(BLOB, new ByteArrayInputStream(new byte[5 << 20]));
    FunctionInput input = FunctionInput.newBuilder().setArgsBlobId(BLOB.value()).build();
    hearing(
        command -> ((Lease) command).replyTo().tell(leased(Payload.of(input.toByteArray(), BLOB))));

    assertThat(getInputs(10).getInputs(0).getInput()).isEqualTo(input);
    assertThat(((Lease) said.element()).most()).isEqualTo(10);
  }

  @Test
  void givesAnEmptyListWhereNothingComesForLong() {
    hearing(
        command -> {
          Lease lease = (Lease) command;
          harness.clock.advance(lease.patience());
          lease.replyTo().tell(new LeaseReply.Nothing());
        });

    assertThat(getInputs(0).getInputsCount()).isZero();
    assertThat(said).hasSize(10);
    assertThat(said.stream().map(command -> ((Lease) command).pollKey()).distinct()).hasSize(1);
  }

  @Test
  void turnsTheKillSwitch() {
    hearing(command -> ((Lease) command).replyTo().tell(new LeaseReply.Leave("scaled down")));

    assertThat(getInputs(0).getInputs(0).getKillSwitch()).isTrue();
  }

  @Test
  void tellsTheFunctionThatARunnerHungUp() throws InterruptedException {
    hearing(
        command -> {
          if (command instanceof Lease lease) {
            harness.cancelled.complete(null);
            lease.replyTo().tell(new LeaseReply.Nothing());
          }
        });

    RpcFailure failure = catchThrowableOfType(RpcFailure.class, () -> getInputs(0));

    assertThat(failure.code()).isEqualTo(StatusCode.CANCELLED);
    Lease lease = (Lease) said.poll(20, TimeUnit.SECONDS);
    assertThat(said.poll(20, TimeUnit.SECONDS))
        .isEqualTo(new LeaseBroken(Harness.TASK.task(), lease.pollKey()));
  }

  @Test
  void tellsARunnerWhatToCancel() {
    hearing(command -> ((Beat) command).replyTo().tell(new Beaten(List.of(INPUT))));

    ContainerHeartbeatResponse answer =
        harness.call(
            ContainerHeartbeatResponse.class,
            Harness.TASK,
            "ContainerHeartbeat",
            ContainerHeartbeatRequest.getDefaultInstance());

    assertThat(answer.getCancelInputEvent().getInputIdsList()).containsExactly(INPUT.value());
  }

  @Test
  void reportsAnOutput() {
    hearing(command -> ((Report) command).replyTo().tell(new ReportReply.Taken()));

    putOutputs(INPUT, GenericResult.newBuilder().setStatusValue(1).build());

    Reported reported = ((Report) said.element()).outputs().getFirst();
    assertThat(reported.input()).isEqualTo(INPUT);
    assertThat(reported.status()).isEqualTo(1);
    assertThat(reported.attempt()).isEqualTo(2);
    assertThat(Payloads.isInline(reported.result())).isTrue();
  }

  @Test
  void storesABigOutputFirst() {
    hearing(command -> ((Report) command).replyTo().tell(new ReportReply.Taken()));

    putOutputs(
        INPUT, GenericResult.newBuilder().setData(ByteString.copyFrom(new byte[9_000])).build());

    Reported reported = ((Report) said.element()).outputs().getFirst();
    assertThat(harness.blobs.payloads()).containsExactly(reported.result().attached());
  }

  @Test
  void hasTheRunnerRepeatWhatCannotBeTakenNow() {
    hearing(
        command -> ((Report) command).replyTo().tell(new ReportReply.Again(Duration.ofSeconds(1))));

    RpcFailure failure =
        catchThrowableOfType(
            RpcFailure.class, () -> putOutputs(INPUT, GenericResult.getDefaultInstance()));

    assertThat(failure.code()).isEqualTo(StatusCode.UNAVAILABLE);
    assertThat(failure.detailsBytes()).isNotEmpty();
  }

  @Test
  void takesNoOutputForAnotherFunctionsInput() {
    CallId foreign =
        CallId.of(new FunctionId("fu-0000000000000000000002"), "0000000000000000000007");

    RpcFailure failure =
        catchThrowableOfType(
            RpcFailure.class,
            () -> putOutputs(InputId.of(foreign, 0), GenericResult.getDefaultInstance()));

    assertThat(failure.code()).isEqualTo(StatusCode.PERMISSION_DENIED);
  }

  @Test
  void tellsWhyAFunctionDidNotStart() {
    hearing(command -> ((StartFailed) command).replyTo().tell(new ReportReply.Taken()));

    harness.call(
        Empty.class,
        Harness.TASK,
        "TaskResult",
        TaskResultRequest.newBuilder()
            .setResult(
                GenericResult.newBuilder()
                    .setStatus(GenericStatus.GENERIC_STATUS_FAILURE)
                    .setException("ImportError"))
            .build());

    assertThat(((StartFailed) said.element()).status()).isEqualTo(2);
  }

  @Test
  void isForContainersAlone() {
    RpcFailure failure =
        catchThrowableOfType(
            RpcFailure.class,
            () ->
                harness.call(
                    FunctionGetInputsResponse.class,
                    Harness.TOKEN,
                    "FunctionGetInputs",
                    FunctionGetInputsRequest.getDefaultInstance()));

    assertThat(failure.code()).isEqualTo(StatusCode.PERMISSION_DENIED);
  }

  private void hearing(Consumer<FunctionProtocol.Command> behavior) {
    harness.entity(
        FunctionProtocol.KEY,
        (_, command) -> {
          said.add(command);
          behavior.accept(command);
        });
  }

  private FunctionGetInputsResponse getInputs(int batchMaxSize) {
    return harness.call(
        FunctionGetInputsResponse.class,
        Harness.TASK,
        "FunctionGetInputs",
        FunctionGetInputsRequest.newBuilder().setBatchMaxSize(batchMaxSize).build());
  }

  private void putOutputs(InputId input, GenericResult result) {
    harness.call(
        Empty.class,
        Harness.TASK,
        "FunctionPutOutputs",
        FunctionPutOutputsRequest.newBuilder()
            .addOutputs(
                FunctionPutOutputsItem.newBuilder()
                    .setInputId(input.value())
                    .setResult(result)
                    .setRetryCount(2))
            .build());
  }

  private static LeaseReply leased(Payload payload) {
    return new LeaseReply.Items(
        List.of(
            new LeasedInput(
                INPUT, new LeaseToken(1, 1), CallRow.Invocation.SYNC, "m", payload, 2)));
  }
}
