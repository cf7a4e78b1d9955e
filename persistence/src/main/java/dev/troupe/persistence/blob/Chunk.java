package dev.troupe.persistence.blob;

import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.UUID;

/**
 * Some bytes on their way, in a file without a name, so that many slow senders take no memory and a
 * request can be repeated. It is filled again for the next piece.
 */
final class Chunk implements AutoCloseable {

  private static final int BUFFER_BYTES = 64 * 1024;

  /** Not a channel: the end of a request's time interrupts its thread, which closes channels. */
  private final RandomAccessFile file;

  private final MessageDigest digest = Aside.digest("MD5");
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private long sizeBytes;
  private byte[] md5 = new byte[0];

  private Chunk(RandomAccessFile file) {
    this.file = file;
  }

  static Chunk open(Path directory) throws IOException {
    Path path = directory.resolve(UUID.randomUUID().toString());
    RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw");
    Files.delete(path);
    return new Chunk(file);
  }

  /** Takes up to {@code limit} bytes in the place of those before; says whether more may come. */
  boolean fill(InputStream bytes, long limit) throws IOException {
    file.seek(0);
    sizeBytes = 0;
    int read = 0;
    while (sizeBytes < limit && read >= 0) {
      read = bytes.read(buffer, 0, (int) Math.min(buffer.length, limit - sizeBytes));
      if (read > 0) {
        file.write(buffer, 0, read);
        digest.update(buffer, 0, read);
        sizeBytes += read;
      }
    }
    md5 = digest.digest();
    return read >= 0;
  }

  long sizeBytes() {
    return sizeBytes;
  }

  byte[] md5() {
    return md5.clone();
  }

  /** The bytes from the start; one reader at a time. */
  InputStream stream() {
    try {
      file.seek(0);
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
    return new InputStream() {
      private long left = sizeBytes;

      @Override
      public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
      }

      @Override
      public int read(byte[] into, int offset, int length) throws IOException {
        if (left == 0) {
          return -1;
        }
        int read = file.read(into, offset, (int) Math.min(length, left));
        left -= Math.max(0, read);
        return read;
      }
    };
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
