package dev.troupe.persistence.calllog;

import dev.troupe.actors.calllog.CallLog.Written;
import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.actors.id.FunctionId;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** One caller's wish to the committer, and the promise it waits on. */
sealed interface CommitRequest {

  /** What it weighs while it waits. */
  long sizeBytes();

  /** Breaks the promise, where it was not kept yet. */
  void fail(Throwable why);

  /** Changes of one function, by the owner with this epoch. */
  record Write(
      FunctionId function,
      long epoch,
      List<LogWrite> changes,
      long sizeBytes,
      CompletableFuture<Written> promise)
      implements CommitRequest {

    static Write of(FunctionId function, long epoch, List<LogWrite> changes) {
      long size = changes.stream().mapToLong(LogWrite::sizeBytes).sum();
      return new Write(function, epoch, List.copyOf(changes), size, new CompletableFuture<>());
    }

    @Override
    public void fail(Throwable why) {
      promise.complete(new Written.Failed(String.valueOf(why)));
    }
  }

  /** A new owner of a function. */
  record Claim(FunctionId function, CompletableFuture<Long> promise) implements CommitRequest {

    @Override
    public long sizeBytes() {
      return 256;
    }

    @Override
    public void fail(Throwable why) {
      promise.completeExceptionally(why);
    }
  }
}
