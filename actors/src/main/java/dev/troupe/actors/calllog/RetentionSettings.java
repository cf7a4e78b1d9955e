package dev.troupe.actors.calllog;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * Section {@code troupe.retention}: how long what is over is kept.
 *
 * @param results of calls that nobody took for the last time, those of spawned calls above all
 * @param taken results that their only reader took, and may ask for again
 * @param orphans payloads that no row owns, or not yet
 * @param logs segments of logs in the archive
 * @param logBytes what the archive keeps of one log, compressed
 * @param sweepInterval from the end of one sweep to the next
 */
public record RetentionSettings(
    Duration results,
    Duration taken,
    Duration orphans,
    Duration logs,
    long logBytes,
    Duration sweepInterval) {

  public RetentionSettings {
    if (!sweepInterval.isPositive()) {
      throw new IllegalArgumentException(
          "troupe.retention.sweep-interval is %s and must be longer".formatted(sweepInterval));
    }
  }

  /** Reads the section. */
  public static RetentionSettings from(Config troupe) {
    Config section = troupe.getConfig("retention");
    return new RetentionSettings(
        section.getDuration("results"),
        section.getDuration("taken"),
        section.getDuration("orphans"),
        section.getDuration("logs"),
        section.getBytes("log-limit"),
        section.getDuration("sweep-interval"));
  }
}
