package dev.troupe.persistence.store;

import java.sql.SQLException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;

/**
 * Runs what waits for the database on virtual threads, one each. How many are in the database at
 * once is bounded by the connections of its pool, how long one waits for a connection by the pool's
 * patience.
 */
public final class BlockingReads implements AutoCloseable {

  private final ExecutorService threads =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("troupe-store-", 0).factory());

  /** Something that asks a database. */
  @FunctionalInterface
  public interface Read<T> {
    T run() throws SQLException;
  }

  /** Starts a read; its stage fails with {@link StoreAway} where the database could not. */
  public <T> CompletionStage<T> start(Read<T> read) {
    CompletableFuture<T> promise = new CompletableFuture<>();
    try {
      threads.execute(() -> run(read, promise));
    } catch (RejectedExecutionException closed) {
      promise.completeExceptionally(new StoreAway("the store is closed", closed));
    }
    return promise;
  }

  private static <T> void run(Read<T> read, CompletableFuture<T> promise) {
    try {
      promise.complete(read.run());
    } catch (SQLException failure) {
      promise.completeExceptionally(
          SqlFailures.isAway(failure)
              ? new StoreAway("the store can't be read now: " + failure.getMessage(), failure)
              : new IllegalStateException("a read of the store failed", failure));
    } catch (RuntimeException | Error bug) {
      promise.completeExceptionally(bug);
    }
  }

  /** Waits for the reads that run. */
  @Override
  public void close() {
    threads.close();
  }
}
