package dev.troupe.node.log;

import dev.troupe.protocol.link.LogLine;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the containers of one app printed on this machine, kept in segment files of bounded size;
 * when all of them together grow past the limit, the oldest goes, and so does one whose lines are
 * all older than wanted. Each segment is named by its first line's number, and its first line's
 * time is known, so a reader of a stretch of time opens no other.
 *
 * <p>Files are read without a lock. A question about what was printed keeps all segments until it
 * is answered; a follower whose next one is removed meanwhile is told so. Beside a segment stands
 * how much of it the archive has.
 */
final class AppLog {

  private static final Logger LOG = LoggerFactory.getLogger(AppLog.class);

  static final String SUFFIX = ".log";
  private static final String SHIPPED = ".shipped";
  private static final long SEGMENT_BYTES = 1L << 20;

  /** What a follower looks through at a time, whatever it finds. */
  private static final long PAGE_BYTES = 1L << 20;

  /** Where a reader is. Lines before the position were read. */
  record Position(long segment, long offset) {
    static final Position START = new Position(-1, 0);
  }

  /** Lines from a position on, and the position behind them. */
  record Page(List<LogLine> lines, Position next) {}

  /** What of a segment the archive is to have. */
  record Parcel(long first, long firstTimeUs, Path file, long size) {}

  /**
   * What of a log is here.
   *
   * @param from number of the first line
   * @param removed the newest segment that was removed since this was opened; -1 where none was
   */
  record Here(long from, long removed) {
    static final Here NOTHING = new Here(Long.MAX_VALUE, -1);
  }

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

  /** Bytes of segments that the archive has. */
  private final Map<Long, Long> shipped = new HashMap<>();

  private @Nullable OutputStream current;

  /** Whether it was said that lines go which the archive has not got. */
  private boolean lossSaid;

  /** The newest segment that was removed. */
  private long lastRemoved = -1;

  /** Questions that are being answered: meanwhile nothing is removed. */
  private int readers;

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
      shipped.put(first, noted(mark(first)));
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

  /** A note that is not whole counts as none: then the segment is sent again. */
  private static long noted(Path mark) throws IOException {
    try {
      String text = Files.readString(mark);
      return text.endsWith("\n") ? Long.parseLong(text.strip()) : 0;
    } catch (NoSuchFileException | NumberFormatException none) {
      return 0;
    }
  }

  // ---- the archive

  /** What the archive does not have yet, the oldest first. */
  synchronized List<Parcel> unshipped() {
    return segments.values().stream()
        .filter(segment -> segment.size() > shipped.getOrDefault(segment.first(), 0L))
        .map(
            segment ->
                new Parcel(
                    segment.first(), segment.firstTimeUs(), file(segment.first()), segment.size()))
        .toList();
  }

  /** The archive has this. */
  synchronized void shipped(Parcel parcel) throws IOException {
    if (segments.containsKey(parcel.first())) {
      Files.writeString(mark(parcel.first()), parcel.size() + "\n");
      shipped.put(parcel.first(), parcel.size());
      lossSaid = false;
    }
  }

  /** All segments stay until this is closed. */
  final class Hold implements AutoCloseable {
    private final long heldFrom;

    private Hold(long heldFrom) {
      this.heldFrom = heldFrom;
    }

    /** The number of the first line that is here. */
    long heldFrom() {
      return heldFrom;
    }

    @Override
    public void close() throws IOException {
      release();
    }
  }

  /** For a question; to be closed. */
  synchronized Hold hold() {
    readers++;
    return new Hold(heldFrom());
  }

  private synchronized void release() throws IOException {
    readers--;
    trim();
  }

  /** Whether questions are being answered. */
  synchronized boolean isHeld() {
    return readers > 0;
  }

  /** The number of the first line that is here; the greatest where there is none. */
  synchronized long heldFrom() {
    return segments.isEmpty() ? Long.MAX_VALUE : segments.firstKey();
  }

  /** What is here, and what no longer is. */
  synchronized Here here() {
    return new Here(heldFrom(), lastRemoved);
  }

  // ---- writing

  /**
   * Writes lines.
   *
   * @return whether a segment was full, and another begun
   */
  synchronized boolean append(List<LogLine> lines) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (LogLine line : lines) {
      line.writeDelimitedTo(bytes);
    }
    Segment to = segments.get(currentSegment);
    boolean full = to != null && to.size() >= SEGMENT_BYTES;
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
    return full;
  }

  /** A start after a crash has a segment of its own: the old one may end in half a line. */
  private Segment roll(LogLine first) throws IOException {
    close();
    Segment fresh = new Segment(first.getNumber(), first.getTimeUs(), 0);
    currentSegment = fresh.first();
    segments.put(fresh.first(), fresh);
    trim();
    return fresh;
  }

  private void trim() throws IOException {
    while (readers == 0 && segments.size() > 1 && totalBytes() > limitBytes) {
      Segment oldest = segments.firstEntry().getValue();
      if (!lossSaid && oldest.size() > shipped.getOrDefault(oldest.first(), 0L)) {
        lossSaid = true;
        LOG.warn("{}: lines go that the archive has not got: the server is away", directory);
      }
      remove(oldest.first());
    }
  }

  private void remove(long segment) throws IOException {
    Files.deleteIfExists(file(segment));
    Files.deleteIfExists(mark(segment));
    segments.remove(segment);
    shipped.remove(segment);
    lastRemoved = Math.max(lastRemoved, segment);
  }

  private long totalBytes() {
    return segments.values().stream().mapToLong(Segment::size).sum();
  }

  /** Removes segments that were last written to before {@code oldest}. */
  synchronized void removeBefore(Instant oldest) throws IOException {
    if (readers > 0) {
      return;
    }
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

  private Path mark(long segment) {
    return directory.resolve(segment + SHIPPED);
  }

  private Path file(long segment) {
    return directory.resolve(segment + SUFFIX);
  }
}
