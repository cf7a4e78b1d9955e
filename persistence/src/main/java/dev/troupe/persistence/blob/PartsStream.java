package dev.troupe.persistence.blob;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Parts one after another as one stream, each opened when its turn comes. Once read to the end it
 * knows the MD5 of the parts' MD5s.
 */
final class PartsStream extends InputStream {

  private final Deque<Path> left;
  private final MessageDigest whole = Aside.digest("MD5");
  private final MessageDigest part = Aside.digest("MD5");
  private @Nullable InputStream current;

  PartsStream(List<Path> parts) {
    this.left = new ArrayDeque<>(parts);
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    while (true) {
      if (current == null) {
        Path next = left.poll();
        if (next == null) {
          return -1;
        }
        current = Files.newInputStream(next);
      }
      int read = current.read(buffer, offset, length);
      if (read >= 0) {
        part.update(buffer, offset, read);
        return read;
      }
      whole.update(part.digest());
      current.close();
      current = null;
    }
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  /** To be called once, after the end was read. */
  String md5Hex() {
    return HexFormat.of().formatHex(whole.digest());
  }

  @Override
  public void close() throws IOException {
    if (current != null) {
      current.close();
    }
  }
}
