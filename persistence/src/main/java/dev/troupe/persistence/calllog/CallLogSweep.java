package dev.troupe.persistence.calllog;

import dev.troupe.actors.id.BlobId;
import dev.troupe.persistence.store.Database;
import dev.troupe.persistence.store.Micros;
import dev.troupe.persistence.store.Query;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Forgets what is no longer asked for: cleared results, finished calls, and the payload blobs of
 * inputs that ended. Goes from function to function in short transactions under the owner's lock,
 * so that it neither meets the committer's changes half done nor holds it up for long. A sweep that
 * spent its budget goes on, the next time, where it stopped.
 */
final class CallLogSweep {

  private static final Logger log = LoggerFactory.getLogger(CallLogSweep.class);

  /** Rows of one transaction: a few milliseconds for the committer to wait. */
  private static final int STEP = 200;

  static final String CLEARED =
      """
      SELECT call_key, idx FROM function_input
      WHERE owner_id = ? AND state = 3 AND place < ?
      ORDER BY owner_id, state, place LIMIT ?""";

  static final String SPENT_PAYLOADS =
      """
      SELECT b.blob, b.call_key, b.idx FROM input_blob b JOIN function_input i
        ON i.owner_id = b.owner_id AND i.call_key = b.call_key AND i.idx = b.idx
      WHERE b.owner_id = ? AND b.role = 0 AND i.state >= 2 LIMIT ?""";

  /**
   * Calls all of whose inputs ended that long ago: also those that were never closed and that
   * nobody went on with.
   */
  static final String OLD_CALLS =
      """
      SELECT c.call_key FROM function_call c
      WHERE c.owner_id = ? AND c.is_open = ? AND c.created_at < ? AND NOT EXISTS (
        SELECT 1 FROM function_input i WHERE i.owner_id = c.owner_id AND i.call_key = c.call_key
          AND (i.state IN (0, 1) OR i.finished_at >= ?))
      ORDER BY c.owner_id, c.is_open, c.created_at LIMIT ?""";

  static final String INPUTS_OF_CALL =
      """
      SELECT call_key, idx FROM function_input
      WHERE owner_id = ? AND call_key = ? ORDER BY owner_id, call_key, idx LIMIT ?""";

  static final String LOCK = "SELECT id FROM function_owner WHERE id = ? FOR UPDATE";
  static final String ANY_CHANGES = "SELECT 1 FROM call_change WHERE owner_id = ? LIMIT 1";
  static final String ANY_BLOB = "SELECT 1 FROM input_blob WHERE owner_id = ? LIMIT 1";
  static final String BLOBS =
      """
      SELECT blob FROM input_blob
      WHERE owner_id = ? AND call_key = ? AND idx = ? AND role = ?""";
  static final String DROP_BLOBS =
      """
      DELETE FROM input_blob
      WHERE owner_id = ? AND call_key = ? AND idx = ? AND role = ?""";
  static final String DROP_PAYLOAD_BLOB =
      """
      DELETE FROM input_blob
      WHERE blob = ? AND owner_id = ? AND call_key = ? AND idx = ? AND role = 0""";
  static final String DROP_INPUT =
      "DELETE FROM function_input WHERE owner_id = ? AND call_key = ? AND idx = ?";
  static final String FORGET =
      """
      UPDATE function_call SET forgotten = forgotten + 1
      WHERE owner_id = ? AND call_key = ?""";
  static final String DROP_CALL = "DELETE FROM function_call WHERE owner_id = ? AND call_key = ?";

  /** Calls of which every input was taken by its reader: nothing will be asked any more. */
  static final String DROP_COLLECTED_CALL =
      """
      DELETE FROM function_call
      WHERE owner_id = ? AND call_key = ? AND total >= 0 AND forgotten >= total""";

  private record InputKey(String call, int index) {}

  private record PayloadBlob(String blob, InputKey input) {}

  private final Database database;
  private final int budget;
  private final AtomicLong lastOwner = new AtomicLong();

  CallLogSweep(Database database, int budget) {
    this.database = database;
    this.budget = budget;
  }

  /** One sweep; gives the blobs that no row owns any more. */
  List<BlobId> sweep(Instant clearedBefore, Instant finishedBefore) throws SQLException {
    Set<String> gone = new LinkedHashSet<>();
    try (Connection connection = database.pool().getConnection()) {
      connection.setAutoCommit(false);
      int left = budget;
      for (long owner : ownersInTurn(connection)) {
        Step step = new Step(connection, owner, clearedBefore, finishedBefore, gone);
        for (int done = step.run(); done > 0 && left > 0; done = step.run()) {
          left -= done;
        }
        lastOwner.set(owner);
        if (left <= 0) {
          break;
        }
      }
      // Files go after rows: a row that came back after a power cut would miss its blob.
      database.makeDurable(connection);
      gone.removeAll(OwnedBlobs.among(connection, List.copyOf(gone)));
      connection.commit();
    } catch (SQLException failure) {
      if (gone.isEmpty()) {
        throw failure;
      }
      log.warn(
          "A sweep of the call log stopped early; its blobs are left to that of orphans", failure);
      return List.of();
    }
    return gone.stream().map(BlobId::new).toList();
  }

  private List<Long> ownersInTurn(Connection connection) throws SQLException {
    List<Long> all =
        Query.of(connection, "SELECT id FROM function_owner ORDER BY id")
            .list(row -> row.getLong(1));
    connection.commit();
    long last = lastOwner.get();
    List<Long> turn = new ArrayList<>(all.stream().filter(id -> id > last).toList());
    turn.addAll(all.stream().filter(id -> id <= last).toList());
    return turn;
  }

  /** The transactions of one function. */
  private record Step(
      Connection connection, long owner, Instant cleared, Instant finished, Set<String> gone) {

    /** One transaction; gives how many rows went, 0 when nothing is left to do. */
    int run() throws SQLException {
      boolean done = false;
      try {
        int rows = 0;
        if (anything()) {
          Query.of(connection, LOCK).with(owner).list(row -> row.getLong(1));
          rows = dropCleared() + dropSpentPayloads() + dropOldCalls(false) + dropOldCalls(true);
        }
        connection.commit();
        done = true;
        return rows;
      } finally {
        if (!done) {
          connection.rollback();
        }
      }
    }

    /** Looks without the lock, which most functions then need not give. */
    private boolean anything() throws SQLException {
      return !cleared(1).isEmpty()
          || !spentPayloads(1).isEmpty()
          || !oldCalls(false, 1).isEmpty()
          || !oldCalls(true, 1).isEmpty();
    }

    private int dropCleared() throws SQLException {
      List<InputKey> inputs = cleared(STEP);
      drop(inputs);
      Set<String> calls = new LinkedHashSet<>();
      inputs.forEach(input -> calls.add(input.call()));
      for (String call : calls) {
        Query.of(connection, DROP_COLLECTED_CALL).with(owner).with(call).update();
      }
      return inputs.size();
    }

    private int dropSpentPayloads() throws SQLException {
      List<PayloadBlob> blobs = spentPayloads(STEP);
      for (PayloadBlob blob : blobs) {
        Query.of(connection, DROP_PAYLOAD_BLOB)
            .with(blob.blob())
            .with(owner)
            .with(blob.input().call())
            .with(blob.input().index())
            .update();
        gone.add(blob.blob());
      }
      return blobs.size();
    }

    private int dropOldCalls(boolean open) throws SQLException {
      if (open && isUnsettled()) {
        // A new input of such a call may be on its way.
        return 0;
      }
      int rows = 0;
      for (String call : oldCalls(open, STEP)) {
        List<InputKey> inputs =
            Query.of(connection, INPUTS_OF_CALL).with(owner).with(call).with(STEP).list(this::key);
        drop(inputs);
        rows += inputs.size() + 1;
        if (inputs.size() == STEP) {
          break;
        }
        Query.of(connection, DROP_CALL).with(owner).with(call).update();
        if (rows >= STEP) {
          break;
        }
      }
      return rows;
    }

    private boolean isUnsettled() throws SQLException {
      return Query.of(connection, ANY_CHANGES).with(owner).first(row -> row.getInt(1)).isPresent();
    }

    private void drop(List<InputKey> inputs) throws SQLException {
      boolean blobs =
          !inputs.isEmpty()
              && Query.of(connection, ANY_BLOB).with(owner).first(row -> row.getInt(1)).isPresent();
      for (InputKey input : inputs) {
        if (blobs) {
          for (int role : new int[] {TableWriter.PAYLOAD, TableWriter.RESULT}) {
            gone.addAll(bound(BLOBS, input).with(role).list(row -> row.getString(1)));
            bound(DROP_BLOBS, input).with(role).update();
          }
        }
        bound(DROP_INPUT, input).update();
        Query.of(connection, FORGET).with(owner).with(input.call()).update();
      }
    }

    private Query bound(String sql, InputKey input) throws SQLException {
      return Query.of(connection, sql).with(owner).with(input.call()).with(input.index());
    }

    private List<InputKey> cleared(int limit) throws SQLException {
      return Query.of(connection, CLEARED)
          .with(owner)
          .with(Micros.of(cleared))
          .with(limit)
          .list(this::key);
    }

    private List<PayloadBlob> spentPayloads(int limit) throws SQLException {
      return Query.of(connection, SPENT_PAYLOADS)
          .with(owner)
          .with(limit)
          .list(
              row ->
                  new PayloadBlob(row.getString(1), new InputKey(row.getString(2), row.getInt(3))));
    }

    private List<String> oldCalls(boolean open, int limit) throws SQLException {
      return Query.of(connection, OLD_CALLS)
          .with(owner)
          .with(open)
          .with(Micros.of(finished))
          .with(Micros.of(finished))
          .with(limit)
          .list(row -> row.getString(1));
    }

    private InputKey key(java.sql.ResultSet row) throws SQLException {
      return new InputKey(row.getString(1), row.getInt(2));
    }
  }
}
