package dev.troupe.gateway.testing;

import dev.troupe.actors.blob.BlobStore;
import dev.troupe.actors.id.BlobId;
import dev.troupe.actors.id.Ids;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.Collection;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A blob store that forgets with the process. */
public final class InMemoryBlobStore implements BlobStore {

  private final Map<String, byte[]> content = new ConcurrentHashMap<>();
  private final Map<BlobId, byte[]> payloads = new ConcurrentHashMap<>();
  private final Map<String, byte[]> parts = new ConcurrentHashMap<>();

  private volatile boolean away;

  /** The payloads that are here. */
  public Set<BlobId> payloads() {
    return Set.copyOf(payloads.keySet());
  }

  @Override
  public void putContent(String sha256Hex, InputStream bytes) throws IOException {
    byte[] all = bytes.readAllBytes();
    String actual = HexFormat.of().formatHex(Ids.sha256().digest(all));
    if (!actual.equals(sha256Hex)) {
      throw new DigestMismatch(sha256Hex, actual);
    }
    content.put(sha256Hex, all);
  }

  @Override
  public InputStream open(String sha256Hex) throws IOException {
    return stream(content.get(sha256Hex), 0);
  }

  @Override
  public Set<String> missingContent(Collection<String> sha256Hex) {
    Set<String> missing = new HashSet<>(sha256Hex);
    missing.removeAll(content.keySet());
    return missing;
  }

  @Override
  public Written putPayload(BlobId blob, InputStream bytes) throws IOException {
    byte[] all = bytes.readAllBytes();
    payloads.put(blob, all);
    return written(all);
  }

  @Override
  public Written putPart(BlobId blob, int number, InputStream bytes) throws IOException {
    byte[] all = bytes.readAllBytes();
    parts.put(blob + "/" + number, all);
    return written(all);
  }

  @Override
  public Written completeParts(BlobId blob, int count) throws IOException {
    ByteArrayOutputStream whole = new ByteArrayOutputStream();
    MessageDigest md5s = md5();
    for (int number = 1; number <= count; number++) {
      byte[] part = parts.get(blob + "/" + number);
      if (part == null) {
        throw new FileNotFoundException("part " + number);
      }
      whole.write(part);
      md5s.update(md5().digest(part));
    }
    payloads.put(blob, whole.toByteArray());
    return new Written(whole.size(), HexFormat.of().formatHex(md5s.digest()));
  }

  /** Whether it says that it is away when it is asked for a payload. */
  public void away(boolean isAway) {
    away = isAway;
  }

  @Override
  public Optional<Long> payloadSize(BlobId blob) throws IOException {
    if (away) {
      throw new Away("The blob store can't be reached now", new IOException("test"));
    }
    byte[] bytes = payloads.get(blob);
    return bytes == null ? Optional.empty() : Optional.of((long) bytes.length);
  }

  @Override
  public InputStream openPayload(BlobId blob, long offset) throws IOException {
    return stream(payloads.get(blob), (int) offset);
  }

  @Override
  public void deletePayloads(Collection<BlobId> blobs) {
    payloads.keySet().removeAll(blobs);
  }

  @Override
  public List<BlobId> payloadsOlderThan(Instant before, int limit) {
    return List.of();
  }

  private static InputStream stream(byte @org.jspecify.annotations.Nullable [] bytes, int offset)
      throws FileNotFoundException {
    if (bytes == null) {
      throw new FileNotFoundException();
    }
    return new ByteArrayInputStream(bytes, offset, bytes.length - offset);
  }

  private static Written written(byte[] bytes) {
    return new Written(bytes.length, HexFormat.of().formatHex(md5().digest(bytes)));
  }

  private static MessageDigest md5() {
    try {
      return MessageDigest.getInstance("MD5");
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
