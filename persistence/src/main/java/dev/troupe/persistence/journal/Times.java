package dev.troupe.persistence.journal;

import java.time.Duration;
import java.time.temporal.ChronoUnit;

/** Durations as the journal keeps them: microseconds, like its times. */
final class Times {

  static long micros(Duration duration) {
    return Math.addExact(
        Math.multiplyExact(duration.getSeconds(), 1_000_000L), duration.getNano() / 1000);
  }

  static Duration duration(long micros) {
    return Duration.of(micros, ChronoUnit.MICROS);
  }

  private Times() {}
}
