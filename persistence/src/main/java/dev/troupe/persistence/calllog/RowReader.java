package dev.troupe.persistence.calllog;

import dev.troupe.actors.blob.Payload;
import dev.troupe.actors.calllog.CallLog.CallSummary;
import dev.troupe.actors.calllog.CallRow;
import dev.troupe.actors.calllog.InputRow;
import dev.troupe.actors.calllog.LeaseMark;
import dev.troupe.actors.calllog.LeaseToken;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.id.BlobId;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.persistence.store.Micros;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** Rows of the call log as the records of the port. */
final class RowReader {

  static final String INPUT_COLUMNS =
      "call_key, idx, place, created_at, method_name, payload, payload_stored, payload_attached,"
          + " attempts, lost, lease_epoch, lease_number, lease_task, leased_at";

  static final String OUTPUT_COLUMNS =
      "call_key, idx, state, place, output_order, status, result, result_stored, result_attached,"
          + " message, data_format, task, started_at, finished_at";

  static CallSummary call(FunctionId function, ResultSet row) throws SQLException {
    return new CallSummary(
        new CallRow(
            CallId.of(function, row.getString(1)),
            Columns.kind(row.getInt(2)),
            Columns.invocation(row.getInt(3)),
            row.getInt(4),
            row.getBoolean(5),
            Micros.toInstant(row.getLong(6))),
        Math.toIntExact(row.getLong(7)),
        Math.toIntExact(row.getLong(8)));
  }

  static InputRow input(FunctionId function, ResultSet row) throws SQLException {
    Payload payload = payload(row, 6);
    if (payload == null) {
      throw new IllegalStateException(
          "input " + row.getString(1) + " " + row.getInt(2) + " waits without a payload");
    }
    return new InputRow(
        Columns.input(function, row.getString(1), row.getInt(2)),
        row.getLong(3),
        row.getString(5),
        payload,
        row.getInt(9),
        row.getInt(10),
        lease(row, 11),
        Micros.toInstant(row.getLong(4)));
  }

  static OutputRow output(FunctionId function, ResultSet row) throws SQLException {
    boolean cleared = row.getInt(3) == InputState.CLEARED;
    return new OutputRow(
        Columns.input(function, row.getString(1), row.getInt(2)),
        Columns.outputNumber(row.getLong(5)),
        row.getInt(6),
        payload(row, 7),
        row.getString(10),
        row.getInt(11),
        row.getString(12),
        time(row, 13),
        Micros.toInstant(row.getLong(14)),
        cleared ? Micros.toInstant(row.getLong(4)) : null);
  }

  private static @Nullable Payload payload(ResultSet row, int from) throws SQLException {
    byte[] inline = row.getBytes(from);
    BlobId stored = blob(row.getString(from + 1));
    BlobId attached = blob(row.getString(from + 2));
    return inline == null && stored == null ? null : new Payload(inline, stored, attached);
  }

  private static @Nullable LeaseMark lease(ResultSet row, int from) throws SQLException {
    String task = row.getString(from + 2);
    return task == null
        ? null
        : new LeaseMark(
            new LeaseToken(row.getLong(from), row.getLong(from + 1)),
            new TaskId(task),
            Micros.toInstant(row.getLong(from + 3)));
  }

  private static @Nullable BlobId blob(@Nullable String id) {
    return id == null ? null : new BlobId(id);
  }

  private static @Nullable Instant time(ResultSet row, int column) throws SQLException {
    long micros = row.getLong(column);
    return row.wasNull() ? null : Micros.toInstant(micros);
  }

  private RowReader() {}
}
