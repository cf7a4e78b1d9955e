package dev.troupe.persistence.blob;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Content as it is read back. Where its end shows that it is not what its digest says, because the
 * disk has lost or changed some of it, it is taken away: whoever has it is then asked for it again.
 */
final class CheckedContent extends FilterInputStream {

  private final @Nullable Object identity;
  private final String sha256;
  private final Path file;
  private final MessageDigest digest;
  private boolean checked;

  private CheckedContent(InputStream bytes, String sha256, Path file, @Nullable Object identity) {
    super(bytes);
    this.identity = identity;
    this.sha256 = sha256;
    this.file = file;
    try {
      this.digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  static CheckedContent open(Path file, String sha256) throws IOException {
    Object identity = identity(file);
    return new CheckedContent(Files.newInputStream(file), sha256, file, identity);
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
      // Somebody may have put a good one in its place meanwhile.
      if (Files.exists(file) && Objects.equals(identity(file), identity)) {
        Files.deleteIfExists(file);
      }
      throw new IOException(
          "the content %s was damaged on the disk and is taken away; deploy or run again, and the client sends it again"
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
