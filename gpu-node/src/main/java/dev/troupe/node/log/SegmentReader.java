package dev.troupe.node.log;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.protocol.link.LogLine;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Reads the lines of a segment piece by piece, so that memory is a piece's and no segment's. */
final class SegmentReader {

  /** More than the longest line takes. */
  private static final int PIECE_BYTES = 256 * 1024;

  private SegmentReader() {}

  /** What is done with lines. */
  @FunctionalInterface
  interface Taker {

    /** Takes a line; false where it wants no more. */
    boolean take(LogLine line);
  }

  /** Gives out all lines of a segment, until the taker has enough. */
  static void readAll(Path segment, long size, Taker taker) throws IOException {
    read(segment, 0, size, Long.MAX_VALUE, taker);
  }

  /**
   * Gives out the lines from an offset on until the taker has enough, about {@code most} bytes were
   * read, or {@code size} is reached. What follows half a line, which a crash left, is passed over,
   * and so is a segment that was removed meanwhile.
   *
   * @return the offset behind the last line that was given out, or {@code size}
   */
  static long read(Path segment, long from, long size, long most, Taker taker) throws IOException {
    if (from >= size) {
      return size;
    }
    try (FileChannel file = FileChannel.open(segment, StandardOpenOption.READ)) {
      byte[] piece = new byte[(int) Math.min(PIECE_BYTES, size - from)];
      long offset = from;
      while (offset < size && offset - from < most) {
        int count = fill(file, piece, offset, size);
        int taken = give(piece, count, taker);
        if (taken < 0) {
          return offset + ~taken;
        }
        if (taken == 0) {
          return size;
        }
        offset += taken;
      }
      return offset;
    } catch (NoSuchFileException removed) {
      return size;
    }
  }

  private static int fill(FileChannel file, byte[] piece, long offset, long size)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(piece, 0, (int) Math.min(piece.length, size - offset));
    while (buffer.hasRemaining() && file.read(buffer, offset + buffer.position()) >= 0) {
      // Until the piece is there.
    }
    return buffer.position();
  }

  /**
   * Gives out the whole lines of a piece.
   *
   * @return how many bytes they were; their complement where the taker had enough
   */
  private static int give(byte[] piece, int count, Taker taker) {
    CodedInputStream bytes = CodedInputStream.newInstance(piece, 0, count);
    int done = 0;
    try {
      while (done < count) {
        int length = bytes.readRawVarint32();
        int begin = bytes.getTotalBytesRead();
        if (length < 0 || length > count - begin) {
          return done;
        }
        LogLine line = LogLine.parser().parseFrom(piece, begin, length);
        bytes.skipRawBytes(length);
        done = begin + length;
        if (!taker.take(line)) {
          return ~done;
        }
      }
      return done;
    } catch (InvalidProtocolBufferException half) {
      return done;
    } catch (IOException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
