package dev.troupe.gateway.link;

import java.time.Duration;

/**
 * Whether a machine has been silent for too long. A pause of this process is not the machine's
 * silence: after one, its words may wait to be read.
 */
final class MachineWatch {

  private final Duration limit;
  private final Duration beat;
  private long lookedNanos;

  MachineWatch(Duration limit, Duration beat, long nowNanos) {
    this.limit = limit;
    this.beat = beat;
    this.lookedNanos = nowNanos;
  }

  /** Looks, once a beat. */
  boolean isLost(Duration silence, long nowNanos) {
    boolean paused = nowNanos - lookedNanos > beat.multipliedBy(2).toNanos();
    lookedNanos = nowNanos;
    return !paused && silence.compareTo(limit) > 0;
  }
}
