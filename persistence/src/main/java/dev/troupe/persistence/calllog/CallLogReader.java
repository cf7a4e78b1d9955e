package dev.troupe.persistence.calllog;

import dev.troupe.actors.calllog.CallLog.CallSummary;
import dev.troupe.actors.calllog.CallLog.Loaded;
import dev.troupe.actors.calllog.InputRow;
import dev.troupe.actors.calllog.OutputNumber;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.id.BlobId;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.persistence.store.Micros;
import dev.troupe.persistence.store.Query;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import javax.sql.DataSource;

/**
 * The reads of the call log. Blocking, each on a connection of the pool; runs beside the committer
 * and waits for no lock.
 */
final class CallLogReader {

  private static final String CALL_COLUMNS =
      """
      SELECT c.call_key, c.kind, c.invocation, c.total, c.cancelled, c.created_at,
        c.forgotten + COUNT(i.owner_id), c.forgotten + COUNT(i.output_order)""";

  private static final String CALLS =
      CALL_COLUMNS
          + """

          FROM function_call c LEFT JOIN function_input i
            ON i.owner_id = c.owner_id AND i.call_key = c.call_key
          WHERE c.owner_id = ? AND %s
          GROUP BY c.owner_id, c.call_key""";

  static final String OPEN_CALLS = CALLS.formatted("c.is_open = TRUE");
  static final String RECENT_CALLS = CALLS.formatted("c.is_open = FALSE AND c.created_at >= ?");
  static final String ONE_CALL = CALLS.formatted("c.call_key = ?");

  /** Calls with an input in a state. Outer joins, so that H2 too begins with those inputs. */
  static final String CALLS_OF_INPUTS =
      CALL_COLUMNS
          + """

          FROM (SELECT DISTINCT call_key FROM function_input WHERE owner_id = ? AND state = ?) w
          LEFT JOIN function_call c ON c.owner_id = ? AND c.call_key = w.call_key
          LEFT JOIN function_input i ON i.owner_id = c.owner_id AND i.call_key = c.call_key
          GROUP BY c.owner_id, c.call_key HAVING c.call_key IS NOT NULL""";

  static final String INPUTS =
      "SELECT "
          + RowReader.INPUT_COLUMNS
          + " FROM function_input WHERE owner_id = ? AND state = ? AND place > ?"
          + " ORDER BY owner_id, state, place LIMIT ?";

  static final String LAST_PLACE =
      """
      SELECT place FROM function_input WHERE owner_id = ? AND state = ?
      ORDER BY owner_id DESC, state DESC, place DESC LIMIT 1""";

  static final String OUTPUTS_AFTER =
      "SELECT "
          + RowReader.OUTPUT_COLUMNS
          + " FROM function_input WHERE owner_id = ? AND call_key = ? AND output_order > ?"
          + " ORDER BY owner_id, call_key, output_order LIMIT ?";

  static final String OUTPUTS_OF =
      "SELECT "
          + RowReader.OUTPUT_COLUMNS
          + " FROM function_input WHERE owner_id = ? AND call_key = ? AND idx >= ? AND idx <= ?"
          + " AND output_order IS NOT NULL ORDER BY owner_id, call_key, idx";

  static final String UNFINISHED =
      """
      SELECT o.function FROM function_owner o
      WHERE EXISTS (SELECT 1 FROM function_input i WHERE i.owner_id = o.id AND i.state = 0)
        OR EXISTS (SELECT 1 FROM function_input i WHERE i.owner_id = o.id AND i.state = 1)
      UNION
      SELECT o.function FROM function_owner o
      WHERE o.id IN (SELECT c.owner_id FROM call_change c)""";

  private static final int ANY = Integer.MAX_VALUE;

  private final DataSource pool;

  CallLogReader(DataSource pool) {
    this.pool = pool;
  }

  Loaded load(FunctionId function, Instant recentSince, int limit) throws SQLException {
    try (Connection connection = pool.getConnection()) {
      Optional<Long> owner = owner(connection, function);
      if (owner.isEmpty()) {
        return new Loaded(List.of(), List.of(), List.of(), 0);
      }
      long id = owner.get();
      return new Loaded(
          calls(connection, function, id, Micros.of(recentSince)),
          inputs(connection, function, id, InputState.LEASED, Long.MIN_VALUE, ANY),
          inputs(connection, function, id, InputState.WAITING, Long.MIN_VALUE, limit),
          Math.max(
              lastPlace(connection, id, InputState.WAITING),
              lastPlace(connection, id, InputState.LEASED)));
    }
  }

  /** Calls that may get inputs, that are recent, or that have an unfinished input. */
  private static List<CallSummary> calls(
      Connection connection, FunctionId function, long owner, long since) throws SQLException {
    Map<CallId, CallSummary> found = new LinkedHashMap<>();
    for (Query query :
        List.of(
            Query.of(connection, OPEN_CALLS).with(owner),
            Query.of(connection, RECENT_CALLS).with(owner).with(since),
            ofInputs(connection, owner, InputState.LEASED),
            ofInputs(connection, owner, InputState.WAITING))) {
      calls(function, query).forEach(summary -> found.put(summary.row().call(), summary));
    }
    return List.copyOf(found.values());
  }

  private static Query ofInputs(Connection connection, long owner, int state) throws SQLException {
    return Query.of(connection, CALLS_OF_INPUTS).with(owner).with(state).with(owner);
  }

  List<InputRow> waitingAfter(FunctionId function, long position, int limit) throws SQLException {
    try (Connection connection = pool.getConnection()) {
      Optional<Long> owner = owner(connection, function);
      return owner.isEmpty()
          ? List.of()
          : inputs(connection, function, owner.get(), InputState.WAITING, position, limit);
    }
  }

  Optional<CallSummary> call(CallId call) throws SQLException {
    FunctionId function = call.function();
    try (Connection connection = pool.getConnection()) {
      Optional<Long> owner = owner(connection, function);
      if (owner.isEmpty()) {
        return Optional.empty();
      }
      Query query =
          Query.of(connection, ONE_CALL)
              .with((long) owner.get())
              .with(Columns.callKey(call, function));
      return calls(function, query).stream().findFirst();
    }
  }

  List<OutputRow> outputsAfter(CallId call, OutputNumber after, int limit) throws SQLException {
    FunctionId function = call.function();
    String key = Columns.callKey(call, function);
    try (Connection connection = pool.getConnection()) {
      Optional<Long> owner = owner(connection, function);
      if (owner.isEmpty()) {
        return List.of();
      }
      return Query.of(connection, OUTPUTS_AFTER)
          .with((long) owner.get())
          .with(key)
          .with(Columns.outputOrder(after))
          .with(limit)
          .list(row -> RowReader.output(function, row));
    }
  }

  List<OutputRow> outputsOf(CallId call, int first, int last) throws SQLException {
    FunctionId function = call.function();
    String key = Columns.callKey(call, function);
    try (Connection connection = pool.getConnection()) {
      Optional<Long> owner = owner(connection, function);
      if (owner.isEmpty()) {
        return List.of();
      }
      return Query.of(connection, OUTPUTS_OF)
          .with((long) owner.get())
          .with(key)
          .with(first)
          .with(last)
          .list(row -> RowReader.output(function, row));
    }
  }

  List<FunctionId> unfinishedFunctions() throws SQLException {
    try (Connection connection = pool.getConnection()) {
      return Query.of(connection, UNFINISHED).list(row -> new FunctionId(row.getString(1)));
    }
  }

  List<BlobId> owned(List<BlobId> blobs) throws SQLException {
    try (Connection connection = pool.getConnection()) {
      Set<String> owned = OwnedBlobs.among(connection, blobs.stream().map(BlobId::value).toList());
      Set<BlobId> found = new LinkedHashSet<>(blobs);
      found.removeIf(blob -> !owned.contains(blob.value()));
      return List.copyOf(found);
    }
  }

  static Optional<Long> owner(Connection connection, FunctionId function) throws SQLException {
    return Query.of(connection, "SELECT id FROM function_owner WHERE function = ?")
        .with(function.value())
        .first(row -> row.getLong(1));
  }

  private static List<CallSummary> calls(FunctionId function, Query query) throws SQLException {
    return query.list(row -> RowReader.call(function, row));
  }

  private static List<InputRow> inputs(
      Connection connection, FunctionId function, long owner, int state, long after, int limit)
      throws SQLException {
    return Query.of(connection, INPUTS)
        .with(owner)
        .with(state)
        .with(after)
        .with(limit)
        .list(row -> RowReader.input(function, row));
  }

  private static long lastPlace(Connection connection, long owner, int state) throws SQLException {
    return Query.of(connection, LAST_PLACE)
        .with(owner)
        .with(state)
        .first(row -> row.getLong(1))
        .orElse(0L);
  }
}
