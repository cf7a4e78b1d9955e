package dev.troupe.persistence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import dev.troupe.persistence.vault.KeyFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
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

  /** Opens the same store and blobs with a copy of the keys, as a process that joined has them. */
  private Persistence joined(PersistenceSettings settings, Path directory) throws IOException {
    KeyFiles.bring(directory, KeyFiles.all(data));
    return start(patient(settings, Duration.ofSeconds(2)), directory, "127.0.0.1:2");
  }

  /** Opens the store with blobs that other processes share. */
  private Persistence start(PersistenceSettings settings, Path directory, String member)
      throws IOException {
    Path blobs = Files.createDirectories(data.resolveSibling("shared-blobs"));
    BlobSettings shared =
        BlobSettings.from(
            ConfigFactory.parseMap(Map.of("troupe.blob.url", "file://" + blobs))
                .withFallback(ConfigFactory.load())
                .getConfig("troupe"));
    return Persistence.start(settings, shared, directory, member);
  }

  private static PersistenceSettings patient(PersistenceSettings settings, Duration patience) {
    return PersistenceSettings.from(
        ConfigFactory.parseMap(
                Map.of(
                    "troupe.store.url", settings.url(),
                    "troupe.store.user", settings.user(),
                    "troupe.store.password", settings.password(),
                    "troupe.store.read-patience", patience))
            .withFallback(ConfigFactory.load())
            .getConfig("troupe"));
  }

  @Test
  void aProcessWithTheSameKeysFindsTheFirstOneToJoin(@TempDir Path other) throws Exception {
    PersistenceSettings settings = server.settings();
    try (Persistence first = start(settings, data, "127.0.0.1:1")) {
      assertThat(first.members()).isEmpty();
      first.formed();

      try (Persistence second = joined(settings, other.resolve("data"))) {
        assertThat(second.members()).containsExactly("127.0.0.1:1");
      }
    }
    try (Persistence alone = joined(settings, other.resolve("again"))) {
      assertThat(alone.members()).as("of those that have ended").isEmpty();
    }
  }

  @Test
  void nobodyEntersWhileAClusterIsBeingFormed(@TempDir Path other) throws Exception {
    PersistenceSettings settings = server.settings();
    try (Persistence _ = start(settings, data, "127.0.0.1:1")) {
      KeyFiles.bring(other.resolve("data"), KeyFiles.all(data));
      refused(
          patient(settings, Duration.ofMillis(250)),
          other.resolve("data"),
          "in use by another server (troupe " + ProcessHandle.current().pid(),
          "lets nobody in");
    }
  }

  @Test
  void blobsOfItsOwnAreRefusedToAProcessThatJoins(@TempDir Path other) throws Exception {
    PersistenceSettings settings = server.settings();
    Persistence.start(settings, data).close();
    KeyFiles.bring(other.resolve("data"), KeyFiles.all(data));

    refused(settings, other.resolve("data"), "are not those of the store", "troupe.blob.url");
  }

  @Test
  void theKeysOfAnotherDirectoryAreRefused(@TempDir Path other) {
    PersistenceSettings settings = server.settings();
    Persistence.start(settings, data).close();

    refused(
        settings,
        other.resolve("data"),
        "made with the keys of another data directory",
        "--join HOST:PORT --token TOKEN");

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

  private static final String HOLDERS =
      "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted";

  private static Set<Integer> holders(Connection connection) throws SQLException {
    Set<Integer> holders = new HashSet<>();
    try (var statement = connection.createStatement();
        var rows = statement.executeQuery(HOLDERS)) {
      while (rows.next()) {
        holders.add(rows.getInt(1));
      }
    }
    return holders;
  }

  @Test
  void aHoldThatBreaksIsTakenAgain() throws Exception {
    try (Persistence first = Persistence.start(server.settings(), data);
        Connection connection = server.connect("postgres")) {
      Set<Integer> before = holders(connection);
      cut(connection);

      long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
      while (before.containsAll(holders(connection))) {
        assertThat(System.nanoTime()).isLessThan(end);
        Thread.sleep(20);
      }
      assertThat(first.lost().toCompletableFuture()).isNotDone();
    }
  }

  @Test
  void aServerWhoseStoreAnotherClusterTookMeanwhileIsTold() throws Exception {
    PersistenceSettings settings = server.settings();
    String schema = settings.url().replaceFirst(".*=", "");
    try (Persistence first = Persistence.start(settings, data);
        Connection connection = server.connect("postgres")) {
      server.execute("postgres", "UPDATE %s.store_cluster SET cluster = 'x'".formatted(schema));
      cut(connection);

      assertThat(first.lost().toCompletableFuture().get(30, TimeUnit.SECONDS))
          .contains("was taken over by another cluster");
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
