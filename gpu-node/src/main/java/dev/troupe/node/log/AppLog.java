package dev.troupe.node.log;

import dev.troupe.protocol.link.LogLine;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What the containers of one app printed on this machine, kept in segment files of bounded size;
 * when all of them together grow past the limit, the oldest goes, and so does one whose lines are
 * all older than wanted. Each segment is named by its first line's number, and its first line's
 * time is known, so a reader of a stretch of time opens no other.
 *
 * <p>Files are read without a lock: who reads a segment that is removed meanwhile goes on behind
 * it.
 */
final class AppLog {

  static final String SUFFIX = ".log";
  private static final long SEGMENT_BYTES = 4L << 20;

  /** What a follower looks through at a time, whatever it finds. */
  private static final long PAGE_BYTES = 1L << 20;

  /** Where a reader is. Lines before the position were read. */
  record Position(long segment, long offset) {
    static final Position START = new Position(-1, 0);
  }

  /** Lines from a position on, and the position behind them. */
  record Page(List<LogLine> lines, Position next) {}

  /** From {@code sinceUs} on and before {@code untilUs}. */
  record Range(long sinceUs, long untilUs) {}

  /** The lines asked for are more than fits. */
  static final class TooManyBytes extends Exception {
    private static final long serialVersionUID = 1;
  }

  /** A file; {@code first} is the number of its first line. */
  private record Segment(long first, long firstTimeUs, long size) {
    private Segment plus(long bytes) {
      return new Segment(first, firstTimeUs, size + bytes);
    }
  }

  private final Path directory;
  private final long limitBytes;
  private final NavigableMap<Long, Segment> segments = new TreeMap<>();

  private @Nullable OutputStream current;

  /** The segment that is written to; -1 before the first line of this process. */
  private long currentSegment = -1;

  AppLog(Path directory, long limitBytes) throws IOException {
    this.directory = directory;
    this.limitBytes = limitBytes;
    Files.createDirectories(directory);
    for (Path file : files(directory)) {
      long first = firstNumber(file);
      long size = Files.size(file);
      segments.put(first, new Segment(first, firstTime(file, size), size));
    }
  }

  /** The segment files of an app. */
  static List<Path> files(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(file -> file.toString().endsWith(SUFFIX)).toList();
    }
  }

  /** The number by which a segment file is named. */
  static long firstNumber(Path file) {
    String name = file.getFileName().toString();
    return Long.parseLong(name.substring(0, name.length() - SUFFIX.length()));
  }

  private static long firstTime(Path file, long size) throws IOException {
    long[] time = {Files.getLastModifiedTime(file).toMillis() * 1_000};
    SegmentReader.readAll(
        file,
        size,
        line -> {
          time[0] = line.getTimeUs();
          return false;
        });
    return time[0];
  }

  // ---- writing

  synchronized void append(List<LogLine> lines) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (LogLine line : lines) {
      line.writeDelimitedTo(bytes);
    }
    Segment to = segments.get(currentSegment);
    if (to == null || to.size() >= SEGMENT_BYTES) {
      to = roll(lines.getFirst());
    }
    if (current == null) {
      current =
          Files.newOutputStream(
              file(to.first()), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }
    bytes.writeTo(current);
    segments.put(to.first(), to.plus(bytes.size()));
  }

  /** A start after a crash has a segment of its own: the old one may end in half a line. */
  private Segment roll(LogLine first) throws IOException {
    close();
    Segment fresh = new Segment(first.getNumber(), first.getTimeUs(), 0);
    currentSegment = fresh.first();
    segments.put(fresh.first(), fresh);
    while (segments.size() > 1 && totalBytes() > limitBytes) {
      remove(segments.firstKey());
    }
    return fresh;
  }

  private void remove(long segment) throws IOException {
    Files.deleteIfExists(file(segment));
    segments.remove(segment);
  }

  private long totalBytes() {
    return segments.values().stream().mapToLong(Segment::size).sum();
  }

  /** Removes segments that were last written to before {@code oldest}. */
  synchronized void removeBefore(Instant oldest) throws IOException {
    for (long segment : List.copyOf(segments.keySet())) {
      Path file = file(segment);
      if (!Files.exists(file) || Files.getLastModifiedTime(file).toInstant().isBefore(oldest)) {
        if (segment == currentSegment) {
          close();
        }
        remove(segment);
      }
    }
  }

  /** Whether nothing is kept. */
  synchronized boolean isEmpty() {
    return segments.isEmpty();
  }

  /** Closes the file that is written to, until the next line. */
  synchronized void close() throws IOException {
    if (current != null) {
      current.close();
      current = null;
    }
  }

  // ---- following

  /**
   * At or before the first line behind this one; with number 0, behind all lines before this time.
   */
  synchronized Position behind(long timeUs, long number) {
    if (number > 0) {
      Long segment = segments.floorKey(number);
      return segment == null ? Position.START : new Position(segment, 0);
    }
    Position behind = Position.START;
    for (Segment segment : segments.values()) {
      if (segment.firstTimeUs() < timeUs) {
        behind = new Position(segment.first(), 0);
      }
    }
    return behind;
  }

  /** Bytes that a reader at this position has still to read. */
  synchronized long bytesAfter(Position position) {
    long read = segments.containsKey(position.segment()) ? position.offset() : 0;
    return segments.tailMap(position.segment()).values().stream().mapToLong(Segment::size).sum()
        - read;
  }

  /** Up to {@code limit} lines that a reader wants, from what is next behind a position. */
  Page read(Position from, int limit, Predicate<LogLine> wanted) throws IOException {
    List<LogLine> lines = new ArrayList<>();
    Position position = from;
    long look = PAGE_BYTES;
    while (lines.size() < limit && look > 0) {
      Segment segment = from(position);
      if (segment == null) {
        break;
      }
      long begin = segment.first() == position.segment() ? position.offset() : 0;
      long end =
          SegmentReader.read(
              file(segment.first()),
              begin,
              segment.size(),
              look,
              line -> {
                if (wanted.test(line)) {
                  lines.add(line);
                }
                return lines.size() < limit;
              });
      look -= Math.max(1, end - begin);
      position = new Position(segment.first(), end);
    }
    return new Page(lines, position);
  }

  /** The segment in which there is something to read behind a position. */
  private synchronized @Nullable Segment from(Position position) {
    Segment at = segments.get(position.segment());
    if (at != null && position.offset() < at.size()) {
      return at;
    }
    Long next = segments.higherKey(position.segment());
    return next == null ? null : segments.get(next);
  }

  // ---- history

  /** The newest lines of a stretch of time that are wanted, in the order they were written. */
  List<LogLine> newest(Range range, int most, long mostBytes, Predicate<LogLine> wanted)
      throws IOException, TooManyBytes {
    Deque<LogLine> found = new ArrayDeque<>();
    long bytes = 0;
    for (Segment segment : within(range).reversed()) {
      int room = most - found.size();
      if (room == 0) {
        break;
      }
      Newest newest = new Newest(room);
      scan(segment, range, wanted, newest);
      bytes += newest.bytes;
      if (bytes > mostBytes) {
        throw new TooManyBytes();
      }
      newest.lines.descendingIterator().forEachRemaining(found::addFirst);
    }
    return List.copyOf(found);
  }

  /** Hands out all lines of a stretch of time that are wanted. */
  void each(Range range, Predicate<LogLine> wanted, SegmentReader.Taker taker) throws IOException {
    for (Segment segment : within(range)) {
      scan(segment, range, wanted, taker);
    }
  }

  private void scan(
      Segment segment, Range range, Predicate<LogLine> wanted, SegmentReader.Taker taker)
      throws IOException {
    SegmentReader.readAll(
        file(segment.first()),
        segment.size(),
        line -> {
          if (line.getTimeUs() >= range.untilUs()) {
            return false;
          }
          return line.getTimeUs() < range.sinceUs() || !wanted.test(line) || taker.take(line);
        });
  }

  /** Segments that may have lines of a stretch of time: the next one begins where one ends. */
  private synchronized List<Segment> within(Range range) {
    List<Segment> all = List.copyOf(segments.values());
    List<Segment> within = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      boolean over = i + 1 < all.size() && all.get(i + 1).firstTimeUs() < range.sinceUs();
      if (!over && all.get(i).firstTimeUs() < range.untilUs()) {
        within.add(all.get(i));
      }
    }
    return within;
  }

  /** The last lines of those that it is given. */
  private static final class Newest implements SegmentReader.Taker {
    private final int room;
    private final Deque<LogLine> lines = new ArrayDeque<>();
    private long bytes;

    private Newest(int room) {
      this.room = room;
    }

    @Override
    public boolean take(LogLine line) {
      if (lines.size() == room) {
        bytes -= lines.removeFirst().getTextBytes().size();
      }
      lines.addLast(line);
      bytes += line.getTextBytes().size();
      return true;
    }
  }

  private Path file(long segment) {
    return directory.resolve(segment + SUFFIX);
  }
}
