package dev.troupe.gateway.link;

import dev.troupe.actors.id.TaskId;
import dev.troupe.protocol.link.ContainerRecord;
import dev.troupe.protocol.link.LogCount;
import dev.troupe.protocol.link.LogFilter;
import dev.troupe.protocol.link.LogLine;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * What containers and builds printed before, from all machines that are linked, and from the
 * archive: each machine is asked, and the answers are put together by time. A log has the id of its
 * app, or of the image that was built. Questions are answered few at a time, so that those who ask
 * much take neither the memory nor the machines' disks from others.
 */
public interface LogHistory {

  /** From {@code sinceMicros} on and before {@code untilMicros}. */
  record Range(long sinceMicros, long untilMicros) {}

  /** The newest lines of a log that are wanted, in the order of their times. */
  CompletionStage<List<LogLine>> newest(String log, LogFilter filter, Range range, int most);

  /** How many lines of a log are wanted, in buckets that begin at multiples of their width. */
  CompletionStage<List<LogCount>> count(
      String log, LogFilter filter, Range range, long bucketMicros);

  /** A container that runs, or ran, on one of the machines. */
  CompletionStage<Optional<ContainerRecord>> find(TaskId task);
}
