package dev.troupe.gateway.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.troupe.actors.calllog.CallRow;
import dev.troupe.actors.calllog.OutputNumber;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.function.FunctionProtocol;
import dev.troupe.actors.function.FunctionProtocol.Await;
import dev.troupe.actors.function.FunctionProtocol.AwaitReply;
import dev.troupe.actors.function.FunctionProtocol.CallReply;
import dev.troupe.actors.function.FunctionProtocol.Inspect;
import dev.troupe.actors.function.FunctionProtocol.Wanted;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.InputId;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.StatusCode;
import dev.troupe.protocol.modal.FunctionCallGetInfoRequest;
import dev.troupe.protocol.modal.FunctionCallGetInfoResponse;
import dev.troupe.protocol.modal.FunctionCallInfo;
import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class CallInfoServiceTest {

  private static final Instant START = Instant.parse("2026-11-01T12:00:00Z");
  private static final CallId CALL = CallId.of(Harness.FUNCTION, "c".repeat(22));

  private final Harness harness = new Harness();

  @AfterEach
  void close() {
    harness.close();
  }

  /** A call of so many inputs, of which the first ended with these statuses. */
  private void call(int total, int... statuses) {
    CallRow row =
        new CallRow(CALL, CallRow.Kind.MAP, CallRow.Invocation.ASYNC, total, false, START);
    harness.entity(
        FunctionProtocol.KEY,
        (_, command) -> {
          if (command instanceof Inspect(_, var replyTo)) {
            replyTo.tell(new CallReply.Found(row, total, statuses.length));
          } else if (command instanceof Await await
              && await.wanted() instanceof Wanted.Range(var first, var last)) {
            List<OutputRow> rows =
                IntStream.rangeClosed(first, Math.min(last, statuses.length - 1))
                    .mapToObj(index -> output(index, statuses[index]))
                    .toList();
            await.replyTo().tell(new AwaitReply.Outputs(rows, OutputNumber.START, 0));
          }
        });
  }

  private static OutputRow output(int index, int status) {
    return new OutputRow(
        InputId.of(CALL, index), OutputNumber.START, status, null, "", 1, "", null, START, null);
  }

  private FunctionCallInfo info() {
    return harness
        .call(
            FunctionCallGetInfoResponse.class,
            Harness.TOKEN,
            "FunctionCallGetInfo",
            FunctionCallGetInfoRequest.newBuilder().setFunctionCallId(CALL.value()).build())
        .getInfo();
  }

  @Test
  void inputsAreCountedByHowTheyEnded() {
    call(7, 1, 2, 3, 4, 1);

    FunctionCallInfo info = info();

    assertThat(info.getTotalInputs()).isEqualTo(7);
    assertThat(info.getSucceededInputs().getTotal()).isEqualTo(2);
    assertThat(info.getFailedInputs().getTotal()).isEqualTo(1);
    assertThat(info.getCancelledInputs().getTotal()).isEqualTo(1);
    assertThat(info.getTimeoutInputs().getTotal()).isEqualTo(1);
    assertThat(info.getPendingInputs().getTotal()).isEqualTo(2);
  }

  @Test
  void manyInputsAreCountedInSteps() {
    call(350, IntStream.range(0, 350).map(index -> index % 2 + 1).toArray());

    FunctionCallInfo info = info();

    assertThat(info.getSucceededInputs().getTotal()).isEqualTo(175);
    assertThat(info.getFailedInputs().getTotal()).isEqualTo(175);
    assertThat(info.getPendingInputs().getTotal()).isZero();
  }

  @Test
  void aCallThatNobodyKnowsIsNotFound() {
    harness.entity(
        FunctionProtocol.KEY,
        (_, command) -> {
          if (command instanceof Inspect(var call, var replyTo)) {
            replyTo.tell(new CallReply.Missing(call));
          }
        });

    RpcFailure failure = catchThrowableOfType(RpcFailure.class, this::info);

    assertThat(failure.code()).isEqualTo(StatusCode.NOT_FOUND);
    assertThat(failure).hasMessageContaining(CALL.value());
  }
}
