package dev.troupe.persistence.blob;

import dev.troupe.persistence.blob.S3Bucket.Opened;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import software.amazon.awssdk.http.Abortable;

/**
 * An object's bytes while they come. Where the connection breaks, it goes on behind what was read,
 * some times; where it ends early, that is an error and no end.
 */
final class S3Download extends FilterInputStream {

  private static final int RESUMPTIONS = 3;

  private final S3Bucket bucket;
  private final String key;
  private final String etag;
  private long offset;
  private long left;
  private int resumptions = RESUMPTIONS;

  private S3Download(S3Bucket bucket, String key, long offset, Opened opened) {
    super(opened.bytes());
    this.bucket = bucket;
    this.key = key;
    this.etag = opened.etag();
    this.offset = offset;
    this.left = opened.sizeBytes();
  }

  static S3Download open(S3Bucket bucket, String key, long offset) throws IOException {
    return new S3Download(bucket, key, offset, bucket.open(key, offset, Optional.empty()));
  }

  String etag() {
    return etag;
  }

  /** Bytes that are still to come. */
  long left() {
    return left;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] bytes, int from, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    while (left > 0) {
      int read = piece(bytes, from, length);
      if (read > 0) {
        offset += read;
        left -= read;
        resumptions = RESUMPTIONS;
        return read;
      }
      abort();
      in = bucket.open(key, offset, Optional.of(etag)).bytes();
    }
    return -1;
  }

  /** Bytes read; none where the connection broke and may be made again. */
  private int piece(byte[] bytes, int from, int length) throws IOException {
    try {
      int read = in.read(bytes, from, length);
      if (read > 0) {
        return read;
      }
      if (resumptions == 0) {
        throw new IOException("%s broke off %d bytes before its end".formatted(key, left));
      }
    } catch (IOException broken) {
      if (resumptions == 0) {
        throw broken;
      }
    }
    resumptions--;
    return 0;
  }

  @Override
  public long skip(long count) throws IOException {
    return Math.max(0, read(new byte[Math.clamp(count, 0, 8192)]));
  }

  @Override
  public int available() throws IOException {
    return left > 0 ? in.available() : 0;
  }

  @Override
  public boolean markSupported() {
    return false;
  }

  /** What is left is not read first. */
  private void abort() {
    abort(in);
  }

  private static void abort(InputStream stream) {
    if (stream instanceof Abortable abortable) {
      abortable.abort();
    }
  }

  @Override
  public void close() throws IOException {
    if (left > 0) {
      abort();
    } else {
      in.close();
    }
  }
}
