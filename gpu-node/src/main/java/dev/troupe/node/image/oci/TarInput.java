package dev.troupe.node.image.oci;

import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/**
 * The bytes of a tar on their way to its reader. The reader holds headers in memory, long names and
 * all, so what it takes for one is bounded; and it reads every value as text, so those that are
 * none can be had from here.
 */
final class TarInput extends FilterInputStream {

  /** Headers of one entry together; the longest path of Linux is 4 KiB. */
  private static final int LONGEST_HEADER = 1 << 20;

  private static final int LONGEST_NUMBER = 7;

  private final ByteArrayOutputStream header = new ByteArrayOutputStream();
  private boolean inHeader;

  TarInput(InputStream tar) {
    super(tar);
  }

  /** From here on the reader takes headers. */
  void headerBegins() {
    header.reset();
    inHeader = true;
  }

  /** From here on it takes content. */
  void contentBegins() {
    inHeader = false;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    int count = super.read(bytes, offset, length);
    if (inHeader && count > 0) {
      if (header.size() + count > LONGEST_HEADER) {
        throw new MalformedLayer("the headers of one entry are longer than 1 MiB");
      }
      header.write(bytes, offset, count);
    }
    return count;
  }

  @Override
  public long skip(long count) throws IOException {
    byte[] skipped = new byte[(int) Math.min(8192, Math.max(1, count))];
    return Math.max(0, read(skipped, 0, (int) Math.min(skipped.length, count)));
  }

  /** The bytes of a record {@code LENGTH KEY=VALUE} of the last headers. */
  Optional<byte[]> record(String key) {
    byte[] bytes = header.toByteArray();
    byte[] wanted = (" " + key + "=").getBytes(StandardCharsets.UTF_8);
    for (int at = 0; at + wanted.length <= bytes.length; at++) {
      if (Arrays.equals(bytes, at, at + wanted.length, wanted, 0, wanted.length)) {
        int begin = at;
        while (begin > 0 && begin > at - LONGEST_NUMBER && Character.isDigit(bytes[begin - 1])) {
          begin--;
        }
        int length =
            begin == at
                ? 0
                : Integer.parseInt(new String(bytes, begin, at - begin, StandardCharsets.US_ASCII));
        int end = begin + length - 1;
        int value = at + wanted.length;
        if (end >= value && end < bytes.length && bytes[end] == '\n') {
          return Optional.of(Arrays.copyOfRange(bytes, value, end));
        }
      }
    }
    return Optional.empty();
  }
}
