package dev.troupe.gateway.http;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/** The first bytes of a stream. */
final class HeadStream extends FilterInputStream {

  private long leftBytes;

  HeadStream(InputStream stream, long lengthBytes) {
    super(stream);
    this.leftBytes = lengthBytes;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    if (leftBytes == 0) {
      return -1;
    }
    int count = super.read(into, offset, (int) Math.min(length, leftBytes));
    leftBytes -= Math.max(0, count);
    return count;
  }

  @Override
  public boolean markSupported() {
    return false;
  }
}
