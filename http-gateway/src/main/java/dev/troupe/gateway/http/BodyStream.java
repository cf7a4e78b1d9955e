package dev.troupe.gateway.http;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/**
 * The body of a request: fails where it is longer than allowed, and where it ends before the length
 * that was announced, so that no half of a blob is taken for the whole.
 */
final class BodyStream extends FilterInputStream {

  private final long announcedBytes;
  private final long mostBytes;
  private long readBytes;

  /** A body that is to have {@code announcedBytes}; -1 where the sender did not say. */
  BodyStream(InputStream body, long announcedBytes, long mostBytes) throws IOException {
    super(body);
    this.announcedBytes = announcedBytes;
    this.mostBytes = mostBytes;
    if (announcedBytes > mostBytes) {
      throw new TooLong(mostBytes);
    }
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    int count = super.read(into, offset, length);
    if (count < 0 && announcedBytes >= 0 && readBytes < announcedBytes) {
      throw new BrokenOff(readBytes, announcedBytes);
    }
    readBytes += Math.max(0, count);
    if (readBytes > mostBytes) {
      throw new TooLong(mostBytes);
    }
    return count;
  }

  @Override
  public long skip(long count) throws IOException {
    return readNBytes((int) Math.min(count, 8192)).length;
  }

  @Override
  public boolean markSupported() {
    return false;
  }

  /** More than is taken. */
  static final class TooLong extends IOException {
    private static final long serialVersionUID = 1;

    TooLong(long mostBytes) {
      super("The body is longer than the %d bytes that this link takes.".formatted(mostBytes));
    }
  }

  /** Less than was announced. */
  static final class BrokenOff extends IOException {
    private static final long serialVersionUID = 1;

    BrokenOff(long read, long announced) {
      super("The body ended after %d of %d bytes.".formatted(read, announced));
    }
  }
}
