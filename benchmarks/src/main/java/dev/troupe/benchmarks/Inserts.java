package dev.troupe.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;

/** Plain batched inserts into an H2 file, each batch durable before the next: for comparison. */
final class Inserts {

  private static final int BATCH = 100;

  private Inserts() {}

  /** Rows a second. */
  static double rate(Path parent, Duration time) throws SQLException, IOException {
    Path directory = Files.createTempDirectory(parent, "inserts");
    String url = "jdbc:h2:file:%s;RETENTION_TIME=0".formatted(directory.resolve("rows"));
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute(
          "CREATE TABLE input (call_key VARCHAR(22), idx INT, payload BYTEA,"
              + " PRIMARY KEY (call_key, idx))");
      load(connection, statement, time.dividedBy(2));
      long start = System.nanoTime();
      int rows = load(connection, statement, time);
      return rows / ((System.nanoTime() - start) / 1e9);
    } finally {
      delete(directory);
    }
  }

  private static int load(Connection connection, Statement statement, Duration time)
      throws SQLException {
    int rows = 0;
    long end = System.nanoTime() + time.toNanos();
    String run = Long.toString(System.nanoTime(), Character.MAX_RADIX);
    try (PreparedStatement insert =
        connection.prepareStatement("INSERT INTO input VALUES (?, ?, ?)")) {
      while (System.nanoTime() < end) {
        for (int i = 0; i < BATCH; i++) {
          insert.setString(1, run + rows++);
          insert.setInt(2, 0);
          insert.setBytes(3, Calls.ARGUMENTS.toByteArray());
          insert.addBatch();
        }
        insert.executeBatch();
        connection.commit();
        statement.execute("CHECKPOINT SYNC");
      }
    }
    return rows;
  }

  private static void delete(Path directory) throws IOException {
    List<Path> files;
    try (var walk = Files.walk(directory)) {
      files = walk.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path file : files) {
      Files.delete(file);
    }
  }
}
