package dev.troupe.persistence.blob;

import dev.troupe.persistence.blob.Aside.Digested;
import dev.troupe.persistence.store.DurableFiles;
import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import software.amazon.awssdk.services.s3.model.CompletedPart;

/**
 * Writes objects from streams of unknown length. What is short is one request; the rest goes in
 * parts while it comes, so that on this machine there is never more of it than one part.
 */
final class S3Uploads {

  /** With 10,000 parts at most, an object may have 156 GiB. */
  private static final long PART_BYTES = 16 << 20;

  private final S3Bucket bucket;
  private final Path directory;

  private S3Uploads(S3Bucket bucket, Path directory) {
    this.bucket = bucket;
    this.directory = directory;
  }

  /** Uploads whose bytes pass through a directory of this process. */
  static S3Uploads through(Path directory, S3Bucket bucket) throws IOException {
    DurableFiles.createPrivateDirectory(directory);
    return new S3Uploads(bucket, directory);
  }

  /** Looks at what was read, before it is there for others. */
  @FunctionalInterface
  interface Check {
    /** Keeps the object from being made, by an exception. */
    void of(Digested bytes) throws IOException;
  }

  /** Reads to the end; then the object is there whole, or not at all. */
  Digested write(String key, InputStream bytes, String algorithm, Check check) throws IOException {
    MessageDigest digest = Aside.digest(algorithm);
    try (Chunk chunk = Chunk.open(directory)) {
      var rest = new PushbackInputStream(new DigestInputStream(bytes, digest));
      if (!more(chunk, rest)) {
        Digested digested = new Digested(chunk.sizeBytes(), digest.digest());
        check.of(digested);
        bucket.put(key, chunk);
        return digested;
      }
      return inParts(key, chunk, rest, digest, check);
    }
  }

  /** Takes the next part; says whether another one comes. */
  private static boolean more(Chunk chunk, PushbackInputStream rest) throws IOException {
    if (!chunk.fill(rest, PART_BYTES)) {
      return false;
    }
    int next = rest.read();
    if (next >= 0) {
      rest.unread(next);
    }
    return next >= 0;
  }

  private Digested inParts(
      String key, Chunk chunk, PushbackInputStream rest, MessageDigest digest, Check check)
      throws IOException {
    String upload = bucket.begin(key);
    boolean complete = false;
    try {
      List<CompletedPart> parts = new ArrayList<>();
      long sizeBytes = 0;
      boolean more = true;
      while (true) {
        parts.add(bucket.putPart(key, upload, parts.size() + 1, chunk));
        sizeBytes += chunk.sizeBytes();
        if (!more) {
          break;
        }
        more = more(chunk, rest);
      }
      Digested digested = new Digested(sizeBytes, digest.digest());
      check.of(digested);
      bucket.complete(key, upload, parts);
      complete = true;
      return digested;
    } finally {
      if (!complete) {
        giveUp(key, upload);
      }
    }
  }

  /** What can't be given up now is, by a sweep. */
  private void giveUp(String key, String upload) {
    try {
      bucket.abort(key, upload);
    } catch (IOException away) {
      System.getLogger(S3Uploads.class.getName())
          .log(System.Logger.Level.INFO, "An upload is left to the sweep: {0}", away.getMessage());
    }
  }
}
