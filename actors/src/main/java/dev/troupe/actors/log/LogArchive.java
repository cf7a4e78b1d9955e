package dev.troupe.actors.log;

import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.List;

/**
 * Segments of logs that the machines have sent, of those that are gone, too. The names of what is
 * kept are the index. Blocking.
 */
public interface LogArchive extends LogIntake {

  /** The segments of a log, in the order of their first numbers. */
  List<Segment> list(String log) throws IOException;

  /**
   * The lines of a segment, no longer compressed; an error in the middle where they are damaged.
   *
   * @throws java.io.FileNotFoundException when it has gone meanwhile
   */
  InputStream open(Segment segment) throws IOException;

  /**
   * Forgets segments that were last sent before {@code oldest}, and the oldest of a log by size.
   */
  void sweep(Instant oldest, long mostBytes) throws IOException;
}
