package dev.troupe.node.image.oci;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;

/**
 * Counts and digests what is read, and ends with a failure past a length. Closing it does not close
 * what is below: that is its owner's to close.
 */
final class MeasuredInput extends FilterInputStream {

  private final Digest expected;
  private final MessageDigest computing;
  private final long longest;
  private long count;
  private @Nullable IOException failure;

  MeasuredInput(InputStream stream, Digest expected, long longest) {
    super(stream);
    this.expected = expected;
    this.computing = expected.newMessageDigest();
    this.longest = longest;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    int read;
    try {
      read = super.read(bytes, offset, length);
    } catch (IOException broken) {
      failure = broken;
      throw broken;
    }
    if (read > 0) {
      count += read;
      if (count > longest) {
        throw new MalformedLayer("it is longer than %d bytes".formatted(longest));
      }
      computing.update(bytes, offset, read);
    }
    return read;
  }

  @Override
  public long skip(long wanted) throws IOException {
    return Math.max(0, read(new byte[(int) Math.min(8192, Math.max(1, wanted))]));
  }

  @Override
  public void close() {
    // Not ours to close.
  }

  @Override
  public boolean markSupported() {
    return false;
  }

  /** Bytes read so far. */
  long count() {
    return count;
  }

  /** What reading failed with, if it did. */
  @Nullable IOException failure() {
    return failure;
  }

  /** The digest of all that was read; ends the measuring. */
  Digest digest() {
    return Digest.of(expected.algorithm(), computing.digest());
  }
}
