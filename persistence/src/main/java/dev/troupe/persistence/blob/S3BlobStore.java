package dev.troupe.persistence.blob;

import dev.troupe.actors.blob.BlobStore;
import dev.troupe.actors.id.BlobId;
import dev.troupe.persistence.blob.S3Bucket.Head;
import dev.troupe.persistence.blob.S3Bucket.Listed;
import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/**
 * Blobs as objects of a bucket:
 *
 * <pre>
 *   content/ab/abcdef…            content by digest; renewed when it is asked for after some hours
 *   payload/bl-…                  payloads
 *   parts/bl-…/1, 1.md5, 2, …     parts of payloads that are not whole yet, and their size and MD5
 *   parts/bl-…/joined             what was answered when they were joined
 * </pre>
 *
 * An object is there whole or not at all. Small content that was read lately is kept in memory too:
 * starts of containers read it again and again.
 */
final class S3BlobStore implements BlobStore {

  private static final System.Logger LOG = System.getLogger(S3BlobStore.class.getName());
  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");
  private static final String CONTENT = "content/";
  private static final String PAYLOAD = "payload/";

  /** Younger content is as good as touched: no sweep looks at it within a day. */
  private static final Duration FRESH = Duration.ofHours(6);

  /** Objects that S3 lists in one answer. */
  private static final int PAGE = 1000;

  /** What S3 copies in one request. */
  private static final long COPIED_BYTES = 5L << 30;

  private final S3Bucket bucket;
  private final S3Uploads uploads;
  private final S3Parts parts;
  private final SmallContent small = new SmallContent();
  private final InstantSource clock;

  /** Where {@link #payloadsOlderThan} stopped last. */
  private volatile String lastGiven = "";

  S3BlobStore(S3Bucket bucket, S3Uploads uploads, InstantSource clock) {
    this.bucket = bucket;
    this.uploads = uploads;
    this.parts = new S3Parts(bucket, uploads);
    this.clock = clock;
  }

  static String payload(BlobId blob) {
    return PAYLOAD + blob.value();
  }

  private static String content(String sha256) {
    if (!SHA256.matcher(sha256).matches()) {
      throw new IllegalArgumentException(
          "'%.80s' is no SHA-256 in lower-case hexadecimal".formatted(sha256));
    }
    return CONTENT + sha256.substring(0, 2) + "/" + sha256;
  }

  @Override
  public void putContent(String sha256Hex, InputStream bytes) throws IOException {
    uploads.write(
        content(sha256Hex),
        bytes,
        "SHA-256",
        digested -> {
          if (!digested.hex().equals(sha256Hex)) {
            throw new DigestMismatch(sha256Hex, digested.hex());
          }
        });
  }

  @Override
  public Set<String> missingContent(Collection<String> sha256Hex) throws IOException {
    sha256Hex.forEach(S3BlobStore::content);
    Set<String> missing = ConcurrentHashMap.newKeySet();
    AtOnce.each(
        sha256Hex,
        sha256 -> {
          if (!touch(content(sha256))) {
            missing.add(sha256);
          }
        });
    Set<String> ordered = new LinkedHashSet<>(sha256Hex);
    ordered.retainAll(missing);
    return ordered;
  }

  private boolean touch(String key) throws IOException {
    Optional<Head> head = bucket.head(key);
    if (head.isPresent()
        && head.get().modified().isBefore(clock.instant().minus(FRESH))
        && head.get().sizeBytes() <= COPIED_BYTES) {
      try {
        bucket.renew(key);
      } catch (FileNotFoundException sweptMeanwhile) {
        return false;
      }
    }
    return head.isPresent();
  }

  @Override
  public InputStream open(String sha256Hex) throws IOException {
    String key = content(sha256Hex);
    Optional<byte[]> kept = small.get(sha256Hex);
    if (kept.isPresent()) {
      return new ByteArrayInputStream(kept.get());
    }
    S3Download download = download(key, "no content has the digest " + sha256Hex);
    long sizeBytes = download.left();
    InputStream checked =
        new CheckedContent(download, sha256Hex, () -> remove(key, download.etag()));
    if (!SmallContent.takes(sizeBytes)) {
      return checked;
    }
    try (checked) {
      byte[] bytes = checked.readAllBytes();
      small.put(sha256Hex, bytes);
      return new ByteArrayInputStream(bytes);
    }
  }

  private void remove(String key, String etag) throws IOException {
    if (bucket.head(key).filter(head -> head.etag().equals(etag)).isPresent()) {
      bucket.delete(key);
    }
  }

  private S3Download download(String key, String otherwise) throws IOException {
    try {
      return S3Download.open(bucket, key, 0);
    } catch (FileNotFoundException missing) {
      throw missing(otherwise, missing);
    }
  }

  private static FileNotFoundException missing(String sentence, IOException cause) {
    var failure = new FileNotFoundException(sentence);
    failure.initCause(cause);
    return failure;
  }

  @Override
  public Written putPayload(BlobId blob, InputStream bytes) throws IOException {
    var digested = uploads.write(payload(blob), bytes, "MD5", _ -> {});
    return new Written(digested.sizeBytes(), digested.hex());
  }

  @Override
  public Written putPart(BlobId blob, int number, InputStream bytes) throws IOException {
    return parts.put(blob, number, bytes);
  }

  @Override
  public Written completeParts(BlobId blob, int count) throws IOException {
    return parts.join(blob, count);
  }

  @Override
  public Optional<Long> payloadSize(BlobId blob) throws IOException {
    return bucket.head(payload(blob)).map(Head::sizeBytes);
  }

  @Override
  public InputStream openPayload(BlobId blob, long offset) throws IOException {
    if (offset > 0 && payloadSize(blob).filter(size -> size <= offset).isPresent()) {
      return InputStream.nullInputStream();
    }
    try {
      return S3Download.open(bucket, payload(blob), offset);
    } catch (FileNotFoundException missing) {
      throw missing("there is no blob " + blob, missing);
    }
  }

  @Override
  public void deletePayloads(Collection<BlobId> blobs) throws IOException {
    AtOnce.each(
        blobs,
        blob -> {
          parts.delete(blob);
          bucket.delete(payload(blob));
        });
  }

  /**
   * Also gives up uploads that nobody completed. Successive calls go round, so that what is owned
   * does not hide orphans behind the limit; each reads as much of the list as it gives, and some.
   */
  @Override
  public List<BlobId> payloadsOlderThan(Instant before, int limit) throws IOException {
    try {
      bucket.abortBefore(before);
    } catch (Away refused) {
      // Not every server has it; the rest of the sweep needs it not.
      LOG.log(Level.WARNING, "Uploads that nobody completed stay: {0}", refused.getMessage());
    }
    Set<BlobId> given = new LinkedHashSet<>();
    for (BlobId idle : parts.idleSince(before)) {
      if (given.size() < limit / 2) {
        given.add(idle);
      }
    }
    for (int looks = limit / PAGE + 1; looks > 0 && given.size() < limit; looks--) {
      lastGiven = take(bucket.page(PAYLOAD, lastGiven), before, limit, given);
    }
    return new ArrayList<>(given);
  }

  /** Takes what is old, up to the limit; says where the next look begins. */
  private static String take(List<Listed> page, Instant before, int limit, Set<BlobId> given) {
    for (Listed object : page) {
      String name = object.key().substring(PAYLOAD.length());
      if (name.startsWith(BlobId.PREFIX) && object.modified().isBefore(before)) {
        given.add(new BlobId(name));
      }
      if (given.size() >= limit) {
        return object.key();
      }
    }
    return page.size() < PAGE ? "" : page.getLast().key();
  }
}
