package dev.troupe.actors.testing;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/** A clock that moves when told to. Safe to read from any thread. */
public final class ManualClock implements InstantSource {

  private volatile Instant now = Instant.parse("2026-11-01T12:00:00Z");

  @Override
  public Instant instant() {
    return now;
  }

  /** Moves on. */
  public void advance(Duration step) {
    now = now.plus(step);
  }
}
