package dev.troupe.gateway.service;

import dev.troupe.actors.app.AppProtocol.ContainerPhase;
import dev.troupe.actors.app.AppProtocol.Item;
import dev.troupe.actors.app.AppProtocol.News;
import dev.troupe.actors.id.InputId;
import dev.troupe.protocol.link.LogLine;
import dev.troupe.protocol.modal.FileDescriptor;
import dev.troupe.protocol.modal.TaskLogs;
import dev.troupe.protocol.modal.TaskLogsBatch;
import dev.troupe.protocol.modal.TaskState;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Lines and news of an app as its readers get them. */
final class LogBatches {

  private static final double MICROS = 1e6;
  private static final long NANOS_PER_MICRO = 1_000;

  private LogBatches() {}

  /** The last batch of an app; clients look at nothing else in it. */
  static TaskLogsBatch done() {
    return TaskLogsBatch.newBuilder().setAppDone(true).build();
  }

  /** Lines in runs of one container each, as a batch is of one container. */
  static List<List<LogLine>> runs(List<LogLine> lines) {
    List<List<LogLine>> runs = new ArrayList<>();
    int begin = 0;
    for (int i = 1; i <= lines.size(); i++) {
      if (i == lines.size() || !lines.get(i).getTaskId().equals(lines.get(begin).getTaskId())) {
        runs.add(lines.subList(begin, i));
        begin = i;
      }
    }
    return runs;
  }

  /** One run of lines. */
  static TaskLogsBatch batch(List<LogLine> run, String entryId) {
    TaskLogsBatch.Builder batch =
        TaskLogsBatch.newBuilder()
            .setTaskId(run.getFirst().getTaskId())
            .setFunctionId(run.getFirst().getFunctionId())
            .setEntryId(entryId);
    for (LogLine line : run) {
      batch.addItems(
          TaskLogs.newBuilder()
              .setData(line.getText())
              .setFileDescriptor(ImageDefinitions.descriptor(line.getStream()))
              .setTimestamp(line.getTimeUs() / MICROS)
              .setTimestampNs(line.getTimeUs() * NANOS_PER_MICRO)
              .setInputId(line.getInputId())
              .setFunctionCallId(call(line)));
    }
    return batch.build();
  }

  /** The call of the input that printed it; empty where nobody can tell. */
  private static String call(LogLine line) {
    return line.getInputId().isEmpty()
        ? line.getCallId()
        : new InputId(line.getInputId()).call().value();
  }

  /** News that users are shown; empty for those that are between us. */
  static Optional<TaskLogsBatch> batch(News news, String entryId) {
    TaskLogs.Builder item = TaskLogs.newBuilder().setTimestamp(Outputs.seconds(news.at()));
    TaskLogsBatch.Builder batch = TaskLogsBatch.newBuilder().setEntryId(entryId);
    return switch (news.item()) {
      case Item.Container(var task, var function, var phase) ->
          Optional.of(
              batch
                  .setTaskId(task.value())
                  .setFunctionId(function.value())
                  .addItems(item.setTaskState(state(phase)))
                  .build());
      case Item.Notice(var function, var text) ->
          Optional.of(
              batch
                  .setFunctionId(function.value())
                  .addItems(
                      item.setData(text + "\n")
                          .setFileDescriptor(FileDescriptor.FILE_DESCRIPTOR_INFO))
                  .build());
      case Item.LogsOn _, Item.Done _ -> Optional.empty();
    };
  }

  /** A moment in microseconds, as cursors have it. */
  static long micros(Instant at) {
    return ChronoUnit.MICROS.between(Instant.EPOCH, at);
  }

  private static TaskState state(ContainerPhase phase) {
    return switch (phase) {
      case QUEUED -> TaskState.TASK_STATE_QUEUED;
      case ASSIGNED -> TaskState.TASK_STATE_WORKER_ASSIGNED;
      case CREATING -> TaskState.TASK_STATE_CREATING_CONTAINER;
      case ACTIVE -> TaskState.TASK_STATE_ACTIVE;
      case IDLE -> TaskState.TASK_STATE_IDLE;
      case COMPLETED -> TaskState.TASK_STATE_COMPLETED;
    };
  }
}
