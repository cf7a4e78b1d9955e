package dev.troupe.persistence.directory;

import dev.troupe.actors.directory.Directory;
import dev.troupe.persistence.store.BlockingReads;
import dev.troupe.persistence.store.Database;
import dev.troupe.persistence.store.Micros;
import dev.troupe.persistence.store.Query;
import dev.troupe.persistence.store.SqlFailures;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The directory in a relational database. A name is unique by its index, so two that claim it at
 * once, on whatever process, agree on who has it.
 */
public final class JdbcDirectory implements Directory {

  /** Meeting another writer of the same name this often in a row is no accident any more. */
  private static final int ATTEMPTS = 5;

  private static final String COLUMNS = "kind, environment, name, id, created_at, attributes";

  private static final String INSERT =
      "INSERT INTO directory_entry (" + COLUMNS + ") VALUES (?, ?, ?, ?, ?, ?)";
  private static final String UPDATE =
      """
      UPDATE directory_entry SET environment = ?, name = ?, created_at = ?, attributes = ?
      WHERE kind = ? AND id = ?""";
  private static final String UPDATE_ATTRIBUTES =
      "UPDATE directory_entry SET attributes = ? WHERE kind = ? AND id = ?";

  /** In one order for all, so that writers of a name wait for each other and never in a ring. */
  private static final String LOCK =
      """
      SELECT id FROM directory_entry
      WHERE kind = ? AND (id = ? OR (environment = ? AND name = ?)) ORDER BY id FOR UPDATE""";

  private static final String TAKE_NAME =
      """
      UPDATE directory_entry SET name = NULL
      WHERE kind = ? AND environment = ? AND name = ? AND id <> ?""";
  private static final String REMOVE = "DELETE FROM directory_entry WHERE kind = ? AND id = ?";
  private static final String REMOVE_BEFORE =
      "DELETE FROM directory_entry WHERE kind = ? AND created_at < ?";
  private static final String FIND =
      "SELECT " + COLUMNS + " FROM directory_entry WHERE kind = ? AND environment = ? AND name = ?";
  private static final String BY_ID =
      "SELECT " + COLUMNS + " FROM directory_entry WHERE kind = ? AND id = ?";
  private static final String LIST =
      "SELECT "
          + COLUMNS
          + " FROM directory_entry WHERE kind = ? ORDER BY created_at DESC, id LIMIT ?";
  private static final String LIST_IN =
      "SELECT "
          + COLUMNS
          + " FROM directory_entry WHERE kind = ? AND environment = ?"
          + " ORDER BY kind, environment, created_at DESC, id LIMIT ?";
  private static final String NAMED =
      "SELECT "
          + COLUMNS
          + " FROM directory_entry WHERE kind = ? AND environment = ? AND name > ?"
          + " AND name LIKE ? ESCAPE '!' ORDER BY kind, environment, name LIMIT ?";

  private final Database database;
  private final BlockingReads reads;

  /** A directory in a database that has its tables; the caller closes both. */
  public JdbcDirectory(Database database, BlockingReads reads) {
    this.database = database;
    this.reads = reads;
  }

  @Override
  public CompletionStage<Entry> claim(Entry entry) {
    if (entry.name().isEmpty()) {
      throw new IllegalArgumentException("there is no name to claim for " + entry.id());
    }
    return reads.start(
        () -> {
          for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            Optional<Entry> had = entry(FIND, entry.kind(), entry.environment(), entry.name());
            if (had.isPresent()) {
              return had.get();
            }
            if (wrote(connection -> insert(connection, entry))) {
              return entry;
            }
            refuseSecondName(entry);
          }
          throw contended(entry);
        });
  }

  /** An id that is taken, though not under this name, can't claim: {@link #put} renames. */
  private void refuseSecondName(Entry entry) throws SQLException {
    Optional<Entry> same = entry(BY_ID, entry.kind(), entry.id());
    if (same.isPresent() && !same.get().name().equals(entry.name())) {
      throw new IllegalStateException(
          "%s has the name '%s' and can't claim '%s'"
              .formatted(entry.id(), same.get().name(), entry.name()));
    }
  }

  @Override
  public CompletionStage<Void> put(Entry entry) {
    return reads
        .start(
            () -> {
              for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
                if (wrote(connection -> replace(connection, entry))) {
                  return entry;
                }
              }
              throw contended(entry);
            })
        .thenAccept(_ -> {});
  }

  @Override
  public CompletionStage<Boolean> rename(Entry entry) {
    return reads.start(
        () -> {
          AtomicInteger renamed = new AtomicInteger();
          return wrote(connection -> renamed.set(rewrite(connection, entry))) && renamed.get() == 1;
        });
  }

  @Override
  public CompletionStage<Void> update(Kind kind, String id, Map<String, String> attributes) {
    return reads
        .start(
            () ->
                wrote(
                    connection ->
                        Query.of(connection, UPDATE_ATTRIBUTES)
                            .with(Attributes.toJson(attributes))
                            .with(kind.name())
                            .with(id)
                            .update()))
        .thenAccept(_ -> {});
  }

  @Override
  public CompletionStage<Void> remove(Kind kind, String id) {
    return reads.start(() -> wrote(connection -> delete(connection, kind, id))).thenAccept(_ -> {});
  }

  @Override
  public CompletionStage<Void> removeBefore(Kind kind, Instant time) {
    return reads
        .start(
            () ->
                wrote(
                    connection ->
                        Query.of(connection, REMOVE_BEFORE)
                            .with(kind.name())
                            .with(Micros.of(time))
                            .update()))
        .thenAccept(_ -> {});
  }

  @Override
  public CompletionStage<Optional<Entry>> find(Kind kind, String environment, String name) {
    return reads.start(() -> entry(FIND, kind, environment, name));
  }

  @Override
  public CompletionStage<Optional<Entry>> byId(Kind kind, String id) {
    return reads.start(() -> entry(BY_ID, kind, id));
  }

  @Override
  public CompletionStage<List<Entry>> list(Kind kind, String environment, int limit) {
    return reads.start(
        () -> {
          try (Connection connection = database.pool().getConnection()) {
            Query query =
                environment.isEmpty()
                    ? Query.of(connection, LIST).with(kind.name())
                    : Query.of(connection, LIST_IN).with(kind.name()).with(environment);
            return query.with(limit).list(JdbcDirectory::read);
          }
        });
  }

  @Override
  public CompletionStage<List<Entry>> named(
      Kind kind, String environment, String prefix, String after, int limit) {
    return reads.start(
        () -> {
          try (Connection connection = database.pool().getConnection()) {
            return Query.of(connection, NAMED)
                .with(kind.name())
                .with(environment)
                .with(after)
                .with(prefix.replaceAll("[!%_]", "!$0") + "%")
                .with(limit)
                .list(JdbcDirectory::read);
          }
        });
  }

  private Optional<Entry> entry(String sql, Kind kind, String... rest) throws SQLException {
    try (Connection connection = database.pool().getConnection()) {
      return Query.of(connection, sql)
          .with(kind.name())
          .withAll(List.of(rest))
          .first(JdbcDirectory::read);
    }
  }

  /** Changes rows in one transaction. */
  @FunctionalInterface
  private interface Change {
    void in(Connection connection) throws SQLException;
  }

  /** Commits a change and makes it durable; false when another writer has the name or the id. */
  private boolean wrote(Change change) throws SQLException {
    for (int attempt = 1; ; attempt++) {
      try {
        return wroteOnce(change);
      } catch (SQLException failure) {
        if (attempt == ATTEMPTS || !SqlFailures.isConflict(failure)) {
          throw failure;
        }
      }
    }
  }

  private boolean wroteOnce(Change change) throws SQLException {
    try (Connection connection = database.pool().getConnection()) {
      connection.setAutoCommit(false);
      boolean done = false;
      try {
        change.in(connection);
        connection.commit();
        done = true;
      } catch (SQLException failure) {
        if (SqlFailures.isDuplicate(failure)) {
          return false;
        }
        throw failure;
      } finally {
        if (!done) {
          connection.rollback();
        }
      }
      database.makeDurable(connection);
      return true;
    }
  }

  private static void insert(Connection connection, Entry entry) throws SQLException {
    Query.of(connection, INSERT)
        .with(entry.kind().name())
        .with(entry.environment())
        .with(orNull(entry.name()))
        .with(entry.id())
        .with(Micros.of(entry.createdAt()))
        .with(Attributes.toJson(entry.attributes()))
        .update();
  }

  private static void delete(Connection connection, Kind kind, String id) throws SQLException {
    Query.of(connection, REMOVE).with(kind.name()).with(id).update();
  }

  private static void replace(Connection connection, Entry entry) throws SQLException {
    if (!entry.name().isEmpty()) {
      Query.of(connection, LOCK)
          .with(entry.kind().name())
          .with(entry.id())
          .with(entry.environment())
          .with(entry.name())
          .list(row -> row.getString(1));
      Query.of(connection, TAKE_NAME)
          .with(entry.kind().name())
          .with(entry.environment())
          .with(entry.name())
          .with(entry.id())
          .update();
    }
    if (rewrite(connection, entry) == 0) {
      insert(connection, entry);
    }
  }

  private static int rewrite(Connection connection, Entry entry) throws SQLException {
    return Query.of(connection, UPDATE)
        .with(entry.environment())
        .with(orNull(entry.name()))
        .with(Micros.of(entry.createdAt()))
        .with(Attributes.toJson(entry.attributes()))
        .with(entry.kind().name())
        .with(entry.id())
        .update();
  }

  private static Entry read(ResultSet row) throws SQLException {
    String name = row.getString(3);
    return new Entry(
        Kind.valueOf(row.getString(1)),
        row.getString(2),
        name == null ? "" : name,
        row.getString(4),
        Micros.toInstant(row.getLong(5)),
        Attributes.fromJson(row.getString(6)));
  }

  private static @Nullable String orNull(String name) {
    return name.isEmpty() ? null : name;
  }

  private static IllegalStateException contended(Entry entry) {
    return new IllegalStateException(
        "the name '%s' changes hands all the time; giving up".formatted(entry.name()));
  }
}
