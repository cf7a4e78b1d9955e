package dev.troupe.actors.function;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What users are told while containers wait for capacity: each reason once, and no more than one
 * every half minute, however many containers wait and however often the numbers change. Pure.
 */
final class WaitNotice {

  static final Duration PERIOD = Duration.ofSeconds(30);

  private @Nullable String said;
  private Instant saidAt = Instant.MIN;

  /** Whether users are to be told this now. */
  boolean isNews(String reason, Instant now) {
    if (reason.equals(said) || now.isBefore(saidAt.plus(PERIOD))) {
      return false;
    }
    said = reason;
    saidAt = now;
    return true;
  }

  /** The wait is over: the next one is told of whatever its reason. */
  void over() {
    said = null;
  }
}
