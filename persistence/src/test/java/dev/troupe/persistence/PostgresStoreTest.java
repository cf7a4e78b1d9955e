package dev.troupe.persistence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A store on PostgreSQL as the person who starts a server meets it. */
class PostgresStoreTest {

  private static final PersistenceSettings EMBEDDED =
      PersistenceSettings.from(ConfigFactory.load().getConfig("troupe"));

  private Path data;
  private Postgres server;

  @BeforeEach
  void name(@TempDir Path directory) {
    data = directory.resolve("data");
    server = Postgres.shared();
  }

  private void refused(PersistenceSettings settings, Path directory, String... words) {
    assertThatThrownBy(() -> Persistence.start(settings, directory).close())
        .isInstanceOf(StartRefused.class)
        .message()
        .contains(words)
        .doesNotContain(Postgres.PASSWORD);
  }

  @Test
  void aWrongPasswordIsRefused() {
    refused(
        Postgres.settings(server.schema().url(), "wrong"),
        data,
        "does not let the user \"troupe\" in",
        "troupe.store.password");
  }

  @Test
  void anAddressWhereNothingAnswersIsRefused() {
    refused(
        Postgres.settings("jdbc:postgresql://127.0.0.1:1/troupe", Postgres.PASSWORD),
        data,
        "jdbc:postgresql://127.0.0.1:1/troupe can't be reached now",
        "whether PostgreSQL runs there");
  }

  @Test
  void aDatabaseThatIsNotThereIsRefusedWithTheStatementThatMakesIt() {
    refused(
        Postgres.settings(server.url("nothing"), Postgres.PASSWORD),
        data,
        "There is no database",
        "CREATE DATABASE troupe OWNER \"troupe\"");
    refused(
        Postgres.settings(server.url("postgres") + "?currentSchema=nothing", Postgres.PASSWORD),
        data,
        "The schema",
        "CREATE SCHEMA");
  }

  @Test
  void aDatabaseThatSortsByALanguageIsRefused() {
    server.execute(
        "postgres",
        "CREATE DATABASE german TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de'");

    refused(
        Postgres.settings(server.url("german"), Postgres.PASSWORD),
        data,
        "sorts by ICU",
        "LC_COLLATE 'C'");
  }

  @Test
  void commitsThatAreNotWaitedForAreRefused() {
    refused(
        Postgres.settings(
            server.schema().url() + "&options=-c%20synchronous_commit=off", Postgres.PASSWORD),
        data,
        "synchronous_commit = off");
  }

  @Test
  void tablesOfALaterReleaseAreRefused() throws Exception {
    PersistenceSettings settings = server.settings();
    Persistence.start(settings, data).close();
    String schema = settings.url().replaceFirst(".*=", "");
    server.execute(
        "postgres",
        ("INSERT INTO %s.schema_calls SELECT 99, '99', 'later', 'SQL', 'V99__later.sql', 1, 'x',"
                + " now(), 1, true")
            .formatted(schema));

    refused(settings, data, "later release of Troupe (V99__later.sql, version 99)");
  }

  @Test
  void aSecondServerIsRefusedWithTheFirstOnesProcessUntilThatEnds(@TempDir Path other) {
    PersistenceSettings settings = server.settings();
    Persistence first = Persistence.start(settings, data);

    refused(
        Postgres.settings(settings.url(), Postgres.PASSWORD, Duration.ofMillis(300)),
        other.resolve("data"),
        "in use by another server (troupe " + ProcessHandle.current().pid(),
        "One server at a time");

    first.close();
    Persistence.start(settings, data).close();
  }

  @Test
  void theKeysOfAnotherDirectoryAreRefused(@TempDir Path other) {
    PersistenceSettings settings = server.settings();
    Persistence.start(settings, data).close();

    refused(settings, other.resolve("data"), "made with the keys of another data directory");

    Persistence.start(settings, data).close();
  }

  @Test
  void aDirectoryGoesOnWithTheKindOfStoreThatItBeganWith(@TempDir Path other) {
    PersistenceSettings settings = server.settings();
    Persistence.start(settings, data).close();
    refused(EMBEDDED, data, "is not in it", "troupe.store.url");

    Persistence.start(EMBEDDED, other).close();
    refused(settings, other, "has a store of its own");
  }

  private static void cut(Connection connection) throws SQLException {
    try (var statement = connection.createStatement()) {
      statement.execute(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE"
              + " 'troupe "
              + ProcessHandle.current().pid()
              + " %'");
    }
  }

  private static final String HELD =
      "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted";

  private static int count(Connection connection) throws SQLException {
    try (var statement = connection.createStatement();
        var rows = statement.executeQuery(HELD)) {
      rows.next();
      return rows.getInt(1);
    }
  }

  @Test
  void aHoldThatBreaksIsTakenAgain() throws Exception {
    try (Persistence first = Persistence.start(server.settings(), data);
        Connection connection = server.connect("postgres")) {
      cut(connection);
      assertThat(count(connection)).isZero();

      long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
      while (count(connection) == 0) {
        assertThat(System.nanoTime()).isLessThan(end);
        Thread.sleep(20);
      }
      assertThat(first.lost().toCompletableFuture()).isNotDone();
    }
  }

  @Test
  void aServerWhoseStoreAnotherTookMeanwhileIsTold() throws Exception {
    PersistenceSettings settings = server.settings();
    String schema = settings.url().replaceFirst(".*=", "");
    try (Persistence first = Persistence.start(settings, data);
        Connection connection = server.connect("postgres")) {
      connection.setSchema(schema);
      connection.setClientInfo("ApplicationName", "another");
      cut(connection);
      try (var statement = connection.createStatement()) {
        // As the other one does, before the first looks again.
        statement.execute(
            "SELECT pg_advisory_lock(1416785781, hashtext(current_schema()) & 2147483647)");
      }

      assertThat(first.lost().toCompletableFuture().get(30, TimeUnit.SECONDS))
          .contains("was taken over by another server (another at 127.0.0.1)");
    }
  }
}
