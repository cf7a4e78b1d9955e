package dev.troupe.persistence.store;

import dev.troupe.persistence.StartRefused;
import dev.troupe.persistence.store.Database.Address;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This process's hold on a PostgreSQL store, an advisory lock on a connection of its own, which the
 * processes of one cluster share (docs/decisions/0012). Taken before anything else is done there,
 * so what a database must be like is looked at here, too.
 *
 * <p>Who holds a store is in its cluster, and whom to join is read from it: {@link #enter}. One
 * process at a time enters, and the first of a cluster keeps the others waiting until it is one.
 *
 * <p>Where the connection breaks, the hold is taken again once the database is back. Should another
 * cluster have been formed by then, this process must end; until it does, the call log's fence
 * keeps what it writes from counting.
 */
public final class StoreHold implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(StoreHold.class);

  /** First half of the lock's key, "Trou"; the second is made of the schema's name. */
  static final int LOCK_CLASS = 0x54726F75;

  private static final String SCHEMA = "hashtext(current_schema()) & 2147483647";
  private static final String KEY = LOCK_CLASS + ", " + SCHEMA;

  /** Key of the lock under which one process at a time enters. */
  private static final String ENTRANCE = (LOCK_CLASS + 1) + ", " + SCHEMA;

  /** How often the patience for a read the start of another process may take. */
  private static final int ENTRANCE_PATIENCE = 6;

  private static final int OLDEST = 15;
  private static final Duration CHECK = Duration.ofSeconds(1);
  private static final Duration RETRY = Duration.ofMillis(200);
  private static final int ANSWER_SECONDS = 10;
  private static final Set<String> BYTE_ORDERS = Set.of("C", "POSIX", "C.UTF-8", "C.utf8");

  private final Address address;
  private final String name;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final CompletableFuture<String> lost = new CompletableFuture<>();
  private final Thread watcher;
  private volatile Connection connection;
  private volatile StoreMembers.@Nullable Entered entered;

  private StoreHold(Address address, String name, Connection connection) {
    this.address = address;
    this.name = name;
    this.connection = connection;
    this.watcher =
        Thread.ofPlatform().name("troupe-store-hold").daemon(true).unstarted(this::watch);
  }

  /**
   * Takes hold of a store, once nobody else is on the way in; {@link #enter} is to follow. Waits as
   * long as {@code patience} allows the start of another process to take.
   *
   * @throws StartRefused where it can't be reached or used, or a server of an older release has it
   */
  public static StoreHold take(Address address, Duration patience) {
    if (!address.isPostgres()) {
      throw new StartRefused(
          ("The setting troupe.store.url is \"%s\". It must begin with jdbc:postgresql://, or be"
                  + " empty for a store in the data directory.")
              .formatted(address.place()));
    }
    String name =
        "troupe %d %s"
            .formatted(
                ProcessHandle.current().pid(),
                HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt()));
    @Nullable Connection connection = null;
    boolean held = false;
    try {
      connection = connect(address, name);
      check(address, connection);
      lock(address, connection, patience);
      held = true;
    } catch (SQLException failure) {
      throw new StartRefused(sentence(address, failure), failure);
    } finally {
      if (!held && connection != null) {
        closeQuietly(connection);
      }
    }
    return new StoreHold(address, name, connection);
  }

  private static Connection connect(Address address, String name) throws SQLException {
    Properties properties = new Properties();
    properties.setProperty("ApplicationName", name);
    properties.setProperty("connectTimeout", Integer.toString(ANSWER_SECONDS));
    Connection connection = address.connect(properties);
    try (Statement statement = connection.createStatement()) {
      // So that PostgreSQL soon misses a process whose machine has vanished.
      statement.execute(
          "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2;"
              + " SET tcp_keepalives_count = 3");
    }
    return connection;
  }

  // ---- what a store must be like

  private static void check(Address address, Connection connection) throws SQLException {
    int version = connection.getMetaData().getDatabaseMajorVersion();
    if (version < OLDEST) {
      throw new StartRefused(
          "%s is PostgreSQL %d; Troupe needs %d or newer."
              .formatted(address.place(), version, OLDEST));
    }
    String place = address.place();
    if (setting(connection, "SELECT current_schema()").isEmpty()) {
      throw new StartRefused(
          ("The schema that the user \"%s\" works in is not there in %s. Make it (CREATE SCHEMA),"
                  + " or leave currentSchema out of troupe.store.url.")
              .formatted(address.user(), place));
    }
    if (setting(connection, "SHOW synchronous_commit").orElse("").equals("off")) {
      throw new StartRefused(
          ("%s has synchronous_commit = off: a commit would be acknowledged before it is on disk."
                  + " Turn it on for the user: ALTER ROLE \"%s\" SET synchronous_commit = on.")
              .formatted(place, address.user()));
    }
    for (String name : new String[] {"fsync", "full_page_writes"}) {
      if (setting(connection, "SHOW " + name).orElse("").equals("off")) {
        log.warn("{} has {} = off: a power cut may lose what was acknowledged", place, name);
      }
    }
    String order =
        setting(
                connection,
                "SELECT CASE datlocprovider WHEN 'i' THEN 'ICU' WHEN 'b' THEN 'C'"
                    + " ELSE datcollate END || ', ' ||"
                    + " pg_encoding_to_char(encoding) FROM pg_database"
                    + " WHERE datname = current_database()")
            .orElse("");
    String[] parts = order.split(", ", 2);
    if (!BYTE_ORDERS.contains(parts[0]) || !parts[1].equals("UTF8")) {
      throw new StartRefused(
          ("The database %s sorts by %s; Troupe needs texts in UTF-8 in the order of their bytes."
                  + " Make it anew: CREATE DATABASE troupe OWNER \"%s\" TEMPLATE template0"
                  + " ENCODING 'UTF8'"
                  + " LC_COLLATE 'C' LC_CTYPE 'C'")
              .formatted(place, order, address.user()));
    }
  }

  private static Optional<String> setting(Connection connection, String sql) throws SQLException {
    return Query.of(connection, sql)
        .first(row -> Optional.ofNullable(row.getString(1)))
        .flatMap(value -> value);
  }

  private static String sentence(Address address, SQLException failure) {
    String place = address.place();
    String state = String.valueOf(failure.getSQLState());
    String why = String.valueOf(failure.getMessage()).replaceAll("\\s+", " ");
    if (DriverManager.drivers().noneMatch(driver -> accepts(driver, address.url()))) {
      return "The setting troupe.store.url is no address that JDBC knows: %s.".formatted(place);
    }
    if (state.startsWith("28")) {
      return ("The database %s does not let the user \"%s\" in: %s. Look at troupe.store.user and"
              + " troupe.store.password (or the variable TROUPE_STORE_PASSWORD).")
          .formatted(place, address.user(), why);
    }
    if (state.equals("3D000")) {
      return ("There is no database %s. Make it: CREATE DATABASE troupe OWNER \"%s\" TEMPLATE"
              + " template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'")
          .formatted(place, address.user());
    }
    if (SqlFailures.isAway(failure)) {
      return ("The database %s can't be reached now: %s. Look at troupe.store.url, and whether"
              + " PostgreSQL runs there.")
          .formatted(place, why);
    }
    return "The database %s can't be used: %s".formatted(place, why);
  }

  private static boolean accepts(java.sql.Driver driver, String url) {
    try {
      return driver.acceptsURL(url);
    } catch (SQLException no) {
      return false;
    }
  }

  // ---- the lock

  private static void lock(Address address, Connection connection, Duration patience)
      throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(
          "SET lock_timeout = " + Math.max(1, patience.toMillis() * ENTRANCE_PATIENCE));
      statement.execute("SELECT pg_advisory_lock(" + ENTRANCE + ")");
      statement.execute("SET lock_timeout = " + Math.max(1, patience.toMillis()));
      statement.execute("SELECT pg_advisory_lock_shared(" + KEY + ")");
    } catch (SQLException failure) {
      if (!"55P03".equals(failure.getSQLState())) {
        throw failure;
      }
      throw new StartRefused(
          ("The store %s is in use by another server (%s) that lets nobody in. Stop that one, or"
                  + " give this one a database of its own.")
              .formatted(address.place(), holder(connection).orElse("it ended just now")),
          failure);
    }
  }

  /** The process that has the lock, as it calls itself, and from where. */
  private static Optional<String> holder(Connection connection) throws SQLException {
    return Query.of(connection, HOLDER).first(row -> row.getString(1) + " at " + row.getString(2));
  }

  private static final String HOLDER =
      """
      SELECT a.application_name, coalesce(host(a.client_addr), 'this machine'), a.pid
      FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
      WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND l.classid IN (%d::oid, %d::oid)
        AND l.objid = (hashtext(current_schema()) & 2147483647)::oid
        AND a.pid <> pg_backend_pid()
      ORDER BY l.classid DESC"""
          .formatted(LOCK_CLASS, LOCK_CLASS + 1);

  /**
   * Enters the cluster of this store, or lets nobody else in until a new one is {@link #formed}.
   *
   * @param store the database, with its tables
   * @param member where the processes of the cluster reach this one; empty where none may
   * @return where its members are reached; empty where this process is the first
   * @throws StartRefused where it has a member that nobody reaches
   */
  public List<String> enter(Database store, String member) {
    try {
      StoreMembers members = new StoreMembers(store, name);
      StoreMembers.Entered done = members.enter(member);
      watcher.start();
      entered = done;
      if (!done.others().isEmpty()) {
        formed();
      }
      return done.others();
    } catch (SQLException failure) {
      throw new StartRefused(sentence(address, failure), failure);
    }
  }

  /** There is a cluster now: others may enter. */
  public void formed() {
    try (Statement statement = connection.createStatement()) {
      statement.execute("SELECT pg_advisory_unlock(" + ENTRANCE + ")");
    } catch (SQLException broken) {
      log.debug("The lock ended with its connection", broken);
    }
  }

  /** Done, with a sentence, once another cluster has the store: this process must end. */
  public CompletionStage<String> lost() {
    return lost;
  }

  private void watch() {
    try {
      while (!closed.await(CHECK.toMillis(), TimeUnit.MILLISECONDS)) {
        if (!isAlive(connection) && !takeAgain()) {
          return;
        }
      }
    } catch (InterruptedException nobodyShould) {
      Thread.currentThread().interrupt();
    }
  }

  private static boolean isAlive(Connection connection) {
    try {
      return connection.isValid(ANSWER_SECONDS);
    } catch (SQLException broken) {
      return false;
    }
  }

  /** Takes the lock over a new connection; false when another process has it, or we close. */
  private boolean takeAgain() throws InterruptedException {
    log.warn("The store {} does not answer; its hold is taken again once it does", address.place());
    closeQuietly(connection);
    do {
      try {
        Connection fresh = connect(address, name);
        connection = fresh;
        if (taken(fresh)) {
          StoreMembers.Entered before = entered;
          if (before != null && !StoreMembers.isStill(fresh, before, name)) {
            lost.complete(
                ("The store %s was taken over by another cluster while this server could not reach"
                        + " it.")
                    .formatted(address.place()));
            return false;
          }
          log.info("The store {} answers again, and is this server's", address.place());
          return true;
        }
        Optional<String> other = holder(fresh);
        if (other.isPresent() && !other.get().startsWith(name + " at ")) {
          lost.complete(
              ("The store %s was taken over by another server (%s) while this one could not"
                      + " reach it.")
                  .formatted(address.place(), other.get()));
          return false;
        }
        endFormer(fresh);
      } catch (SQLException away) {
        log.debug("The store is away", away);
      }
      closeQuietly(connection);
    } while (!closed.await(RETRY.toMillis(), TimeUnit.MILLISECONDS));
    return false;
  }

  private static boolean taken(Connection connection) throws SQLException {
    return Query.of(connection, "SELECT pg_try_advisory_lock_shared(" + KEY + ")")
        .first(row -> row.getBoolean(1))
        .orElse(false);
  }

  /** Our connection before this one: the server may not have noticed yet that it broke. */
  private void endFormer(Connection connection) throws SQLException {
    Query.of(
            connection,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                + " WHERE application_name = ? AND pid <> pg_backend_pid()")
        .with(name)
        .list(row -> row.getBoolean(1));
  }

  @Override
  public void close() {
    closed.countDown();
    try {
      if (entered != null) {
        watcher.join(Duration.ofSeconds(ANSWER_SECONDS));
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
    closeQuietly(connection);
  }

  private static void closeQuietly(Connection connection) {
    try {
      connection.close();
    } catch (SQLException broken) {
      // Its end is what was wanted.
    }
  }

  // ---- whose store it is

  /**
   * Notes at the first start which blobs belong to this store, and refuses others later.
   *
   * @param blobs names the place of blobs, whatever path leads to it
   */
  public static void checkBlobs(Database database, Address address, String blobs) {
    try (Connection connection = database.pool().getConnection()) {
      if (!kept(connection, 2, blobs).equals(blobs)) {
        throw new StartRefused(
            ("The blobs of this process are not those of the store %s. All processes of a cluster"
                    + " have one place of blobs, a bucket or a shared directory: name it in"
                    + " troupe.blob.url.")
                .formatted(address.place()));
      }
    } catch (SQLException failure) {
      throw new StartRefused(sentence(address, failure), failure);
    }
  }

  /** Keeps a value where none is kept; gives the one that is. */
  private static String kept(Connection connection, int id, String value) throws SQLException {
    Query.of(
            connection,
            "INSERT INTO store_keys (id, keys) VALUES (?, ?) ON CONFLICT (id) DO NOTHING")
        .with(id)
        .with(value)
        .update();
    return Query.of(connection, "SELECT keys FROM store_keys WHERE id = ?")
        .with(id)
        .first(row -> row.getString(1))
        .orElseThrow();
  }

  /**
   * Notes at the first start which keys belong to this store, and refuses others later: they could
   * neither read its secrets nor know its ids.
   *
   * @param keys what tells the keys of the data directory from others, and tells nobody the keys
   */
  public static void checkKeys(Database database, Address address, String keys) {
    try (Connection connection = database.pool().getConnection()) {
      if (!kept(connection, 1, keys).equals(keys)) {
        throw new StartRefused(
            ("The store %s was made with the keys of another data directory. Start with that one"
                    + " (or with the backup of its keys/ and blobs/), or with a new database; to be"
                    + " another process of its cluster, join it: --join HOST:PORT --token TOKEN.")
                .formatted(address.place()));
      }
    } catch (SQLException failure) {
      throw new StartRefused(sentence(address, failure), failure);
    }
  }
}
