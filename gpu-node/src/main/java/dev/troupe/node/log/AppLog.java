package dev.troupe.node.log;

import dev.troupe.protocol.link.LogLine;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What the containers of one app printed on this machine, kept in segment files of bounded size;
 * when all of them together grow past the limit, the oldest goes. Not safe for threads by itself.
 */
final class AppLog {

  private static final long SEGMENT_BYTES = 4L << 20;
  private static final String SUFFIX = ".log";

  /** Where a reader is. Lines before the position were read. */
  record Position(long segment, long offset) {
    static final Position START = new Position(-1, 0);
  }

  /** Lines from a position on, and the position behind them. */
  record Page(List<LogLine> lines, Position next) {}

  private final Path directory;
  private final long limitBytes;

  /** Segments by the number of their first line, with their sizes. */
  private final NavigableMap<Long, Long> segments = new TreeMap<>();

  private @Nullable OutputStream current;
  private long currentSegment;

  AppLog(Path directory, long limitBytes) throws IOException {
    this.directory = directory;
    this.limitBytes = limitBytes;
    Files.createDirectories(directory);
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.filter(file -> file.toString().endsWith(SUFFIX)).toList()) {
        String name = file.getFileName().toString();
        long first = Long.parseLong(name.substring(0, name.length() - SUFFIX.length()));
        segments.put(first, Files.size(file));
      }
    }
  }

  void append(List<LogLine> lines) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (LogLine line : lines) {
      line.writeDelimitedTo(bytes);
    }
    OutputStream stream = current;
    if (stream == null || segments.getOrDefault(currentSegment, 0L) >= SEGMENT_BYTES) {
      stream = roll(lines.getFirst().getNumber());
    }
    bytes.writeTo(stream);
    segments.merge(currentSegment, (long) bytes.size(), Long::sum);
  }

  private OutputStream roll(long firstNumber) throws IOException {
    close();
    // A start after a crash goes on with a segment of its own: the old one may end in half a line.
    currentSegment = firstNumber;
    OutputStream fresh =
        Files.newOutputStream(
            file(firstNumber), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    current = fresh;
    segments.put(firstNumber, 0L);
    while (segments.size() > 1 && totalBytes() > limitBytes) {
      long oldest = segments.firstKey();
      Files.deleteIfExists(file(oldest));
      segments.remove(oldest);
    }
    return fresh;
  }

  private long totalBytes() {
    return segments.values().stream().mapToLong(Long::longValue).sum();
  }

  /** Bytes that a reader at this position has still to read. */
  long bytesAfter(Position position) {
    long read = segments.containsKey(position.segment()) ? position.offset() : 0;
    return segments.tailMap(position.segment()).values().stream().mapToLong(Long::longValue).sum()
        - read;
  }

  /** Up to {@code limit} lines from a position on that a reader wants. */
  Page read(Position from, int limit, Predicate<LogLine> wanted) throws IOException {
    List<LogLine> lines = new ArrayList<>();
    Position position = from;
    while (lines.size() < limit) {
      Long size = segments.get(position.segment());
      if (size == null || position.offset() >= size) {
        Long next = segments.higherKey(position.segment());
        if (next == null) {
          return new Page(lines, position);
        }
        position = new Position(next, 0);
        continue;
      }
      position = readSegment(position, size, limit, wanted, lines);
    }
    return new Page(lines, position);
  }

  private Position readSegment(
      Position from, long size, int limit, Predicate<LogLine> wanted, List<LogLine> lines)
      throws IOException {
    try (InputStream file = Files.newInputStream(file(from.segment()))) {
      file.skipNBytes(from.offset());
      CountingStream counted = new CountingStream(new BufferedInputStream(file, 64 * 1024));
      long offset = from.offset();
      while (lines.size() < limit && offset < size) {
        LogLine line;
        try {
          line = LogLine.parseDelimitedFrom(counted);
        } catch (IOException halfALine) {
          // Only at the end of a segment that a crash cut off.
          return new Position(from.segment(), size);
        }
        if (line == null) {
          return new Position(from.segment(), size);
        }
        offset = from.offset() + counted.count;
        if (wanted.test(line)) {
          lines.add(line);
        }
      }
      return new Position(from.segment(), offset);
    }
  }

  private Path file(long segment) {
    return directory.resolve(segment + SUFFIX);
  }

  void close() throws IOException {
    if (current != null) {
      current.close();
      current = null;
    }
  }

  private static final class CountingStream extends java.io.FilterInputStream {
    private long count;

    private CountingStream(InputStream stream) {
      super(stream);
    }

    @Override
    public int read() throws IOException {
      int value = in.read();
      count += value < 0 ? 0 : 1;
      return value;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      int read = in.read(into, offset, length);
      count += Math.max(read, 0);
      return read;
    }
  }
}
