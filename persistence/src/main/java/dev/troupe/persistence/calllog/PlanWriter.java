package dev.troupe.persistence.calllog;

import dev.troupe.actors.blob.Payload;
import dev.troupe.actors.calllog.CallRow;
import dev.troupe.actors.calllog.InputRow;
import dev.troupe.actors.calllog.LeaseMark;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.id.BlobId;
import dev.troupe.persistence.calllog.GroupPlan.CallChange;
import dev.troupe.persistence.calllog.GroupPlan.InputChange;
import dev.troupe.persistence.store.Micros;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Turns a {@link GroupPlan} into batches, one a kind of change, in an order that fits them all. */
final class PlanWriter {

  /** Values of {@code input_blob.role}. */
  static final int PAYLOAD = 0;

  static final int RESULT = 1;

  private final Batch newCalls;
  private final Batch totals;
  private final Batch cancels;
  private final Batch newInputs;
  private final Batch newBlobs;
  private final Batch spends;
  private final Batch leases;
  private final Batch finishes;
  private final Batch clears;
  private final List<Batch> inOrder;

  PlanWriter(Connection connection) throws SQLException {
    newCalls = new Batch(connection, LogSql.NEW_CALL);
    totals = new Batch(connection, LogSql.TOTAL);
    cancels = new Batch(connection, LogSql.CANCEL);
    newInputs = new Batch(connection, LogSql.NEW_INPUT);
    newBlobs = new Batch(connection, LogSql.NEW_BLOB);
    spends = new Batch(connection, LogSql.SPEND);
    leases = new Batch(connection, LogSql.LEASE);
    finishes = new Batch(connection, LogSql.FINISH);
    clears = new Batch(connection, LogSql.CLEAR);
    inOrder =
        List.of(newCalls, totals, cancels, newInputs, newBlobs, spends, leases, finishes, clears);
  }

  void write(GroupPlan plan) throws SQLException {
    for (CallChange call : plan.calls()) {
      add(call);
    }
    for (InputChange input : plan.inputs()) {
      add(input);
    }
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
    }
    if (change.spent != null) {
      spends.begin().number(change.spent.attempts()).number(change.spent.lost());
      key(spends, change).add();
    }
    if (change.lease != null && (change.insert == null || change.spent != null)) {
      lease(leases.begin(), change.lease);
      key(leases, change).add();
    }
    if (change.output != null) {
      finish(change, change.output);
    }
    if (change.clearedAt != null) {
      clears.begin().number(Micros.of(change.clearedAt));
      key(clears, change).add();
    }
  }

  private void newInput(InputChange change, InputRow row) throws SQLException {
    // A run that was spent since must be written before the lease that came after it.
    LeaseMark lease = change.spent == null ? change.lease : null;
    key(newInputs.begin(), change)
        .number(lease == null ? InputState.WAITING : InputState.LEASED)
        .number(row.position())
        .number(Micros.of(row.createdAt()))
        .text(row.methodName());
    payload(newInputs, row.payload()).number(row.attempts()).number(row.lost());
    lease(newInputs, lease).add();
    blobs(change, PAYLOAD, row.payload());
  }

  private void finish(InputChange change, OutputRow output) throws SQLException {
    finishes.begin().number(Columns.outputOrder(output.number())).number(output.status());
    payload(finishes, output.result())
        .text(output.message())
        .number(output.dataFormat())
        .text(output.task())
        .numberOrNull(Micros.ofNullable(output.startedAt()))
        .number(Micros.of(output.createdAt()));
    key(finishes, change).add();
    if (output.result() != null) {
      blobs(change, RESULT, output.result());
    }
  }

  private void blobs(InputChange change, int role, Payload payload) throws SQLException {
    blob(change, role, payload.stored());
    blob(change, role, payload.attached());
  }

  private void blob(InputChange change, int role, @Nullable BlobId blob) throws SQLException {
    if (blob != null) {
      key(newBlobs.begin().text(blob.value()), change).number(role).add();
    }
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
