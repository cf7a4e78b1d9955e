package dev.troupe.node.linux;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Runs a sweep of what is older than some age, on a thread of its own, until it is closed. */
public final class AgeTimer implements AutoCloseable {

  private static final Duration SELDOM = Duration.ofHours(1);
  private static final Duration OFTEN = Duration.ofSeconds(1);

  private final Duration pause;
  private final ScheduledExecutorService timer;

  /** For what is kept as long as {@code age}; the thread has this name. */
  public AgeTimer(String name, Duration age) {
    // An age of seconds is for trying it out; it is swept as often as that asks for.
    Duration tenth = age.dividedBy(10);
    this.pause = tenth.compareTo(SELDOM) > 0 ? SELDOM : tenth.compareTo(OFTEN) < 0 ? OFTEN : tenth;
    this.timer =
        Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name(name).factory());
  }

  /** Sweeps now, and once in a while. */
  public void startNow(Runnable sweep) {
    start(sweep, Duration.ZERO);
  }

  /** Sweeps once in a while, and not yet. */
  public void startLater(Runnable sweep) {
    start(sweep, pause);
  }

  private void start(Runnable sweep, Duration first) {
    var unused =
        timer.scheduleWithFixedDelay(
            sweep, first.toMillis(), pause.toMillis(), TimeUnit.MILLISECONDS);
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
