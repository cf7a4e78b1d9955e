package dev.troupe.launcher;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import sun.misc.Signal;

/**
 * The signals that end a process: the first lets it end well, within a time, the second ends it at
 * once.
 */
final class Signals {

  /** The longest an end may take. */
  private static final Duration END_PATIENCE = Duration.ofSeconds(25);

  /** The longest that ending at once may take. */
  private static final Duration KILL_PATIENCE = Duration.ofSeconds(4);

  private final CountDownLatch toEnd = new CountDownLatch(1);
  private final Runnable kill;

  private Signals(Runnable kill) {
    this.kill = kill;
  }

  /** Listens from now on; {@code kill} is what is done at once at the second signal. */
  static Signals listen(Runnable kill) {
    Signals signals = new Signals(kill);
    for (String name : new String[] {"INT", "TERM"}) {
      Signal.handle(new Signal(name), _ -> signals.heard());
    }
    return signals;
  }

  private void heard() {
    if (toEnd.getCount() == 0) {
      Thread.ofPlatform()
          .daemon()
          .start(() -> haltAfter(KILL_PATIENCE, 130, "Killing the containers took too long."));
      kill.run();
      Runtime.getRuntime().halt(130);
    }
    end();
  }

  /** Ends it without a signal. */
  void end() {
    toEnd.countDown();
  }

  /** Waits for the first signal; from then on the process ends, whatever hangs. */
  void await() throws InterruptedException {
    toEnd.await();
    Thread.ofPlatform()
        .daemon()
        .start(() -> haltAfter(END_PATIENCE, 1, "Not everything ended in time; ending anyway."));
  }

  private static void haltAfter(Duration patience, int status, String why) {
    try {
      Thread.sleep(patience);
    } catch (InterruptedException early) {
      Thread.currentThread().interrupt();
      return;
    }
    System.err.println(why);
    Runtime.getRuntime().halt(status);
  }
}
