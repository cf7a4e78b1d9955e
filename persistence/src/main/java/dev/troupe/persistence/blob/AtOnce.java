package dev.troupe.persistence.blob;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/** Requests for each of many, several at one time: each waits for the network. */
final class AtOnce {

  private static final int WORKERS = 16;

  private AtOnce() {}

  /** What is done for one. */
  @FunctionalInterface
  interface Work<T> {
    /** Does it. */
    void on(T one) throws IOException;
  }

  /** Does the work for all; the first failure ends it. */
  static <T> void each(Collection<T> all, Work<T> work) throws IOException {
    if (all.size() == 1) {
      work.on(all.iterator().next());
      return;
    }
    Iterator<T> rest = all.iterator();
    List<Future<?>> workers = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < Math.min(WORKERS, all.size()); i++) {
        workers.add(
            threads.submit(
                () -> {
                  for (T one = next(rest); one != null; one = next(rest)) {
                    try {
                      work.on(one);
                    } catch (IOException | RuntimeException failed) {
                      drop(rest);
                      throw failed;
                    }
                  }
                  return null;
                }));
      }
    }
    for (Future<?> worker : workers) {
      result(worker);
    }
  }

  private static <T> @Nullable T next(Iterator<T> rest) {
    synchronized (rest) {
      return rest.hasNext() ? rest.next() : null;
    }
  }

  private static void drop(Iterator<?> rest) {
    synchronized (rest) {
      while (rest.hasNext()) {
        rest.next();
      }
    }
  }

  private static void result(Future<?> worker) throws IOException {
    try {
      worker.get();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IOException(interrupted);
    } catch (ExecutionException failed) {
      switch (failed.getCause()) {
        case IOException io -> throw io;
        case RuntimeException defect -> throw defect;
        case null, default -> throw new IOException(failed);
      }
    }
  }
}
