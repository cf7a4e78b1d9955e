package dev.troupe.gateway.testing;

import dev.troupe.actors.blob.BlobStore;
import dev.troupe.actors.id.BlobId;
import dev.troupe.actors.id.Ids;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A blob store in memory. */
public final class InMemoryBlobs implements BlobStore {

  private final Map<String, byte[]> content = new ConcurrentHashMap<>();
  private final Map<BlobId, byte[]> payloads = new ConcurrentHashMap<>();
  private final Map<BlobId, TreeMap<Integer, byte[]>> parts = new ConcurrentHashMap<>();

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
  public Set<String> missingContent(Collection<String> sha256Hex) {
    return sha256Hex.stream()
        .filter(digest -> !content.containsKey(digest))
        .collect(Collectors.toUnmodifiableSet());
  }

  @Override
  public Written putPayload(BlobId blob, InputStream bytes) throws IOException {
    byte[] all = bytes.readAllBytes();
    payloads.put(blob, all);
    return new Written(all.length, "");
  }

  @Override
  public Written putPart(BlobId blob, int number, InputStream bytes) throws IOException {
    byte[] all = bytes.readAllBytes();
    parts.computeIfAbsent(blob, _ -> new TreeMap<>()).put(number, all);
    return new Written(all.length, "");
  }

  @Override
  public Written completeParts(BlobId blob, int count) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts.getOrDefault(blob, new TreeMap<>()).values()) {
      all.write(part);
    }
    return putPayload(blob, new ByteArrayInputStream(all.toByteArray()));
  }

  @Override
  public Optional<Long> payloadSize(BlobId blob) {
    return Optional.ofNullable(payloads.get(blob)).map(bytes -> (long) bytes.length);
  }

  @Override
  public InputStream openPayload(BlobId blob, long offset) throws IOException {
    byte[] bytes = found(blob.value(), payloads.get(blob));
    return new ByteArrayInputStream(bytes, (int) offset, bytes.length - (int) offset);
  }

  @Override
  public void deletePayloads(Collection<BlobId> blobs) {
    blobs.forEach(payloads::remove);
  }

  @Override
  public List<BlobId> payloadsOlderThan(Instant before, int limit) {
    return payloads.keySet().stream().limit(limit).toList();
  }

  @Override
  public InputStream open(String sha256Hex) throws IOException {
    return new ByteArrayInputStream(found(sha256Hex, content.get(sha256Hex)));
  }

  private static byte[] found(String name, byte @Nullable [] bytes) throws FileNotFoundException {
    if (bytes == null) {
      throw new FileNotFoundException(name);
    }
    return bytes;
  }
}
