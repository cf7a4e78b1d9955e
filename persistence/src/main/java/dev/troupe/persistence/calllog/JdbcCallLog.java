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
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * The call log in a relational database. Writes and claims go to the {@link Committer} of this
 * process, and their stages complete on its thread: what hangs on them must be quick. Reads run
 * beside it, each on a virtual thread, once what was acknowledged of their function is in its
 * tables.
 */
public final class JdbcCallLog implements CallLog, AutoCloseable {

  /** Rows that one sweep takes at most: what thousands of calls a second leave in a minute. */
  private static final int SWEEP_ROWS = 500_000;

  /** Changes that a commit brings to the tables: some milliseconds for its writers to wait. */
  private static final int SHARED_SLICE = 300;

  /** Changes of a transaction that no writer waits for. */
  private static final int OWN_SLICE = 20_000;

  /** Bytes of a file of commits: what a busy server writes in some seconds. */
  private static final long SEGMENT_BYTES = 8 << 20;

  private final Committer committer;
  private final CallLogReader reader;
  private final CallLogSweep sweep;
  private final BlockingReads reads;

  private JdbcCallLog(Database database, BlockingReads reads, Committer committer) {
    this.committer = committer;
    this.reader = new CallLogReader(database.pool());
    this.sweep = new CallLogSweep(database, SWEEP_ROWS);
    this.reads = reads;
  }

  /**
   * A call log in a database that has its tables, and that other processes may use too; the caller
   * closes both, the log first.
   */
  public static JdbcCallLog shared(
      Database database, BlockingReads reads, PersistenceSettings settings) {
    return new JdbcCallLog(
        database,
        reads,
        GroupCommitter.start(
            database, queue(settings), settling(settings, SHARED_SLICE), outage(settings)));
  }

  /**
   * A call log in a database that has its tables and that is this process's alone; the caller
   * closes both, the log first.
   *
   * @param directory where commits go, ahead of the tables
   * @throws IOException when its files can't be read or written
   * @throws SQLException when the tables refuse what an earlier process left there
   */
  public static JdbcCallLog alone(
      Database database, BlockingReads reads, PersistenceSettings settings, Path directory)
      throws IOException, SQLException {
    Transactions transactions = new Transactions(database, outage(settings));
    return new JdbcCallLog(
        database,
        reads,
        FileCommitter.start(
            database,
            LogRecovery.recover(directory, SEGMENT_BYTES, database, transactions),
            queue(settings),
            settling(settings, OWN_SLICE),
            transactions,
            outage(settings)));
  }

  private static CommitQueue.Limits queue(PersistenceSettings settings) {
    return new CommitQueue.Limits(
        settings.waitingBytesLimit(),
        settings.groupBytesLimit(),
        settings.groupWritesLimit(),
        new CommitQueue.Pace(
            settings.markPatience().toNanos(),
            settings.commitSiblings(),
            settings.commitDelay().toNanos()));
  }

  private static Backlog.Limits settling(PersistenceSettings settings, int slice) {
    return new Backlog.Limits(settings.settleDelay().toNanos(), settings.settleBytesLimit(), slice);
  }

  private static Outage outage(PersistenceSettings settings) {
    return new Outage(settings.retryFirst(), settings.retryLast());
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
    return committer.settled().thenCompose(_ -> reads.start(reader::unfinishedFunctions));
  }

  @Override
  public CompletionStage<List<BlobId>> sweep(Instant clearedBefore, Instant finishedBefore) {
    return committer
        .settled()
        .thenCompose(_ -> reads.start(() -> sweep.sweep(clearedBefore, finishedBefore)));
  }

  @Override
  public CompletionStage<List<BlobId>> owned(List<BlobId> blobs) {
    return committer.settled().thenCompose(_ -> reads.start(() -> reader.owned(blobs)));
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
