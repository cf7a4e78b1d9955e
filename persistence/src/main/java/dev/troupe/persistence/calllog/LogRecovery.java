package dev.troupe.persistence.calllog;

import dev.troupe.actors.id.FunctionId;
import dev.troupe.persistence.StartRefused;
import dev.troupe.persistence.calllog.MergedChanges.Touched;
import dev.troupe.persistence.store.Database;
import dev.troupe.persistence.store.DurableFiles;
import dev.troupe.persistence.store.Query;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings to the tables what a process left in its log files that was killed. Each owner's row says
 * up to which frame its changes are there, in one transaction with these; so nothing is done twice
 * that a sweep or a reader has built on.
 */
final class LogRecovery {

  private static final Logger log = LoggerFactory.getLogger(LogRecovery.class);

  /** Frames of one transaction. */
  private static final int STEP = 2_000;

  private record Left(FunctionId function, long settled) {}

  /**
   * Recovers, and gives an empty log that goes on behind what was.
   *
   * @param segmentBytes of each of its files
   * @throws StartRefused where what was acknowledged is damaged
   */
  static LogFiles recover(
      Path directory, long segmentBytes, Database database, Transactions transactions)
      throws IOException, SQLException {
    DurableFiles.createPrivateDirectory(directory);
    List<LogFrame> frames = LogFiles.read(directory);
    Map<Long, Left> owners = owners(database);
    long last = owners.values().stream().mapToLong(Left::settled).max().orElse(0);
    for (int from = 0; from < frames.size(); from += STEP) {
      List<LogFrame> step = frames.subList(from, Math.min(frames.size(), from + STEP));
      last = Math.max(last, step.getLast().number());
      settle(step, owners, transactions);
    }
    LogFiles files = new LogFiles(directory, segmentBytes, last + 1);
    files.clear();
    if (!frames.isEmpty()) {
      log.info("The calls of the last seconds before a kill were taken from {}", directory);
    }
    return files;
  }

  private static Map<Long, Left> owners(Database database) throws SQLException {
    Map<Long, Left> owners = new HashMap<>();
    try (Connection connection = database.pool().getConnection()) {
      Query.of(connection, LogSql.OWNERS)
          .list(
              row ->
                  owners.put(
                      row.getLong(1), new Left(new FunctionId(row.getString(2)), row.getLong(3))));
    }
    return owners;
  }

  private static void settle(
      List<LogFrame> frames, Map<Long, Left> owners, Transactions transactions)
      throws SQLException {
    Map<Long, MergedChanges> merged = new LinkedHashMap<>();
    Map<Long, Long> numbers = new LinkedHashMap<>();
    List<Touched> changes = new ArrayList<>();
    for (LogFrame frame : frames) {
      for (LogFrame.Row row : frame.rows()) {
        Left left = owners.get(row.owner());
        if (left == null) {
          throw new StartRefused(
              "The call log and its tables are not of one data directory: it has changes of an owner"
                  + " "
                  + row.owner()
                  + " that they don't know. Restore both from one backup.");
        }
        if (frame.number() > left.settled()) {
          changes.add(
              merged
                  .computeIfAbsent(row.owner(), owner -> new MergedChanges(owner, left.function()))
                  .add(ChangeCodec.decode(left.function(), row.changes())));
          numbers.put(row.owner(), frame.number());
        }
      }
    }
    if (!changes.isEmpty()) {
      boolean unused =
          transactions.untilBack(
              session -> {
                session.settle(changes, numbers);
                return true;
              },
              false);
    }
  }

  private LogRecovery() {}
}
