package dev.troupe.persistence.calllog;

import dev.troupe.actors.blob.Payload;
import dev.troupe.actors.calllog.CallRow;
import dev.troupe.actors.calllog.InputRow;
import dev.troupe.actors.calllog.LeaseMark;
import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.id.BlobId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.persistence.calllog.MergedChanges.CallChange;
import dev.troupe.persistence.calllog.MergedChanges.InputChange;
import dev.troupe.persistence.calllog.MergedChanges.Touched;
import dev.troupe.persistence.store.Micros;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Brings merged changes to the tables in batches, one a kind of statement, in an order that fits
 * them all and in that of the keys, so that neighbours share pages.
 */
final class TableWriter {

  /** Values of {@code input_blob.role}. */
  static final int PAYLOAD = 0;

  static final int RESULT = 1;

  private static final Comparator<CallChange> BY_CALL =
      Comparator.<CallChange>comparingLong(change -> change.owner)
          .thenComparing(change -> change.key);
  private static final Comparator<InputChange> BY_INPUT =
      Comparator.<InputChange>comparingLong(change -> change.owner)
          .thenComparing(change -> change.callKey)
          .thenComparingInt(change -> change.index);

  private final Batch newCalls;
  private final Batch totals;
  private final Batch cancels;
  private final Batch newInputs;
  private final Batch spends;
  private final Batch leases;
  private final Batch finishes;
  private final Batch clears;
  private final Batch dropBlobs;
  private final Batch newBlobs;
  private final List<Batch> inOrder;

  TableWriter(Connection connection) throws SQLException {
    newCalls = new Batch(connection, LogSql.NEW_CALL);
    totals = new Batch(connection, LogSql.TOTAL);
    cancels = new Batch(connection, LogSql.CANCEL);
    newInputs = new Batch(connection, LogSql.NEW_INPUT);
    spends = new Batch(connection, LogSql.SPEND);
    leases = new Batch(connection, LogSql.LEASE);
    finishes = new Batch(connection, LogSql.FINISH);
    clears = new Batch(connection, LogSql.CLEAR);
    dropBlobs = new Batch(connection, LogSql.DROP_BLOB);
    newBlobs = new Batch(connection, LogSql.NEW_BLOB);
    inOrder =
        List.of(
            newCalls, totals, cancels, newInputs, spends, leases, finishes, clears, dropBlobs,
            newBlobs);
  }

  /** Writes what changed. Blobs were noted when it was committed: {@link #blobs}. */
  void write(Collection<Touched> changes) throws SQLException {
    List<CallChange> calls = new ArrayList<>();
    List<InputChange> inputs = new ArrayList<>();
    for (Touched touched : changes) {
      calls.addAll(touched.calls);
      inputs.addAll(touched.inputs);
    }
    calls.sort(BY_CALL);
    inputs.sort(BY_INPUT);
    for (CallChange call : calls) {
      add(call);
    }
    for (InputChange input : inputs) {
      add(input);
    }
    run();
  }

  /**
   * Writes what changed, and which blobs the rows own. May be done once more for changes that were
   * merged into earlier ones.
   */
  void writeWithBlobs(Collection<Touched> changes) throws SQLException {
    for (Batch batch : List.of(dropBlobs, newBlobs)) {
      for (Touched touched : changes) {
        for (InputChange input : touched.inputs) {
          if (input.insert != null) {
            blobs(batch, input.owner, input.callKey, input.index, PAYLOAD, input.insert.payload());
          }
          if (input.output != null && input.output.result() != null) {
            blobs(batch, input.owner, input.callKey, input.index, RESULT, input.output.result());
          }
        }
      }
    }
    write(changes);
  }

  /** Notes which blobs the rows of these changes own. */
  void blobs(long owner, FunctionId function, List<LogWrite> changes) throws SQLException {
    for (LogWrite change : changes) {
      switch (change) {
        case LogWrite.NewInput(var row) ->
            blobs(
                newBlobs,
                owner,
                Columns.callKey(row.input(), function),
                Columns.index(row.input()),
                PAYLOAD,
                row.payload());
        case LogWrite.Finished(var row) -> {
          if (row.result() != null) {
            blobs(
                newBlobs,
                owner,
                Columns.callKey(row.input(), function),
                Columns.index(row.input()),
                RESULT,
                row.result());
          }
        }
        case LogWrite.NewCall _,
            LogWrite.Total _,
            LogWrite.Cancelled _,
            LogWrite.Leased _,
            LogWrite.Spent _,
            LogWrite.Cleared _ -> {}
      }
    }
    newBlobs.run();
  }

  private void run() throws SQLException {
    for (Batch batch : inOrder) {
      batch.run();
    }
  }

  /** Forgets what was added and not run. */
  void clear() throws SQLException {
    for (Batch batch : inOrder) {
      batch.clear();
    }
  }

  private void add(CallChange change) throws SQLException {
    if (change.insert != null) {
      newCall(change, change.insert);
      return;
    }
    if (change.total != null) {
      totals.begin().number(change.total).number(change.owner).text(change.key).add();
    }
    if (change.cancelled) {
      cancels.begin().number(change.owner).text(change.key).add();
    }
  }

  private void newCall(CallChange change, CallRow row) throws SQLException {
    int total = change.total == null ? row.total() : change.total;
    boolean cancelled = row.cancelled() || change.cancelled;
    newCalls
        .begin()
        .number(change.owner)
        .text(change.key)
        .number(Columns.code(row.kind()))
        .number(Columns.code(row.invocation()))
        .number(total)
        .truth(cancelled)
        .truth(total < 0 && !cancelled)
        .number(Micros.of(row.createdAt()))
        .add();
  }

  private void add(InputChange change) throws SQLException {
    if (change.insert != null) {
      newInput(change, change.insert);
      return;
    }
    if (change.spent != null) {
      spends.begin().number(change.spent.attempts()).number(change.spent.lost());
      key(spends, change).add();
    }
    if (change.lease != null) {
      lease(leases.begin(), change.lease);
      key(leases, change).add();
    }
    if (change.output != null) {
      output(finishes.begin(), change.output);
      key(finishes, change).add();
    }
    if (change.clearedAt != null) {
      clears.begin().number(Micros.of(change.clearedAt));
      key(clears, change).add();
    }
  }

  /** The row as it is after all that happened to the input since. */
  private void newInput(InputChange change, InputRow row) throws SQLException {
    LogWrite.Spent spent = change.spent;
    OutputRow output = change.output;
    key(newInputs.begin(), change)
        .number(state(change))
        .number(change.clearedAt == null ? row.position() : Micros.of(change.clearedAt))
        .number(Micros.of(row.createdAt()))
        .text(row.methodName());
    payload(newInputs, output == null ? row.payload() : null)
        .number(spent == null ? row.attempts() : spent.attempts())
        .number(spent == null ? row.lost() : spent.lost());
    lease(newInputs, change.lease);
    output(newInputs, output).add();
  }

  private static int state(InputChange change) {
    if (change.output != null) {
      return change.clearedAt == null ? InputState.FINISHED : InputState.CLEARED;
    }
    return change.lease == null ? InputState.WAITING : InputState.LEASED;
  }

  private static void blobs(
      Batch batch, long owner, String callKey, int index, int role, Payload payload)
      throws SQLException {
    for (BlobId blob : new BlobId[] {payload.stored(), payload.attached()}) {
      if (blob != null) {
        batch
            .begin()
            .text(blob.value())
            .number(owner)
            .text(callKey)
            .number(index)
            .number(role)
            .add();
      }
    }
  }

  private static Batch output(Batch batch, @Nullable OutputRow output) throws SQLException {
    batch
        .numberOrNull(output == null ? null : (Long) Columns.outputOrder(output.number()))
        .numberOrNull(output == null ? null : (Long) (long) output.status());
    return payload(batch, output == null ? null : output.result())
        .textOrNull(output == null ? null : output.message())
        .numberOrNull(output == null ? null : (Long) (long) output.dataFormat())
        .textOrNull(output == null ? null : output.task())
        .numberOrNull(output == null ? null : Micros.ofNullable(output.startedAt()))
        .numberOrNull(output == null ? null : (Long) Micros.of(output.createdAt()));
  }

  private static Batch key(Batch batch, InputChange change) throws SQLException {
    return batch.number(change.owner).text(change.callKey).number(change.index);
  }

  private static Batch lease(Batch batch, @Nullable LeaseMark mark) throws SQLException {
    return batch
        .numberOrNull(mark == null ? null : (Long) mark.token().epoch())
        .numberOrNull(mark == null ? null : (Long) mark.token().number())
        .textOrNull(mark == null ? null : mark.task().value())
        .numberOrNull(mark == null ? null : (Long) Micros.of(mark.at()));
  }

  private static Batch payload(Batch batch, @Nullable Payload payload) throws SQLException {
    return batch
        .bytesOrNull(payload == null ? null : payload.inline())
        .textOrNull(id(payload == null ? null : payload.stored()))
        .textOrNull(id(payload == null ? null : payload.attached()));
  }

  private static @Nullable String id(@Nullable BlobId blob) {
    return blob == null ? null : blob.value();
  }

  /** A statement, its parameters from left to right, and the rows added so far. */
  private static final class Batch {
    private final PreparedStatement statement;
    private int parameter;
    private boolean empty = true;

    Batch(Connection connection, String sql) throws SQLException {
      this.statement = connection.prepareStatement(sql);
    }

    Batch begin() {
      parameter = 0;
      return this;
    }

    Batch number(long value) throws SQLException {
      statement.setLong(++parameter, value);
      return this;
    }

    Batch numberOrNull(@Nullable Long value) throws SQLException {
      if (value == null) {
        statement.setNull(++parameter, Types.BIGINT);
        return this;
      }
      return number(value);
    }

    Batch truth(boolean value) throws SQLException {
      statement.setBoolean(++parameter, value);
      return this;
    }

    Batch text(String value) throws SQLException {
      statement.setString(++parameter, value);
      return this;
    }

    Batch textOrNull(@Nullable String value) throws SQLException {
      statement.setString(++parameter, value);
      return this;
    }

    Batch bytesOrNull(byte @Nullable [] value) throws SQLException {
      statement.setBytes(++parameter, value);
      return this;
    }

    void add() throws SQLException {
      statement.addBatch();
      empty = false;
    }

    void run() throws SQLException {
      if (!empty) {
        empty = true;
        statement.executeBatch();
      }
    }

    void clear() throws SQLException {
      empty = true;
      statement.clearBatch();
    }
  }
}
