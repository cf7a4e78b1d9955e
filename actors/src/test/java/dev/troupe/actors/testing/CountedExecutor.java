package dev.troupe.actors.testing;

import com.typesafe.config.Config;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.dispatch.DispatcherPrerequisites;
import org.apache.pekko.dispatch.ExecutorServiceConfigurator;
import org.apache.pekko.dispatch.ExecutorServiceFactory;

/** Runs the actors of manual systems, and knows when none of them has anything left to do. */
public final class CountedExecutor extends ExecutorServiceConfigurator {

  private static final int THREADS = 4;
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Work WORK = new Work();

  /** Made by Pekko, which is told this class by name. */
  public CountedExecutor(Config config, DispatcherPrerequisites prerequisites) {
    super(config, prerequisites);
  }

  /** Waits until every message that was sent has been heard, and so all that followed from it. */
  static void awaitRest() {
    WORK.awaitNone();
  }

  @Override
  public ExecutorServiceFactory createExecutorServiceFactory(String id, ThreadFactory threads) {
    return () -> new Pool(threads);
  }

  private static final class Pool extends ThreadPoolExecutor {

    Pool(ThreadFactory threads) {
      super(THREADS, THREADS, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), threads);
    }

    @Override
    public void execute(Runnable task) {
      WORK.begin();
      try {
        super.execute(task);
      } catch (RejectedExecutionException late) {
        WORK.end(1);
        throw late;
      }
    }

    @Override
    protected void afterExecute(Runnable task, Throwable failure) {
      WORK.end(1);
    }

    @Override
    public List<Runnable> shutdownNow() {
      List<Runnable> dropped = super.shutdownNow();
      WORK.end(dropped.size());
      return dropped;
    }
  }

  private static final class Work {

    private int left;

    synchronized void begin() {
      left++;
    }

    synchronized void end(int count) {
      left -= count;
      notifyAll();
    }

    synchronized void awaitNone() {
      long deadline = System.nanoTime() + PATIENCE.toNanos();
      while (left > 0) {
        long patience = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
        if (patience <= 0) {
          throw new AssertionError("after " + PATIENCE + " actors are still busy: " + left);
        }
        try {
          wait(patience);
        } catch (InterruptedException e) {
          throw new AssertionError(e);
        }
      }
    }
  }
}
