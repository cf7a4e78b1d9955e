package dev.troupe.gateway.service;

import dev.troupe.actors.id.TaskId;
import dev.troupe.gateway.link.LogHistory;
import dev.troupe.protocol.link.ContainerRecord;
import dev.troupe.protocol.link.LogCount;
import dev.troupe.protocol.link.LogFilter;
import dev.troupe.protocol.link.LogLine;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** History as a test says, and what was asked of it. */
final class FakeHistory implements LogHistory {

  /** What was asked. */
  record Question(String log, LogFilter filter, Range range) {}

  final List<Question> asked = new ArrayList<>();
  final List<LogLine> lines = new ArrayList<>();
  final List<LogCount> counts = new ArrayList<>();
  final Map<TaskId, ContainerRecord> containers = new HashMap<>();

  @Override
  public CompletionStage<List<LogLine>> newest(
      String log, LogFilter filter, Range range, int most) {
    asked.add(new Question(log, filter, range));
    return CompletableFuture.completedStage(
        lines.subList(Math.max(0, lines.size() - most), lines.size()));
  }

  @Override
  public CompletionStage<List<LogCount>> count(
      String log, LogFilter filter, Range range, long bucketMicros) {
    asked.add(new Question(log, filter, range));
    return CompletableFuture.completedStage(counts);
  }

  @Override
  public CompletionStage<Optional<ContainerRecord>> find(TaskId task) {
    return CompletableFuture.completedStage(Optional.ofNullable(containers.get(task)));
  }
}
