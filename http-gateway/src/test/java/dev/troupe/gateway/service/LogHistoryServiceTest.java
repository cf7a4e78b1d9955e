package dev.troupe.gateway.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import dev.troupe.actors.app.AppProtocol;
import dev.troupe.actors.app.AppProtocol.AppObject;
import dev.troupe.actors.app.AppProtocol.AppReply;
import dev.troupe.actors.app.AppProtocol.AppView;
import dev.troupe.actors.app.AppProtocol.Describe;
import dev.troupe.actors.app.AppProtocol.Phase;
import dev.troupe.actors.function.FunctionProtocol;
import dev.troupe.actors.function.FunctionProtocol.CallReply;
import dev.troupe.actors.function.FunctionProtocol.Inspect;
import dev.troupe.actors.id.CallId;
import dev.troupe.gateway.link.LogHistory.Range;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.StatusCode;
import dev.troupe.protocol.link.ContainerRecord;
import dev.troupe.protocol.link.LogCount;
import dev.troupe.protocol.link.LogLine;
import dev.troupe.protocol.modal.AppCountLogsRequest;
import dev.troupe.protocol.modal.AppCountLogsResponse;
import dev.troupe.protocol.modal.AppCountLogsResponse.LogBucket;
import dev.troupe.protocol.modal.AppFetchLogsRequest;
import dev.troupe.protocol.modal.AppFetchLogsResponse;
import dev.troupe.protocol.modal.FunctionHandleMetadata;
import dev.troupe.protocol.modal.TaskLogs;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LogHistoryServiceTest {

  private static final Instant START = Instant.parse("2026-11-01T12:00:00Z");
  private static final String BASE = Harness.FUNCTION.value();
  private static final String VARIANT = "fu-0000000000000000000002";
  private static final String OTHER = "fu-0000000000000000000003";
  private static final CallId CALL = CallId.of(Harness.FUNCTION, "c".repeat(22));

  private final Harness harness = new Harness();

  @BeforeEach
  void app() {
    harness.entity(
        AppProtocol.KEY,
        (_, command) -> {
          if (command instanceof Describe(var replyTo)) {
            replyTo.tell(new AppReply.Ok(view()));
          }
        });
    harness.entity(
        FunctionProtocol.KEY,
        (_, command) -> {
          if (command instanceof Inspect(var call, var replyTo)) {
            replyTo.tell(new CallReply.Missing(call));
          }
        });
  }

  @AfterEach
  void close() {
    harness.close();
  }

  @Test
  void linesCarryTheirInputAndItsCall() {
    harness.history.lines.add(line("in-" + CALL.value().substring(3) + "7", ""));
    harness.history.lines.add(line("", CALL.value()));
    harness.history.lines.add(line("", ""));

    AppFetchLogsResponse answer = fetch(request(10).build());

    assertThat(answer.getBatchesCount()).isEqualTo(1);
    assertThat(answer.getBatches(0).getItemsList())
        .extracting(TaskLogs::getFunctionCallId)
        .containsExactly(CALL.value(), CALL.value(), "");
    assertThat(answer.getBatches(0).getItems(0).getInputId()).endsWith("7");
  }

  @Test
  void aFunctionIsAskedForWithItsVariantsUnlessItAloneIsMeant() {
    harness.history.lines.add(line("", ""));

    fetch(request(10).setFunctionId(BASE).build());
    fetch(request(10).setFunctionId(BASE).setParametrizedFunctionId(BASE).build());
    fetch(request(10).setFunctionId(VARIANT).build());

    List<FakeHistory.Question> asked = harness.history.asked;
    assertThat(asked.get(0).filter().getFunctionIdsList()).containsExactlyInAnyOrder(BASE, VARIANT);
    assertThat(asked.get(1).filter().getFunctionIdsList()).containsExactly(BASE);
    assertThat(asked.get(2).filter().getFunctionIdsList()).containsExactly(VARIANT);
  }

  @Test
  void bucketsCoverTheWholeTimeAndBeginAtMultiplesOfTheirWidth() {
    harness.history.counts.add(LogCount.newBuilder().setStartUs(12_000_000).setStderr(3).build());

    AppCountLogsResponse answer =
        harness.call(
            AppCountLogsResponse.class,
            Harness.TOKEN,
            "AppCountLogs",
            AppCountLogsRequest.newBuilder()
                .setAppId(Harness.APP.value())
                .setSince(Timestamp.newBuilder().setSeconds(10))
                .setUntil(Timestamp.newBuilder().setSeconds(18).setNanos(1_000))
                .setBucketSecs(4)
                .build());

    assertThat(answer.getBucketsList())
        .extracting(bucket -> bucket.getBucketStartAt().getSeconds())
        .containsExactly(8L, 12L, 16L);
    assertThat(answer.getBucketsList())
        .extracting(LogBucket::getStderrLogs)
        .containsExactly(0L, 3L, 0L);
    assertThat(harness.history.asked.getFirst().range())
        .isEqualTo(new Range(10_000_000, 18_000_001));
  }

  @Test
  void nothingIsFoundOfWhatIsNotThere() {
    assertThat(refusal(request(1).setFunctionId("fu-0000000000000000000009").build()))
        .hasMessageContaining("bake (" + BASE + ")");
    assertThat(refusal(request(1).setFunctionCallId(CALL.value()).build()))
        .hasMessageContaining(CALL.value());
    assertThat(refusal(request(1).setTaskId(Harness.TASK.task().value()).build()))
        .hasMessageContaining(Harness.TASK.task().value());
    harness.history.containers.put(
        Harness.TASK.task(), ContainerRecord.newBuilder().setAppId("ap-other").build());
    assertThat(refusal(request(1).setTaskId(Harness.TASK.task().value()).build()))
        .hasMessageContaining("has no container");
    // Nothing was printed, and all that was named is there.
    assertThat(fetch(request(1).setFunctionId(OTHER).build()).getBatchesList()).isEmpty();
  }

  private AppFetchLogsResponse fetch(Message request) {
    return harness.call(AppFetchLogsResponse.class, Harness.TOKEN, "AppFetchLogs", request);
  }

  private RpcFailure refusal(Message request) {
    RpcFailure failure = catchThrowableOfType(RpcFailure.class, () -> fetch(request));
    assertThat(failure.code()).isEqualTo(StatusCode.NOT_FOUND);
    return failure;
  }

  private static AppFetchLogsRequest.Builder request(int limit) {
    return AppFetchLogsRequest.newBuilder()
        .setAppId(Harness.APP.value())
        .setSince(Timestamp.newBuilder().setSeconds(10))
        .setUntil(Timestamp.newBuilder().setSeconds(20))
        .setLimit(limit);
  }

  private static LogLine line(String input, String call) {
    return LogLine.newBuilder()
        .setTimeUs(15_000_000)
        .setStream(1)
        .setText("x\n")
        .setTaskId(Harness.TASK.task().value())
        .setFunctionId(BASE)
        .setInputId(input)
        .setCallId(call)
        .build();
  }

  private static AppObject function(String id, String base) {
    return new AppObject(
        id, id, FunctionHandleMetadata.newBuilder().setBaseFunctionId(base).build().toByteArray());
  }

  private static AppView view() {
    return new AppView(
        Harness.APP,
        "main",
        "shop",
        "shop",
        Phase.DEPLOYED,
        1,
        START,
        START,
        null,
        Map.of("bake", BASE, "other", OTHER),
        Map.of(),
        List.of(function(BASE, ""), function(VARIANT, BASE), function(OTHER, "")),
        Map.of(),
        0,
        AppProtocol.Credits.NONE);
  }
}
