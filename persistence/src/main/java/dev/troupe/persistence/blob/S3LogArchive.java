package dev.troupe.persistence.blob;

import dev.troupe.actors.log.LogArchive;
import dev.troupe.persistence.blob.S3Bucket.Head;
import dev.troupe.persistence.blob.S3Bucket.Listed;
import dev.troupe.persistence.blob.SegmentNames.Stored;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.GZIPInputStream;

/**
 * Segments as objects of a bucket, below {@code logs/}; {@link SegmentNames} says how they are
 * named.
 */
final class S3LogArchive implements LogArchive {

  private static final String LOGS = "logs/";

  /** Metadata: the bytes of what was compressed. */
  private static final String LENGTH = "length";

  private final S3Bucket bucket;

  S3LogArchive(S3Bucket bucket) {
    this.bucket = bucket;
  }

  /** A machine sends one segment at a time, so nobody comes between the look and the put. */
  @Override
  public void put(Segment segment, byte[] gzip) throws IOException {
    long length = SegmentNames.length(ByteBuffer.wrap(gzip));
    Optional<Head> before = bucket.head(key(segment));
    if (before.isEmpty()
        || Long.parseLong(before.get().metadata().getOrDefault(LENGTH, "0")) < length) {
      bucket.put(key(segment), gzip, Map.of(LENGTH, Long.toString(length)));
    }
  }

  @Override
  public List<Segment> list(String log) throws IOException {
    List<Stored<String>> kept = new ArrayList<>();
    String folder = LOGS + log + "/";
    List<Listed> page = bucket.page(folder, "");
    while (!page.isEmpty()) {
      page.forEach(object -> stored(object).ifPresent(kept::add));
      page = bucket.page(folder, page.getLast().key());
    }
    return SegmentNames.ordered(kept);
  }

  private static Optional<Stored<String>> stored(Listed object) {
    String[] names = object.key().split("/", -1);
    if (names.length != 4) {
      return Optional.empty();
    }
    return SegmentNames.parse(names[1], names[2], names[3])
        .map(segment -> new Stored<>(segment, object.key(), object.sizeBytes(), object.modified()));
  }

  @Override
  public InputStream open(Segment segment) throws IOException {
    InputStream object;
    try {
      object = S3Download.open(bucket, key(segment), 0);
    } catch (FileNotFoundException gone) {
      var missing = new FileNotFoundException("there is no " + segment);
      missing.initCause(gone);
      throw missing;
    }
    try {
      return new GZIPInputStream(object, 1 << 16);
    } catch (IOException damaged) {
      object.close();
      throw damaged;
    }
  }

  /** The segments of a log come one after another, so one log at a time is in memory. */
  @Override
  public void sweep(Instant oldest, long mostBytes) throws IOException {
    List<Stored<String>> log = new ArrayList<>();
    List<Listed> page = bucket.page(LOGS, "");
    while (!page.isEmpty()) {
      for (Listed object : page) {
        Optional<Stored<String>> stored = stored(object);
        if (stored.isEmpty()) {
          continue;
        }
        if (!log.isEmpty() && !of(log).equals(stored.get().segment().log())) {
          sweep(log, oldest, mostBytes);
          log.clear();
        }
        log.add(stored.get());
      }
      page = bucket.page(LOGS, page.getLast().key());
    }
    sweep(log, oldest, mostBytes);
  }

  private static String of(List<Stored<String>> log) {
    return log.getFirst().segment().log();
  }

  private void sweep(List<Stored<String>> log, Instant oldest, long mostBytes) throws IOException {
    AtOnce.each(SegmentNames.over(log, oldest, mostBytes), over -> bucket.delete(over.place()));
  }

  private static String key(Segment segment) {
    return LOGS
        + segment.log()
        + "/"
        + SegmentNames.folder(segment)
        + "/"
        + SegmentNames.file(segment);
  }
}
