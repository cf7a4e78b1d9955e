package dev.troupe.actors.function;

import java.time.Duration;
import java.time.Instant;

/**
 * Whether a function may start containers now: after starts that failed it pauses, each time for
 * twice as long. Pure.
 */
final class CrashLoop {

  /** Failed starts in a row after which what waits is told so. */
  static final int MOST_FAILURES = 3;

  static final Duration FIRST_PAUSE = Duration.ofMillis(200);
  static final Duration LONGEST_PAUSE = Duration.ofSeconds(60);

  // After this long without one, a failure is the first of a row.
  private static final Duration MEMORY = Duration.ofMinutes(5);

  private int failures;
  private Instant lastFailure = Instant.MIN;
  private Instant noStartBefore = Instant.MIN;

  /** A container failed before it was of use; true once that happened too often in a row. */
  boolean failed(Instant now) {
    if (lastFailure.isBefore(now.minus(MEMORY))) {
      failures = 0;
    }
    failures++;
    lastFailure = now;
    long doubled = FIRST_PAUSE.toMillis() << Math.min(failures - 1, 20);
    noStartBefore = now.plusMillis(Math.min(doubled, LONGEST_PAUSE.toMillis()));
    return failures >= MOST_FAILURES;
  }

  /** A container was of use, or there is another definition: the row is over. */
  void over() {
    failures = 0;
    noStartBefore = Instant.MIN;
  }

  boolean mayStart(Instant now) {
    return !now.isBefore(noStartBefore);
  }
}
