package dev.troupe.actors.calllog;

import dev.troupe.actors.id.BlobId;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.FunctionId;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * Inputs and outputs of function calls, durable. One owner writes for a function at a time, told
 * apart by its <em>epoch</em>; writes of an earlier epoch are refused ({@link Written.Fenced}).
 *
 * <p>Commits are made in groups: whatever arrived, for any function, while the previous commit was
 * in flight goes into the next transaction. A group is one transaction that locks the owner rows of
 * its functions in order, drops the writes of those whose epoch moved on, and writes the rest. A
 * write that fails by itself fails its own writer only. What a completed {@link Written.Done}
 * promised survives a power cut.
 *
 * <p>Never blocks the caller. Writes of one function are committed in the order they were given.
 */
public interface CallLog {

  /** Makes the caller owner of {@code function}: raises its epoch, commits, gives the new one. */
  CompletionStage<Long> claim(FunctionId function);

  /**
   * What a new owner needs: calls that are unfinished or younger than {@code recentSince}, how many
   * of their inputs are known and finished, every input with a lease mark, and the first {@code
   * limit} waiting inputs by position. To be called after {@link #claim}.
   */
  CompletionStage<Loaded> load(FunctionId function, Instant recentSince, int limit);

  /** Waiting inputs behind {@code position}, by position, at most {@code limit}. */
  CompletionStage<List<InputRow>> waitingAfter(FunctionId function, long position, int limit);

  /** Commits {@code writes} together, or none of them. */
  CompletionStage<Written> write(FunctionId function, long epoch, List<LogWrite> writes);

  /** One call; empty when it never was, or its results are gone. */
  CompletionStage<Optional<CallSummary>> call(CallId call);

  /** Committed outputs of a call behind {@code after}, by number, at most {@code limit}. */
  CompletionStage<List<OutputRow>> outputsAfter(CallId call, OutputNumber after, int limit);

  /** Committed outputs of inputs {@code first} to {@code last}, both included, by index. */
  CompletionStage<List<OutputRow>> outputsOf(CallId call, int first, int last);

  /** Functions with an unfinished input, for the daemon that wakes them. */
  CompletionStage<List<FunctionId>> unfinishedFunctions();

  /**
   * Forgets cleared results older than {@code clearedBefore} and finished calls older than {@code
   * finishedBefore}, a bounded number at a time. Gives the blobs whose owning rows are gone.
   */
  CompletionStage<List<BlobId>> sweep(Instant clearedBefore, Instant finishedBefore);

  /** Which of these blobs a row owns: the rest are orphans. */
  CompletionStage<List<BlobId>> owned(List<BlobId> blobs);

  /** How a write ended. */
  sealed interface Written {

    /** Durable. */
    record Done() implements Written {}

    /** Another owner has the function; nothing was written. */
    record Fenced() implements Written {}

    /** A new call or input has an id that is taken; nothing was written. */
    record Duplicate() implements Written {}

    /** Too many bytes wait for commit; nothing was taken. Ask again later. */
    record Overloaded() implements Written {}

    /** The store failed for good on this write; nothing was written. */
    record Failed(String why) implements Written {}
  }

  /** A call and its counts. */
  record CallSummary(CallRow row, int known, int finished) {}

  /**
   * What {@link #load} found.
   *
   * @param marked inputs with a lease mark
   * @param waiting the first waiting inputs, by position
   * @param lastPosition the highest position ever given; 0 when none
   */
  record Loaded(
      List<CallSummary> calls, List<InputRow> marked, List<InputRow> waiting, long lastPosition) {}
}
