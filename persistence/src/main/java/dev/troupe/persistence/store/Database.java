package dev.troupe.persistence.store;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.troupe.persistence.StartRefused;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Properties;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;

/**
 * One relational database: how to reach it, and what makes a commit durable there. SQL is written
 * for H2 and PostgreSQL alike, so another database is another URL.
 */
public final class Database implements AutoCloseable {

  /**
   * Where a database is.
   *
   * @param url as JDBC has it
   */
  public record Address(String url, String user, String password) {

    /** An H2 file; {@code cacheBytes} of its pages are kept in memory. */
    public static Address h2(Path file, long cacheBytes) {
      if (file.toString().contains(";")) {
        throw new StartRefused(
            "The path of the data directory may not hold a semicolon: %s".formatted(file));
      }
      // RETENTION_TIME: with the default, space is reused only after 45 s, and the file grows by
      // 40 KB a call until then. LOCK_TIMEOUT: a claim waits for the group commit before it.
      return new Address(
          ("jdbc:h2:file:%s;RETENTION_TIME=0;DB_CLOSE_ON_EXIT=FALSE;LOCK_TIMEOUT=10000"
                  + ";CACHE_SIZE=%d")
              .formatted(file, cacheBytes / 1024),
          "sa",
          "");
    }

    /** For messages: without what only drivers read. */
    String place() {
      return url.replaceFirst(";.*", "");
    }

    /** H2 writes behind a commit, so it must be told when to have written. */
    public boolean writesBehind() {
      return url.startsWith("jdbc:h2:");
    }
  }

  private final Address address;
  private final HikariDataSource pool;

  private Database(Address address, HikariDataSource pool) {
    this.address = address;
    this.pool = pool;
  }

  /**
   * Connects, with {@code connections} at most in the pool (at least 2: the migration needs them),
   * and brings the tables up to date by the scripts in {@code db/<schema>}.
   *
   * @throws StartRefused when it can't be reached, or its tables are a later release's
   */
  public static Database open(Address address, String schema, int connections, Duration patience) {
    HikariConfig config = new HikariConfig();
    config.setPoolName("troupe-" + schema);
    config.setJdbcUrl(address.url());
    config.setUsername(address.user());
    config.setPassword(address.password());
    config.setMaximumPoolSize(connections);
    // One stays: H2 closes its file with the last connection.
    config.setMinimumIdle(1);
    config.setConnectionTimeout(patience.toMillis());
    try {
      Database database = new Database(address, new HikariDataSource(config));
      database.migrate(schema);
      return database;
    } catch (FlywayException failure) {
      throw new StartRefused(
          "The tables of %s can't be brought up to date: %s"
              .formatted(address.place(), failure.getMessage()),
          failure);
    } catch (RuntimeException failure) {
      throw new StartRefused(
          "The database %s can't be opened: %s".formatted(address.place(), failure.getMessage()),
          failure);
    }
  }

  private void migrate(String schema) {
    boolean done = false;
    try {
      Flyway.configure()
          .dataSource(pool)
          .locations("classpath:db/" + schema)
          .table("schema_" + schema)
          .load()
          .migrate();
      done = true;
    } finally {
      if (!done) {
        pool.close();
      }
    }
  }

  /** Connections for reads and small writes; one is held as long as it is open. */
  public DataSource pool() {
    return pool;
  }

  /** A connection of the caller's own, for as long as it likes. */
  public Connection connect() throws SQLException {
    Properties properties = new Properties();
    properties.put("user", address.user());
    properties.put("password", address.password());
    return DriverManager.getConnection(address.url(), properties);
  }

  /** Returns when what was committed before survives a power cut. */
  public void makeDurable(Connection connection) throws SQLException {
    if (address.writesBehind()) {
      try (Statement statement = connection.createStatement()) {
        statement.execute("CHECKPOINT SYNC");
      }
    }
  }

  @Override
  public void close() {
    pool.close();
  }
}
