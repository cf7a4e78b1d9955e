package dev.troupe.node.log;

import dev.troupe.protocol.link.ContainerRecord;
import dev.troupe.protocol.link.FindContainer;
import dev.troupe.protocol.link.LogCount;
import dev.troupe.protocol.link.LogLine;
import dev.troupe.protocol.link.LogsRead;
import dev.troupe.protocol.link.ReadLogs;
import dev.troupe.protocol.link.WantedLines;
import java.io.IOException;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers questions about what was printed before. Each is answered on a thread of its own, few at
 * a time, straight from the files: whoever prints does not notice.
 */
public final class LogReader {

  private static final Logger LOG = LoggerFactory.getLogger(LogReader.class);
  private static final int AT_A_TIME = 2;
  private static final int MESSAGE_LINES = 500;
  private static final int MESSAGE_BUCKETS = 10_000;

  private final LogBook book;
  private final ContainerIndex containers;
  private final Semaphore turns = new Semaphore(AT_A_TIME, true);

  /** Reads what these keep. */
  public LogReader(LogBook book, ContainerIndex containers) {
    this.book = book;
    this.containers = containers;
  }

  /** Answers with lines, or with their numbers. */
  public void read(ReadLogs request, Consumer<LogsRead> to) {
    inTurn(
        request.getReadId(),
        to,
        () -> {
          AppLog log = book.kept(request.getAppId());
          if (log == null) {
            to.accept(end(request.getReadId()).setHeldFrom(Long.MAX_VALUE).build());
            return;
          }
          try (AppLog.Hold hold = log.hold()) {
            if (request.getNewest() > 0) {
              lines(log, hold.heldFrom(), request, to);
            } else {
              counts(log, hold.heldFrom(), request, to);
            }
          }
        });
  }

  /** Answers with a container. */
  public void find(FindContainer request, Consumer<LogsRead> to) {
    inTurn(
        request.getReadId(),
        to,
        () -> {
          LogsRead.Builder answer = end(request.getReadId());
          ContainerRecord found = containers.find(request.getTaskId());
          to.accept(found == null ? answer.build() : answer.setContainer(found).build());
        });
  }

  /** What takes the disk's time. */
  private interface Reading {
    void run() throws IOException;
  }

  private void inTurn(String readId, Consumer<LogsRead> to, Reading reading) {
    Thread.ofVirtual()
        .name("log-reader-" + readId)
        .start(
            () -> {
              turns.acquireUninterruptibly();
              try {
                reading.run();
              } catch (IOException | RuntimeException failure) {
                LOG.warn("logs can't be read", failure);
                to.accept(end(readId).setFailure(String.valueOf(failure.getMessage())).build());
              } finally {
                turns.release();
              }
            });
  }

  private static LogsRead.Builder end(String readId) {
    return LogsRead.newBuilder().setReadId(readId).setEnd(true);
  }

  private static void lines(AppLog log, long heldFrom, ReadLogs request, Consumer<LogsRead> to)
      throws IOException {
    String readId = request.getReadId();
    List<LogLine> lines;
    try {
      lines =
          log.newest(range(request), request.getNewest(), request.getMostBytes(), wanted(request));
    } catch (AppLog.TooManyBytes tooMany) {
      to.accept(end(readId).setTooManyBytes(true).build());
      return;
    }
    for (int i = 0; i < lines.size(); i += MESSAGE_LINES) {
      to.accept(
          LogsRead.newBuilder()
              .setReadId(readId)
              .addAllLines(lines.subList(i, Math.min(lines.size(), i + MESSAGE_LINES)))
              .build());
    }
    to.accept(end(readId).setHeldFrom(heldFrom).build());
  }

  private static void counts(AppLog log, long heldFrom, ReadLogs request, Consumer<LogsRead> to)
      throws IOException {
    long width = Math.max(1, request.getBucketUs());
    TreeMap<Long, LogCount.Builder> counts = new TreeMap<>();
    log.each(
        range(request),
        wanted(request),
        line -> {
          long start = line.getTimeUs() - line.getTimeUs() % width;
          count(
              counts.computeIfAbsent(start, at -> LogCount.newBuilder().setStartUs(at)),
              line.getStream());
          return counts.size() <= MESSAGE_BUCKETS;
        });
    LogsRead.Builder answer = end(request.getReadId()).setHeldFrom(heldFrom);
    if (counts.size() > MESSAGE_BUCKETS) {
      answer.setFailure("there are more than %d buckets".formatted(MESSAGE_BUCKETS));
    } else {
      counts.values().forEach(answer::addCounts);
    }
    to.accept(answer.build());
  }

  private static void count(LogCount.Builder count, int stream) {
    switch (stream) {
      case 1 -> count.setStdout(count.getStdout() + 1);
      case 2 -> count.setStderr(count.getStderr() + 1);
      default -> count.setSystem(count.getSystem() + 1);
    }
  }

  private static AppLog.Range range(ReadLogs request) {
    return new AppLog.Range(request.getSinceUs(), request.getUntilUs());
  }

  private static Predicate<LogLine> wanted(ReadLogs request) {
    return WantedLines.by(request.getFilter());
  }
}
