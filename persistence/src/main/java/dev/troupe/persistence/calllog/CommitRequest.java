package dev.troupe.persistence.calllog;

import dev.troupe.actors.calllog.CallLog.Written;
import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.persistence.calllog.ChangeCodec.Part;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** One caller's wish to the committer, and the promise it waits on. */
sealed interface CommitRequest {

  /** About what a request weighs apart from its bytes. */
  long OVERHEAD = 256;

  /** What it weighs while it waits. */
  default long sizeBytes() {
    return OVERHEAD;
  }

  /** Breaks the promise, where it was not kept yet. */
  void fail(Throwable why);

  /** Whether somebody waits for it: what is not urgent waits a moment for company. */
  default boolean urgent() {
    return true;
  }

  /** Changes of one function, by the owner with this epoch, and their bytes. */
  record Write(
      FunctionId function,
      long epoch,
      List<Part> parts,
      boolean urgent,
      long sizeBytes,
      CompletableFuture<Written> promise)
      implements CommitRequest {

    /**
     * Changes to be written.
     *
     * @throws IllegalArgumentException for an id of another function, or a value that no row takes
     */
    static Write of(FunctionId function, long epoch, List<LogWrite> changes) {
      List<Part> parts = ChangeCodec.encode(function, List.copyOf(changes));
      long bytes = parts.stream().mapToLong(part -> part.bytes().length).sum();
      return new Write(
          function,
          epoch,
          parts,
          !changes.stream().allMatch(Write::isMark),
          bytes + OVERHEAD,
          new CompletableFuture<>());
    }

    /** A mark spares work after a restart; nobody is told that it is durable. */
    private static boolean isMark(LogWrite change) {
      return change instanceof LogWrite.Leased || change instanceof LogWrite.Cleared;
    }

    @Override
    public void fail(Throwable why) {
      promise.complete(new Written.Failed(String.valueOf(why)));
    }
  }

  /** A new owner of a function. */
  record Claim(FunctionId function, CompletableFuture<Long> promise) implements CommitRequest {

    @Override
    public void fail(Throwable why) {
      promise.completeExceptionally(why);
    }
  }

  /** A reader of a function's tables, who waits until what was acknowledged is in them. */
  record Settle(FunctionId function, CompletableFuture<Void> promise) implements CommitRequest {

    @Override
    public void fail(Throwable why) {
      promise.completeExceptionally(why);
    }
  }

  /** The requests of a group by their kinds, each in its order. */
  record Group(List<Write> writes, List<Claim> claims, List<Settle> settles) {

    static Group of(List<CommitRequest> requests) {
      Group group = new Group(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
      for (CommitRequest request : requests) {
        switch (request) {
          case Write write -> group.writes.add(write);
          case Claim claim -> group.claims.add(claim);
          case Settle settle -> group.settles.add(settle);
        }
      }
      return group;
    }
  }
}
