package dev.troupe.node.log;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Forgets what is too old, at the start and once in a while. */
public final class LogSweeper implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(LogSweeper.class);
  private static final Duration SELDOM = Duration.ofHours(1);
  private static final Duration OFTEN = Duration.ofSeconds(1);

  private final LogBook book;
  private final Duration age;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("log-sweeper").factory());

  private LogSweeper(LogBook book, Duration age) {
    this.book = book;
    this.age = age;
  }

  /** Keeps what a book has no longer than {@code age}. */
  public static LogSweeper start(LogBook book, Duration age) {
    LogSweeper sweeper = new LogSweeper(book, age);
    // An age of seconds is for trying it out; it is swept as often as that asks for.
    Duration tenth = age.dividedBy(10);
    Duration pause =
        tenth.compareTo(SELDOM) > 0 ? SELDOM : tenth.compareTo(OFTEN) < 0 ? OFTEN : tenth;
    var unused =
        sweeper.timer.scheduleWithFixedDelay(
            sweeper::sweep, 0, pause.toMillis(), TimeUnit.MILLISECONDS);
    return sweeper;
  }

  private void sweep() {
    try {
      book.sweep(Instant.now().minus(age));
    } catch (IOException | RuntimeException failure) {
      LOG.warn("old logs could not be removed", failure);
    }
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
