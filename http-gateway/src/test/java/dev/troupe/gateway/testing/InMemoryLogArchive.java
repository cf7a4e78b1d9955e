package dev.troupe.gateway.testing;

import dev.troupe.actors.log.LogArchive;
import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.zip.GZIPInputStream;

/** Segments in memory. */
public final class InMemoryLogArchive implements LogArchive {

  private final Map<Segment, byte[]> segments = new ConcurrentHashMap<>();

  @Override
  public void put(Segment segment, byte[] gzip) {
    segments.put(segment, gzip);
  }

  @Override
  public List<Segment> list(String log) {
    return segments.keySet().stream()
        .filter(segment -> segment.log().equals(log))
        .sorted(Comparator.comparingLong(Segment::first))
        .toList();
  }

  @Override
  public InputStream open(Segment segment) throws IOException {
    byte[] gzip = segments.get(segment);
    if (gzip == null) {
      throw new FileNotFoundException(segment.toString());
    }
    return new GZIPInputStream(new ByteArrayInputStream(gzip));
  }

  @Override
  public void sweep(Instant oldest, long mostBytes) {}
}
