package dev.troupe.persistence.calllog;

import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.InputId;
import dev.troupe.persistence.calllog.MergedChanges.Touched;
import dev.troupe.persistence.store.Database;
import dev.troupe.persistence.store.Query;
import dev.troupe.persistence.store.SqlFailures;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * The committer's connection and its statements. One transaction at a time; whoever gets an
 * exception rolls back or throws the session away. Not thread-safe.
 */
final class LogSession implements TakenKeys, AutoCloseable {

  /** The present owner of a function: the row's key and its epoch. */
  record Owner(long id, long epoch) {}

  /** Functions locked by one statement; its size is a power of two, so that few are prepared. */
  private static final int LOCK_CHUNK = 64;

  private final Database database;
  private final Connection connection;
  private final String committer;
  private final TableWriter writer;
  private final PreparedStatement newChanges;
  private final PreparedStatement dropChanges;
  private final KeyLookup keys;
  private final PreparedStatement settledTo;
  private final PreparedStatement mark;
  private final Map<Integer, PreparedStatement> lockBySize = new HashMap<>();

  private LogSession(Database database, Connection connection, String committer)
      throws SQLException {
    this.database = database;
    this.connection = connection;
    this.committer = committer;
    this.writer = new TableWriter(connection);
    this.newChanges = connection.prepareStatement(LogSql.NEW_CHANGES, new String[] {"id"});
    this.dropChanges = connection.prepareStatement(LogSql.DROP_CHANGES);
    this.keys = new KeyLookup(connection);
    this.settledTo = connection.prepareStatement(LogSql.SETTLED_TO);
    this.mark = connection.prepareStatement(LogSql.MARK);
  }

  static LogSession open(Database database, String committer) throws SQLException {
    Connection connection = database.connect();
    try {
      connection.setAutoCommit(false);
      return new LogSession(database, connection, committer);
    } catch (SQLException failure) {
      closeQuietly(connection);
      throw failure;
    }
  }

  /** Locks the owner rows of these functions, always in the same order; gives those there are. */
  Map<FunctionId, Owner> lockOwners(Collection<FunctionId> functions) throws SQLException {
    TreeSet<String> ordered = new TreeSet<>();
    functions.forEach(function -> ordered.add(function.value()));
    List<String> all = new ArrayList<>(ordered);
    Map<FunctionId, Owner> owners = new HashMap<>();
    for (int from = 0; from < all.size(); from += LOCK_CHUNK) {
      lockChunk(all.subList(from, Math.min(all.size(), from + LOCK_CHUNK)), owners);
    }
    return owners;
  }

  private void lockChunk(List<String> functions, Map<FunctionId, Owner> owners)
      throws SQLException {
    int size = Math.max(1, Integer.highestOneBit(2 * functions.size() - 1));
    PreparedStatement lock = lockBySize.get(size);
    if (lock == null) {
      String places = String.join(", ", java.util.Collections.nCopies(size, "?"));
      lock = connection.prepareStatement(LogSql.LOCK_OWNERS.formatted(places));
      lockBySize.put(size, lock);
    }
    for (int i = 0; i < size; i++) {
      lock.setString(i + 1, functions.get(Math.min(i, functions.size() - 1)));
    }
    try (ResultSet rows = lock.executeQuery()) {
      while (rows.next()) {
        owners.put(new FunctionId(rows.getString(2)), new Owner(rows.getLong(1), rows.getLong(3)));
      }
    }
  }

  // ---- the write-ahead log

  /** A row of the write-ahead log. */
  private record Changes(long row, byte[] bytes) {}

  /** Adds a row for a function; gives its number, above those of its earlier rows. */
  long addChanges(long owner, byte[] bytes) throws SQLException {
    newChanges.setLong(1, owner);
    newChanges.setBytes(2, bytes);
    newChanges.executeUpdate();
    try (ResultSet key = newChanges.getGeneratedKeys()) {
      key.next();
      return key.getLong(1);
    }
  }

  /** Rows of a function that are not in the tables yet, in their order. */
  private List<Changes> changes(long owner) throws SQLException {
    return Query.of(connection, LogSql.CHANGES)
        .with(owner)
        .list(row -> new Changes(row.getLong(1), row.getBytes(2)));
  }

  /** Brings what rows of the write-ahead log hold to the tables, and drops them there. */
  void settle(Collection<Touched> changes, Collection<Long> rows) throws SQLException {
    writer.write(changes);
    for (long row : rows) {
      dropChanges.setLong(1, row);
      dropChanges.addBatch();
    }
    if (!rows.isEmpty()) {
      dropChanges.executeBatch();
    }
  }

  /**
   * Brings changes of a log file to the tables, the blobs that they own, and up to which number
   * they go a function.
   */
  void settle(Collection<Touched> changes, Map<Long, Long> numberByOwner) throws SQLException {
    writer.writeWithBlobs(changes);
    for (Map.Entry<Long, Long> settled : numberByOwner.entrySet()) {
      settledTo.setLong(1, settled.getValue());
      settledTo.setLong(2, settled.getKey());
      settledTo.addBatch();
    }
    if (!numberByOwner.isEmpty()) {
      settledTo.executeBatch();
    }
  }

  /** Notes which blobs the rows of these changes own. */
  void addBlobs(long owner, FunctionId function, List<LogWrite> changes) throws SQLException {
    writer.blobs(owner, function, changes);
  }

  @Override
  public boolean isTaken(long owner, FunctionId function, CallId call) throws SQLException {
    return keys.isTaken(owner, function, call);
  }

  @Override
  public boolean isTaken(long owner, FunctionId function, InputId input) throws SQLException {
    return keys.isTaken(owner, function, input);
  }

  // ---- owners

  /**
   * Makes the caller owner of a function, in this transaction: raises its epoch, and settles what
   * owners before, of whatever process, have left in the table of the write-ahead log.
   */
  Owner claim(FunctionId function) throws SQLException {
    Owner owner = raiseEpoch(function);
    List<Changes> left = changes(owner.id());
    if (!left.isEmpty()) {
      List<LogWrite> all = new ArrayList<>();
      left.forEach(row -> all.addAll(ChangeCodec.decode(function, row.bytes())));
      Touched merged = new MergedChanges(owner.id(), function).add(all);
      settle(List.of(merged), left.stream().map(Changes::row).toList());
    }
    return owner;
  }

  private Owner raiseEpoch(FunctionId function) throws SQLException {
    try (PreparedStatement raise = connection.prepareStatement(LogSql.RAISE_EPOCH)) {
      raise.setString(1, function.value());
      if (raise.executeUpdate() == 0) {
        try (PreparedStatement insert = connection.prepareStatement(LogSql.NEW_OWNER)) {
          insert.setString(1, function.value());
          insert.executeUpdate();
        } catch (SQLException failure) {
          if (SqlFailures.isDuplicate(failure)) {
            // Another process made the row meanwhile: a conflict, after which this is tried again.
            throw new SQLException(
                "two claim " + function + " for the first time", "40001", failure);
          }
          throw failure;
        }
      }
    }
    return Query.of(connection, LogSql.OWNER)
        .with(function.value())
        .first(row -> new Owner(row.getLong(1), row.getLong(2)))
        .orElseThrow();
  }

  // ---- the transaction

  /**
   * Commits under a number of the caller's, which {@link #lastCommitted} gives from then on.
   * Durable on H2 only after {@link #makeDurable}.
   */
  void commit(long number) throws SQLException {
    mark.setLong(1, number);
    mark.setString(2, committer);
    if (mark.executeUpdate() == 0) {
      insertMark(number);
    }
    connection.commit();
  }

  private void insertMark(long number) throws SQLException {
    try (PreparedStatement insert = connection.prepareStatement(LogSql.NEW_MARK)) {
      insert.setString(1, committer);
      insert.setLong(2, number);
      insert.executeUpdate();
    }
  }

  /** The number of the last transaction of this committer that was committed; 0 when none was. */
  long lastCommitted() throws SQLException {
    try (PreparedStatement read = connection.prepareStatement(LogSql.READ_MARK)) {
      read.setString(1, committer);
      try (ResultSet row = read.executeQuery()) {
        return row.next() ? row.getLong(1) : 0;
      }
    } finally {
      connection.commit();
    }
  }

  /** Returns when what was committed survives a power cut. */
  void makeDurable() throws SQLException {
    database.makeDurable(connection);
  }

  /** Undoes the transaction; the session may be used on. */
  void rollback() throws SQLException {
    writer.clear();
    dropChanges.clearBatch();
    settledTo.clearBatch();
    connection.rollback();
  }

  /** Forgets this committer's mark: no transaction of it is in doubt. */
  void dropMark() throws SQLException {
    try (PreparedStatement drop = connection.prepareStatement(LogSql.DROP_MARK)) {
      drop.setString(1, committer);
      drop.executeUpdate();
    }
    connection.commit();
  }

  @Override
  public void close() {
    closeQuietly(connection);
  }

  private static void closeQuietly(Connection connection) {
    try {
      connection.close();
    } catch (SQLException broken) {
      // It is thrown away because it is broken; the database undoes what was open.
    }
  }
}
