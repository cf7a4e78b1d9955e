package dev.troupe.node.linux;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes and removes what is kept ahead of need, one thing after the other; nobody waits for it. */
public final class SpareWorker implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(SpareWorker.class);
  private static final long CLOSE_SECONDS = 30;

  private final String things;
  private final ExecutorService thread;
  private boolean closed;

  /**
   * @param things what it makes, for a word in the log
   */
  public SpareWorker(String things) {
    this.things = things;
    this.thread = Executors.newSingleThreadExecutor(Thread.ofVirtual().name(things).factory());
  }

  /** Does this when what came before is done; nothing once it is closed. */
  public synchronized void submit(Runnable work) {
    if (!closed) {
      thread.execute(work);
    }
  }

  /** Whether nothing more is taken. */
  public synchronized boolean isClosed() {
    return closed;
  }

  /** Takes no more, and waits a while for the rest; an interrupt is kept, and ends the wait. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
    }
    thread.shutdown();
    try {
      if (!thread.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
        LOG.warn("{} are still being removed", things);
      }
    } catch (InterruptedException hurry) {
      Thread.currentThread().interrupt();
    }
  }
}
