package dev.troupe.node.log;

import dev.troupe.node.linux.AgeTimer;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Forgets what is too old, at the start and once in a while. */
public final class LogSweeper implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(LogSweeper.class);

  private final LogBook book;
  private final Duration age;
  private final AgeTimer timer;

  private LogSweeper(LogBook book, Duration age) {
    this.book = book;
    this.age = age;
    this.timer = new AgeTimer("log-sweeper", age);
  }

  /** Keeps what a book has no longer than {@code age}. */
  public static LogSweeper start(LogBook book, Duration age) {
    LogSweeper sweeper = new LogSweeper(book, age);
    sweeper.timer.startNow(sweeper::sweep);
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
    timer.close();
  }
}
