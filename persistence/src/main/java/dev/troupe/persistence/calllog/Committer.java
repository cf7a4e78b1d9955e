package dev.troupe.persistence.calllog;

import dev.troupe.actors.calllog.CallLog.Written;
import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.persistence.calllog.CommitRequest.Claim;
import dev.troupe.persistence.calllog.CommitRequest.Settle;
import dev.troupe.persistence.calllog.CommitRequest.Write;
import dev.troupe.persistence.store.StoreAway;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one writer of the call log in this process: any thread asks, one thread of its own commits,
 * in groups. Promises are kept on that thread: what hangs on them must be quick.
 */
final class Committer implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(Committer.class);
  private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(20);
  private static final String CLOSED = "the store is closed";

  /** Why nothing came of what waited when the store was closed. */
  static final String GONE = "the store was away when the server stopped";

  /** What the thread does. */
  interface Work {

    /** Takes what the queue has until it is drained, and then leaves nothing undone. */
    void run();

    /** A store that is away is not waited for any more; called by another thread. */
    void giveUp();
  }

  private final CommitQueue queue;
  private final Set<FunctionId> unsettled;
  private final Work work;
  private final Thread thread;

  /**
   * Starts the thread.
   *
   * @param unsettled functions with rows that are acknowledged and not in the tables, kept by the
   *     work and read by any thread
   */
  Committer(CommitQueue queue, Set<FunctionId> unsettled, Work work) {
    this.queue = queue;
    this.unsettled = unsettled;
    this.work = work;
    this.thread = Thread.ofPlatform().name("troupe-call-log").daemon(true).start(work::run);
  }

  /** Takes changes to be committed together. */
  CompletionStage<Written> write(FunctionId function, long epoch, List<LogWrite> changes) {
    Write write;
    try {
      write = Write.of(function, epoch, changes);
    } catch (IllegalArgumentException unfit) {
      log.error("A write to the call log failed", unfit);
      return CompletableFuture.completedStage(
          new Written.Failed(String.valueOf(unfit.getMessage())));
    }
    return switch (queue.offer(write)) {
      case TAKEN -> write.promise();
      case FULL -> CompletableFuture.completedStage(new Written.Overloaded());
      case CLOSED -> CompletableFuture.completedStage(new Written.Failed(CLOSED));
    };
  }

  /** Makes the caller owner of a function: gives its epoch, once all before is in the tables. */
  CompletionStage<Long> claim(FunctionId function) {
    return offer(new Claim(function, new CompletableFuture<>()), Claim::promise);
  }

  /** Done when all that was acknowledged of this function is in the tables. */
  CompletionStage<Void> settled(FunctionId function) {
    return unsettled.contains(function)
        ? offer(new Settle(function, new CompletableFuture<>()), Settle::promise)
        : CompletableFuture.completedStage(null);
  }

  /** Done when all that was acknowledged is in the tables. */
  CompletionStage<Void> settled() {
    return CompletableFuture.allOf(
        unsettled.stream()
            .map(function -> settled(function).toCompletableFuture())
            .toArray(CompletableFuture[]::new));
  }

  private <R extends CommitRequest, T> CompletionStage<T> offer(
      R request, Function<R, CompletableFuture<T>> promise) {
    return switch (queue.offer(request)) {
      case TAKEN -> promise.apply(request);
      case FULL -> CompletableFuture.failedStage(new StoreAway("too much waits for the store"));
      case CLOSED -> CompletableFuture.failedStage(new StoreAway(CLOSED));
    };
  }

  /** Commits what waits, unless the store is away, and ends. */
  @Override
  public void close() {
    queue.close();
    work.giveUp();
    boolean ended = false;
    try {
      ended = thread.join(CLOSE_PATIENCE);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
    if (!ended) {
      log.warn("The call log's last commit has not ended; leaving it");
    }
  }
}
