package dev.troupe.actors.blob;

import dev.troupe.actors.id.BlobId;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Bytes too big for a row or a message. Two kinds: <em>content</em> is named by its SHA-256 and
 * shared (mount files, definitions); a <em>payload</em> is named by a {@link BlobId}, owned by one
 * row and deleted with it. What was written is on disk when a write returns, and visible whole or
 * not at all. Blocking; called on virtual threads or a dispatcher for blocking work.
 */
public interface BlobStore extends ContentSource {

  /**
   * Stores content and checks it against the digest it is to have.
   *
   * @throws DigestMismatch when the bytes are others
   */
  void putContent(String sha256Hex, InputStream bytes) throws IOException;

  /** Which of these are not here; those that are here are touched, so that no sweep takes them. */
  Set<String> missingContent(Collection<String> sha256Hex) throws IOException;

  /**
   * Stores a payload whole; a repeat under one id replaces it, and has the same bytes, since one
   * that failed may take effect after it. Returns its size and MD5.
   */
  Written putPayload(BlobId blob, InputStream bytes) throws IOException;

  /** Stores part {@code number} (from 1) of a payload sent in parts. */
  Written putPart(BlobId blob, int number, InputStream bytes) throws IOException;

  /**
   * Joins parts 1 to {@code parts} to the payload. The MD5 it returns is that of the parts' MD5s
   * (16 bytes each) joined, as S3 tells it. A repeat, after the parts were joined, is answered
   * alike.
   */
  Written completeParts(BlobId blob, int parts) throws IOException;

  /** Size of a payload; empty when there is none. */
  Optional<Long> payloadSize(BlobId blob) throws IOException;

  /**
   * A payload's bytes from {@code offset}.
   *
   * @throws java.io.FileNotFoundException when there is none
   */
  InputStream openPayload(BlobId blob, long offset) throws IOException;

  /** Forgets payloads; those that are not here are passed over. */
  void deletePayloads(Collection<BlobId> blobs) throws IOException;

  /** Payloads written before {@code before}, for the sweep of orphans. */
  List<BlobId> payloadsOlderThan(Instant before, int limit) throws IOException;

  /** What a write stored. */
  record Written(long sizeBytes, String md5Hex) {}

  /** The store can't be reached now, or refuses. What it was asked to do it may do yet. */
  final class Away extends IOException {
    private static final long serialVersionUID = 1;

    public Away(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /** Bytes that do not have the digest they were announced with. */
  final class DigestMismatch extends IOException {
    private static final long serialVersionUID = 1;

    public DigestMismatch(String expected, String actual) {
      super("content has the digest " + actual + ", not " + expected + " as announced");
    }
  }
}
