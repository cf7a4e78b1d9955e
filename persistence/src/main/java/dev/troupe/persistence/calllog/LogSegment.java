package dev.troupe.persistence.calllog;

import dev.troupe.persistence.store.DurableFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * One file of the log: a head, frames, and zeros up to its end. The zeros are written when it is
 * made, so that to add a frame changes no size: that is half the time of a write that is to survive
 * a power cut. The head is a magic word, the number of its first frame, and the CRC-32C of these,
 * little-endian.
 */
final class LogSegment implements AutoCloseable {

  static final int HEAD = 24;
  private static final byte[] MAGIC = "TRPLOG1\n".getBytes(StandardCharsets.US_ASCII);
  private static final int CHECKED = MAGIC.length + Long.BYTES;
  private static final int ZEROS = 1 << 20;

  private final Path file;
  private final FileChannel channel;
  private final long size;
  private final long first;
  private long end = HEAD;
  private long last;

  private LogSegment(Path file, FileChannel channel, long size, long first) {
    this.file = file;
    this.channel = channel;
    this.size = size;
    this.first = first;
    this.last = first - 1;
  }

  /**
   * Makes a file; on disk when this returns.
   *
   * @param first the number of the first frame that it gets
   */
  static LogSegment create(Path file, long size, long first) throws IOException {
    Path aside = file.resolveSibling(file.getFileName() + ".tmp");
    Files.deleteIfExists(aside);
    try (FileChannel channel = DurableFiles.create(aside)) {
      writeAll(channel, head(first));
      for (long left = size - HEAD; left > 0; left -= ZEROS) {
        writeAll(channel, ByteBuffer.allocate((int) Math.min(left, ZEROS)));
      }
      channel.force(true);
    }
    DurableFiles.publish(aside, file);
    FileChannel channel =
        FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.DSYNC);
    return new LogSegment(file, channel, size, first);
  }

  private static ByteBuffer head(long first) {
    ByteBuffer head = ByteBuffer.allocate(HEAD).order(ByteOrder.LITTLE_ENDIAN);
    head.put(MAGIC).putLong(first);
    CRC32C checksum = new CRC32C();
    checksum.update(head.array(), 0, CHECKED);
    return head.putInt((int) checksum.getValue()).clear();
  }

  private static void writeAll(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  /** Whether so many bytes more go into it. */
  boolean hasRoom(int bytes) {
    return end + bytes <= size;
  }

  /** Adds a frame's bytes; on disk when this returns. After a failure nothing more may be added. */
  void append(long number, ByteBuffer frame) throws IOException {
    long at = end;
    while (frame.hasRemaining()) {
      at += channel.write(frame, at);
    }
    end = at;
    last = number;
  }

  /** The number of its first frame. */
  long first() {
    return first;
  }

  /** The number of its last frame; {@code first - 1} while it has none. */
  long last() {
    return last;
  }

  /** Removes the file. */
  void delete() throws IOException {
    close();
    Files.deleteIfExists(file);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  /**
   * What a file holds.
   *
   * @param first the number of its first frame
   * @param frames the whole frames at its begin, by number
   * @param rest what follows
   */
  record Content(long first, List<LogFrame> frames, Rest rest) {}

  /** What follows the whole frames of a file. */
  enum Rest {
    NOTHING,
    /** A part of a frame: it was not acknowledged, since nothing comes behind it. */
    TORN,
    /** A whole frame behind one that is not: something changed what had been written. */
    DAMAGED
  }

  /**
   * Reads a file.
   *
   * @throws IOException where its head is not whole, too
   */
  static Content read(Path file) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    if (bytes.remaining() < HEAD
        || !bytes.slice(0, HEAD).equals(head(bytes.getLong(MAGIC.length)))) {
      throw new IOException(file + " is no file of the call log, or its head is damaged");
    }
    long first = bytes.getLong(MAGIC.length);
    bytes.position(HEAD);
    List<LogFrame> frames = new ArrayList<>();
    int end = HEAD;
    for (LogFrame frame = LogFrame.next(bytes);
        frame != null && frame.number() == first + frames.size();
        frame = LogFrame.next(bytes)) {
      frames.add(frame);
      end = bytes.position();
    }
    return new Content(first, frames, rest(bytes, end, first + frames.size()));
  }

  private static Rest rest(ByteBuffer bytes, int from, long expected) {
    if (isZero(bytes, from)) {
      return Rest.NOTHING;
    }
    for (int at = from + 1; at < bytes.limit(); at++) {
      LogFrame frame = LogFrame.next(bytes.position(at));
      if (frame != null && frame.number() > expected) {
        return Rest.DAMAGED;
      }
    }
    return Rest.TORN;
  }

  private static boolean isZero(ByteBuffer bytes, int from) {
    for (int at = from; at < bytes.limit(); at++) {
      if (bytes.get(at) != 0) {
        return false;
      }
    }
    return true;
  }
}
