package dev.troupe.persistence.blob;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.troupe.actors.blob.BlobStore.Written;
import dev.troupe.actors.id.BlobId;
import dev.troupe.persistence.blob.S3Bucket.Listed;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import software.amazon.awssdk.services.s3.model.CompletedPart;

/**
 * Payloads that come in parts, each an object of its own with a note of its size and MD5 beside it,
 * since S3's own tag of a big object is another. S3 joins them where they lie. The answer to a join
 * is kept in the parts' place, for a repeat.
 */
final class S3Parts {

  private static final String PARTS = "parts/";
  private static final String JOINED = "joined";
  private static final String NOTE = ".md5";

  /** S3 joins no smaller parts, but for the last. */
  private static final long SMALLEST_JOINED_BYTES = 5 << 20;

  private final S3Bucket bucket;
  private final S3Uploads uploads;

  S3Parts(S3Bucket bucket, S3Uploads uploads) {
    this.bucket = bucket;
    this.uploads = uploads;
  }

  private static String folder(BlobId blob) {
    return PARTS + blob.value() + "/";
  }

  Written put(BlobId blob, int number, InputStream bytes) throws IOException {
    PartFiles.checkNumber(number);
    String key = folder(blob) + number;
    var digested = uploads.write(key, bytes, "MD5", _ -> {});
    Written written = new Written(digested.sizeBytes(), digested.hex());
    note(key + NOTE, written);
    return written;
  }

  Written join(BlobId blob, int count) throws IOException {
    PartFiles.checkNumber(count);
    Optional<Written> before = noted(folder(blob) + JOINED);
    if (before.isPresent()) {
      return before.get();
    }
    Map<Integer, Written> parts = parts(blob, count);
    Written whole =
        new Written(parts.values().stream().mapToLong(Written::sizeBytes).sum(), md5(parts));
    boolean big =
        parts.values().stream()
            .limit(count - 1L)
            .allMatch(part -> part.sizeBytes() >= SMALLEST_JOINED_BYTES);
    if (big && parts.values().stream().allMatch(part -> part.sizeBytes() > 0)) {
      copy(blob, count);
    } else {
      send(blob, count);
    }
    note(folder(blob) + JOINED, whole);
    for (Listed object : bucket.page(folder(blob), "")) {
      if (!object.key().endsWith("/" + JOINED)) {
        bucket.delete(object.key());
      }
    }
    return whole;
  }

  private Map<Integer, Written> parts(BlobId blob, int count) throws IOException {
    Map<Integer, Written> found = Collections.synchronizedMap(new LinkedHashMap<>());
    List<Integer> numbers = IntStream.rangeClosed(1, count).boxed().toList();
    AtOnce.each(
        numbers,
        number -> noted(folder(blob) + number + NOTE).ifPresent(note -> found.put(number, note)));
    Map<Integer, Written> parts = new LinkedHashMap<>();
    for (int number : numbers) {
      Written part = found.get(number);
      if (part == null) {
        throw new FileNotFoundException(
            "part %d of %d of blob %s was not sent".formatted(number, count, blob));
      }
      parts.put(number, part);
    }
    return parts;
  }

  private static String md5(Map<Integer, Written> parts) {
    MessageDigest whole = Aside.digest("MD5");
    parts.values().forEach(part -> whole.update(HexFormat.of().parseHex(part.md5Hex())));
    return HexFormat.of().formatHex(whole.digest());
  }

  private void copy(BlobId blob, int count) throws IOException {
    String key = S3BlobStore.payload(blob);
    String upload = bucket.begin(key);
    CompletedPart[] copied = new CompletedPart[count];
    AtOnce.each(
        IntStream.rangeClosed(1, count).boxed().toList(),
        number -> copied[number - 1] = bucket.copyPart(key, upload, number, folder(blob) + number));
    bucket.complete(key, upload, List.of(copied));
  }

  private void send(BlobId blob, int count) throws IOException {
    List<InputStream> parts = new ArrayList<>();
    try {
      for (int number = 1; number <= count; number++) {
        parts.add(S3Download.open(bucket, folder(blob) + number, 0));
      }
      uploads.write(
          S3BlobStore.payload(blob),
          new SequenceInputStream(Collections.enumeration(parts)),
          "MD5",
          _ -> {});
    } finally {
      for (InputStream part : parts) {
        part.close();
      }
    }
  }

  private void note(String key, Written written) throws IOException {
    String words = written.sizeBytes() + " " + written.md5Hex() + "\n";
    bucket.put(key, words.getBytes(UTF_8), Map.of());
  }

  private Optional<Written> noted(String key) throws IOException {
    try (InputStream note = S3Download.open(bucket, key, 0)) {
      String[] words = new String(note.readAllBytes(), UTF_8).strip().split(" ", -1);
      return Optional.of(new Written(Long.parseLong(words[0]), words[1]));
    } catch (FileNotFoundException none) {
      return Optional.empty();
    }
  }

  /** Blobs whose parts, or their join, nobody touched since {@code before}. */
  List<BlobId> idleSince(Instant before) throws IOException {
    Map<BlobId, Boolean> idle = new LinkedHashMap<>();
    List<Listed> page = bucket.page(PARTS, "");
    while (!page.isEmpty()) {
      for (Listed object : page) {
        String name = object.key().substring(PARTS.length()).replaceFirst("/.*", "");
        if (name.startsWith(BlobId.PREFIX)) {
          idle.merge(new BlobId(name), object.modified().isBefore(before), Boolean::logicalAnd);
        }
      }
      page = bucket.page(PARTS, page.getLast().key());
    }
    return idle.keySet().stream().filter(idle::get).toList();
  }

  void delete(BlobId blob) throws IOException {
    List<Listed> page = bucket.page(folder(blob), "");
    while (!page.isEmpty()) {
      for (Listed object : page) {
        bucket.delete(object.key());
      }
      page = bucket.page(folder(blob), page.getLast().key());
    }
  }
}
