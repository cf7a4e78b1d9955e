package dev.troupe.gateway.service;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/** Runs what waits for a disk away from the threads that must not wait. */
public final class Blocking {

  private final Executor executor;

  /** Calls are made on this executor: one of virtual threads. */
  public Blocking(Executor executor) {
    this.executor = executor;
  }

  /** Something that waits for a disk. */
  @FunctionalInterface
  public interface Call<T> {
    T run() throws IOException;
  }

  /** The result of a call; its {@link IOException} is the failure of the stage. */
  public <T> CompletionStage<T> call(Call<T> call) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return call.run();
          } catch (IOException failed) {
            throw new CompletionException(failed);
          }
        },
        executor);
  }

  /** The result of a call that is known not to wait after all, made here and now. */
  public <T> CompletionStage<T> atOnce(Call<T> call) {
    try {
      return CompletableFuture.completedStage(call.run());
    } catch (IOException failed) {
      return CompletableFuture.failedFuture(failed);
    }
  }
}
