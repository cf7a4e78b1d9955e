package dev.troupe.actors.log;

import dev.troupe.actors.id.MachineId;
import java.io.IOException;
import java.util.regex.Pattern;

/**
 * Where agents send the segments of their logs. The embedded agent writes to the archive itself,
 * one on a machine of its own asks a gateway. Blocking.
 */
@FunctionalInterface
public interface LogIntake {

  /** Path of segments on a gateway, before {@code LOG/FIRST-TIME}. */
  String PATH = "/_troupe/logs/";

  /** The longest segment that is taken, compressed. */
  int LARGEST_BYTES = 16 << 20;

  /**
   * A stretch of a log on one machine, and its place in the order of all that the machine printed.
   *
   * @param log id of an app, or of an image that was built
   * @param first number of its first line; no two segments of a machine have the same
   * @param firstTimeUs time of its first line, in microseconds
   */
  record Segment(String log, MachineId machine, long first, long firstTimeUs) {

    private static final Pattern LOG = Pattern.compile("(ap|im)-[0-9A-Za-z]{1,76}");

    public Segment {
      if (!LOG.matcher(log).matches() || first < 0 || firstTimeUs < 0) {
        throw new IllegalArgumentException(
            "'%.80s', line %d, is no segment of a log".formatted(log, first));
      }
    }
  }

  /**
   * Keeps a segment, or what there is of it so far, compressed with gzip: lines as {@code LogLine}s
   * behind their lengths. It is on disk when this returns, and seen whole or not at all. A longer
   * one takes the place of a shorter one; a shorter one changes nothing, so repeats are harmless.
   */
  void put(Segment segment, byte[] gzip) throws IOException;
}
