package dev.troupe.gateway.link;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.log.LogArchive;
import dev.troupe.actors.log.LogIntake.Segment;
import dev.troupe.gateway.link.LogFeed.Position;
import dev.troupe.gateway.link.LogHistory.Range;
import dev.troupe.protocol.link.LogCount;
import dev.troupe.protocol.link.LogFilter;
import dev.troupe.protocol.link.LogLine;
import dev.troupe.protocol.link.WantedLines;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.zip.ZipException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lines of the archive, segment by segment, so that memory is that of what is wanted. Of a machine
 * that is asked as well, the archive's part ends where the machine's own begins. Blocking.
 */
final class ArchivedLogs {

  private static final Logger LOG = LoggerFactory.getLogger(ArchivedLogs.class);

  private final LogArchive archive;

  ArchivedLogs(LogArchive archive) {
    this.archive = archive;
  }

  /** What is done with lines. */
  @FunctionalInterface
  interface Taker {

    /** Takes a line; false where it wants no more. */
    boolean take(LogLine line);
  }

  /** The lines asked for are more than fits. */
  static final class TooManyBytes extends Exception {
    private static final long serialVersionUID = 1;
  }

  /** The machines of which there are lines. */
  Set<MachineId> machines(String log) throws IOException {
    return archive.list(log).stream().map(Segment::machine).collect(Collectors.toSet());
  }

  /** Hands out the lines of a machine behind a position, and before a number, in their order. */
  void after(
      String log, MachineId machine, LogFilter filter, Position after, long before, Taker taker)
      throws IOException {
    List<Segment> segments = of(log, machine, before);
    Predicate<LogLine> wanted = WantedLines.by(filter).and(line -> isBehind(line, after));
    for (int i = 0; i < segments.size(); i++) {
      boolean over = i + 1 < segments.size() && isOver(segments.get(i + 1), after);
      if (!over && !read(segments.get(i), line -> !wanted.test(line) || taker.take(line))) {
        return;
      }
    }
  }

  private static boolean isBehind(LogLine line, Position after) {
    return line.getTimeUs() > after.timeMicros()
        || (line.getTimeUs() == after.timeMicros() && line.getNumber() > after.number());
  }

  private static boolean isOver(Segment next, Position after) {
    return after.number() > 0
        ? next.first() <= after.number()
        : next.firstTimeUs() < after.timeMicros();
  }

  /** The newest wanted lines of a machine before a number, in their order. */
  List<LogLine> newest(Stretch stretch, LogFilter filter, int most, long mostBytes)
      throws IOException, TooManyBytes {
    Predicate<LogLine> wanted = WantedLines.by(filter);
    Deque<LogLine> found = new ArrayDeque<>();
    long bytes = 0;
    for (Segment segment : within(stretch).reversed()) {
      Deque<LogLine> newest = new ArrayDeque<>();
      int room = most - found.size();
      if (room <= 0) {
        break;
      }
      long[] size = {0};
      read(
          segment,
          line -> {
            if (!isIn(line, stretch.range()) || !wanted.test(line)) {
              return line.getTimeUs() < stretch.range().untilMicros();
            }
            if (newest.size() == room) {
              size[0] -= newest.removeFirst().getTextBytes().size();
            }
            newest.addLast(line);
            size[0] += line.getTextBytes().size();
            return true;
          });
      bytes += size[0];
      if (bytes > mostBytes) {
        throw new TooManyBytes();
      }
      newest.descendingIterator().forEachRemaining(found::addFirst);
    }
    return List.copyOf(found);
  }

  /** The numbers of the wanted lines of a machine before a number, by the begin of their bucket. */
  Map<Long, LogCount> count(Stretch stretch, LogFilter filter, long bucketMicros)
      throws IOException {
    Predicate<LogLine> wanted = WantedLines.by(filter);
    Map<Long, LogCount> counts = new TreeMap<>();
    for (Segment segment : within(stretch)) {
      read(
          segment,
          line -> {
            if (isIn(line, stretch.range()) && wanted.test(line)) {
              long start = line.getTimeUs() - line.getTimeUs() % bucketMicros;
              counts.merge(start, one(start, line.getStream()), LogReads::plus);
            }
            return line.getTimeUs() < stretch.range().untilMicros();
          });
    }
    return counts;
  }

  private static LogCount one(long start, int stream) {
    LogCount.Builder count = LogCount.newBuilder().setStartUs(start);
    return switch (stream) {
      case 1 -> count.setStdout(1).build();
      case 2 -> count.setStderr(1).build();
      default -> count.setSystem(1).build();
    };
  }

  /**
   * A stretch of a log of one machine.
   *
   * @param before number of the first line that is read elsewhere
   */
  record Stretch(String log, MachineId machine, Range range, long before) {}

  private static boolean isIn(LogLine line, Range range) {
    return line.getTimeUs() >= range.sinceMicros() && line.getTimeUs() < range.untilMicros();
  }

  /** Segments that may have lines of a stretch of time: the next one begins where one ends. */
  private List<Segment> within(Stretch stretch) throws IOException {
    List<Segment> all = of(stretch.log(), stretch.machine(), stretch.before());
    Range range = stretch.range();
    List<Segment> within = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      boolean over = i + 1 < all.size() && all.get(i + 1).firstTimeUs() < range.sinceMicros();
      if (!over && all.get(i).firstTimeUs() < range.untilMicros()) {
        within.add(all.get(i));
      }
    }
    return within;
  }

  private List<Segment> of(String log, MachineId machine, long before) throws IOException {
    return archive.list(log).stream()
        .filter(segment -> segment.machine().equals(machine) && segment.first() < before)
        .toList();
  }

  /**
   * False where the taker had enough. What is behind half a line, which a crash left, is passed
   * over.
   */
  private boolean read(Segment segment, Taker taker) throws IOException {
    try (InputStream bytes = archive.open(segment)) {
      LogLine line = LogLine.parseDelimitedFrom(bytes);
      while (line != null) {
        if (!taker.take(line)) {
          return false;
        }
        line = LogLine.parseDelimitedFrom(bytes);
      }
    } catch (FileNotFoundException swept) {
      LOG.debug("{} went while it was to be read", segment);
    } catch (InvalidProtocolBufferException | ZipException | EOFException damaged) {
      LOG.warn("{} ends early: {}", segment, damaged.toString());
    }
    return true;
  }
}
