package dev.troupe.persistence.calllog;

import dev.troupe.actors.calllog.CallLog;
import dev.troupe.actors.calllog.InputRow;
import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.actors.calllog.OutputNumber;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.id.BlobId;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.persistence.PersistenceSettings;
import dev.troupe.persistence.store.BlockingReads;
import dev.troupe.persistence.store.Database;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * The call log in a relational database. Writes and claims go to the {@link GroupCommitter} of this
 * process, and their stages complete on its thread: what hangs on them must be quick. Reads run
 * beside it, each on a virtual thread, once what was acknowledged of their function is in its
 * tables.
 */
public final class JdbcCallLog implements CallLog, AutoCloseable {

  /** Rows that one sweep takes at most: what thousands of calls a second leave in a minute. */
  private static final int SWEEP_ROWS = 500_000;

  /** Changes that a commit brings to the tables: some milliseconds for its writers to wait. */
  private static final int SETTLED_CHANGES = 300;

  private final GroupCommitter committer;
  private final CallLogReader reader;
  private final CallLogSweep sweep;
  private final BlockingReads reads;

  /** A call log in a database that has its tables; the caller closes both, the log first. */
  public JdbcCallLog(Database database, BlockingReads reads, PersistenceSettings settings) {
    this.committer =
        new GroupCommitter(
            database,
            new CommitQueue.Limits(
                settings.waitingBytesLimit(),
                settings.groupBytesLimit(),
                settings.groupWritesLimit(),
                new CommitQueue.Pace(
                    settings.markPatience().toNanos(),
                    settings.commitSiblings(),
                    settings.commitDelay().toNanos())),
            new Backlog.Limits(
                settings.settleDelay().toNanos(), settings.settleBytesLimit(), SETTLED_CHANGES),
            new Outage(settings.retryFirst(), settings.retryLast()));
    this.reader = new CallLogReader(database.pool());
    this.sweep = new CallLogSweep(database, SWEEP_ROWS);
    this.reads = reads;
  }

  @Override
  public CompletionStage<Long> claim(FunctionId function) {
    return committer.claim(function);
  }

  @Override
  public CompletionStage<Loaded> load(FunctionId function, Instant recentSince, int limit) {
    return settled(function, () -> reader.load(function, recentSince, limit));
  }

  @Override
  public CompletionStage<List<InputRow>> waitingAfter(
      FunctionId function, long position, int limit) {
    return settled(function, () -> reader.waitingAfter(function, position, limit));
  }

  @Override
  public CompletionStage<Written> write(FunctionId function, long epoch, List<LogWrite> writes) {
    return committer.write(function, epoch, writes);
  }

  @Override
  public CompletionStage<Optional<CallSummary>> call(CallId call) {
    return settled(call.function(), () -> reader.call(call));
  }

  @Override
  public CompletionStage<List<OutputRow>> outputsAfter(CallId call, OutputNumber after, int limit) {
    return settled(call.function(), () -> reader.outputsAfter(call, after, limit));
  }

  @Override
  public CompletionStage<List<OutputRow>> outputsOf(CallId call, int first, int last) {
    return settled(call.function(), () -> reader.outputsOf(call, first, last));
  }

  @Override
  public CompletionStage<List<FunctionId>> unfinishedFunctions() {
    return reads.start(reader::unfinishedFunctions);
  }

  @Override
  public CompletionStage<List<BlobId>> sweep(Instant clearedBefore, Instant finishedBefore) {
    return committer
        .settled()
        .thenCompose(_ -> reads.start(() -> sweep.sweep(clearedBefore, finishedBefore)));
  }

  @Override
  public CompletionStage<List<BlobId>> owned(List<BlobId> blobs) {
    return reads.start(() -> reader.owned(blobs));
  }

  /** A read of what was acknowledged of a function, which may not be in the tables yet. */
  private <T> CompletionStage<T> settled(FunctionId function, BlockingReads.Read<T> read) {
    return committer.settled(function).thenCompose(_ -> reads.start(read));
  }

  @Override
  public void close() {
    committer.close();
  }
}
