package dev.troupe.persistence.blob;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Small content that was read lately, by its digest; the one that was not read for longest goes.
 */
final class SmallContent {

  private static final long LARGEST_BYTES = 1 << 20;
  private static final long ALL_BYTES = 16 << 20;

  private final Map<String, byte[]> kept = new LinkedHashMap<>(16, 0.75f, true);
  private long bytes;

  static boolean takes(long sizeBytes) {
    return sizeBytes <= LARGEST_BYTES;
  }

  synchronized Optional<byte[]> get(String sha256) {
    return Optional.ofNullable(kept.get(sha256));
  }

  synchronized void put(String sha256, byte[] content) {
    byte[] before = kept.put(sha256, content);
    bytes += content.length - (before == null ? 0 : before.length);
    var oldest = kept.values().iterator();
    while (bytes > ALL_BYTES) {
      bytes -= oldest.next().length;
      oldest.remove();
    }
  }
}
