package dev.troupe.persistence.blob;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Content as it is read back. Where its end shows that it is not what its digest says, because some
 * of it was lost or changed, it is taken away: whoever has it is then asked for it again.
 */
final class CheckedContent extends FilterInputStream {

  private final String sha256;
  private final Removal removal;
  private final MessageDigest digest = Aside.digest("SHA-256");
  private boolean checked;

  /** Takes damaged content away. */
  @FunctionalInterface
  interface Removal {
    /** Deletes what was read; not what somebody may have put in its place meanwhile. */
    void run() throws IOException;
  }

  CheckedContent(InputStream bytes, String sha256, Removal removal) {
    super(bytes);
    this.sha256 = sha256;
    this.removal = removal;
  }

  static CheckedContent open(Path file, String sha256) throws IOException {
    Object identity = identity(file);
    return new CheckedContent(
        Files.newInputStream(file),
        sha256,
        () -> {
          if (Files.exists(file) && Objects.equals(identity(file), identity)) {
            Files.deleteIfExists(file);
          }
        });
  }

  private static @Nullable Object identity(Path file) throws IOException {
    return Files.readAttributes(file, BasicFileAttributes.class).fileKey();
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    int read = super.read(bytes, offset, length);
    if (read > 0) {
      digest.update(bytes, offset, read);
    } else if (read < 0 && !checked) {
      checked = true;
      check();
    }
    return read;
  }

  private void check() throws IOException {
    String came = HexFormat.of().formatHex(digest.digest());
    if (!came.equals(sha256)) {
      removal.run();
      throw new IOException(
          "the content %s was damaged where it was kept and is taken away; deploy or run again, and the client sends it again"
              .formatted(sha256));
    }
  }

  @Override
  public long skip(long count) throws IOException {
    // What is passed over belongs to the digest, too.
    return Math.max(0, read(new byte[Math.clamp(count, 0, 8192)]));
  }

  @Override
  public boolean markSupported() {
    return false;
  }
}
