package dev.troupe.persistence.calllog;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A time in which the store does not answer: growing pauses between attempts, and a word in the log
 * at its begin and its end. Used by one thread; any thread may give up.
 */
final class Outage {

  private static final Logger log = LoggerFactory.getLogger(Outage.class);

  private final Duration first;
  private final Duration last;
  private final CountDownLatch givenUp = new CountDownLatch(1);
  private long pauseMillis;

  Outage(Duration first, Duration last) {
    this.first = first;
    this.last = last;
  }

  /** Waits until the next attempt; true when there is to be none. */
  boolean pause(Exception reason) {
    if (pauseMillis == 0) {
      log.warn("The store of calls is away; writes wait", reason);
      pauseMillis = first.toMillis();
    } else {
      pauseMillis = Math.min(2 * pauseMillis, last.toMillis());
    }
    try {
      return givenUp.await(pauseMillis, TimeUnit.MILLISECONDS);
    } catch (InterruptedException nobodyShould) {
      Thread.currentThread().interrupt();
      return true;
    }
  }

  /** An attempt succeeded. */
  void over() {
    if (pauseMillis != 0) {
      pauseMillis = 0;
      log.info("The store of calls is back");
    }
  }

  /** Ends a pause that goes on, and every later one at once. */
  void giveUp() {
    givenUp.countDown();
  }
}
