package dev.troupe.persistence.blob;

import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.log.LogIntake.Segment;
import java.io.IOException;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How segments of logs are named where they are kept, which is their index, and which of them are
 * over:
 *
 * <pre>
 *   ap-…/m-MACHINE/FIRST-TIME.gz     by the number and the time of the first line
 * </pre>
 */
final class SegmentNames {

  private static final Pattern NAME = Pattern.compile("([0-9]{1,19})-([0-9]{1,19})\\.gz");
  private static final String MACHINE = "m-";

  /** The length of what was compressed is the last word of a gzip file. */
  static final int LENGTH_BYTES = Integer.BYTES;

  private static final Comparator<Stored<?>> BY_AGE =
      Comparator.<Stored<?>>comparingLong(stored -> stored.segment().firstTimeUs())
          .thenComparingLong(stored -> stored.segment().first());

  private SegmentNames() {}

  /** A segment as it is kept at a place. */
  record Stored<P>(Segment segment, P place, long sizeBytes, Instant sent) {}

  /** The folder of a segment's machine, in that of its log. */
  static String folder(Segment segment) {
    return MACHINE + URLEncoder.encode(segment.machine().value(), StandardCharsets.UTF_8);
  }

  static String file(Segment segment) {
    return segment.first() + "-" + segment.firstTimeUs() + ".gz";
  }

  /** The segment of these names; empty where they are none of a segment. */
  static Optional<Segment> parse(String log, String folder, String file) {
    Matcher matcher = NAME.matcher(file);
    if (!folder.startsWith(MACHINE) || !matcher.matches()) {
      return Optional.empty();
    }
    String machine = URLDecoder.decode(folder.substring(MACHINE.length()), StandardCharsets.UTF_8);
    return Optional.of(
        new Segment(
            log,
            new MachineId(machine),
            Long.parseLong(matcher.group(1)),
            Long.parseLong(matcher.group(2))));
  }

  /** Bytes of what was compressed, from the end of a gzip file. */
  static long length(ByteBuffer gzip) throws IOException {
    if (gzip.remaining() < LENGTH_BYTES) {
      throw new IOException("a segment of a log came without its end");
    }
    return Integer.toUnsignedLong(
        gzip.order(ByteOrder.LITTLE_ENDIAN).getInt(gzip.limit() - LENGTH_BYTES));
  }

  /** The segments in the order of their first numbers. */
  static <P> List<Segment> ordered(List<Stored<P>> kept) {
    return kept.stream()
        .map(Stored::segment)
        .sorted(Comparator.comparingLong(Segment::first))
        .toList();
  }

  /** Of one log: what was sent before {@code oldest}, and the oldest of what is too much. */
  static <P> List<Stored<P>> over(List<Stored<P>> kept, Instant oldest, long mostBytes) {
    List<Stored<P>> sorted = new ArrayList<>(kept);
    sorted.sort(BY_AGE);
    long bytes = sorted.stream().mapToLong(Stored::sizeBytes).sum();
    List<Stored<P>> over = new ArrayList<>();
    for (Stored<P> one : sorted) {
      if (one.sent().isBefore(oldest) || bytes > mostBytes) {
        bytes -= one.sizeBytes();
        over.add(one);
      }
    }
    return over;
  }
}
