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
import org.flywaydb.core.api.MigrationInfo;
import org.flywaydb.core.api.MigrationState;

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

    /** For messages: without what only drivers read, a password for example. */
    String place() {
      return url.replaceFirst("[;?].*", "").replaceFirst("//[^/@]*@", "//");
    }

    /** H2 writes behind a commit, so it must be told when to have written. */
    public boolean writesBehind() {
      return url.startsWith("jdbc:h2:");
    }

    boolean isPostgres() {
      return url.startsWith("jdbc:postgresql:");
    }

    /** What the driver is told beside the address; what the URL says goes before it. */
    public Properties properties() {
      Properties properties = new Properties();
      if (isPostgres()) {
        // Batches of inserts become few statements; a peer that vanished is noticed some day.
        properties.setProperty("reWriteBatchedInserts", "true");
        properties.setProperty("tcpKeepAlive", "true");
        properties.setProperty("ApplicationName", "troupe");
      }
      return properties;
    }

    Connection connect(Properties more) throws SQLException {
      Properties properties = properties();
      properties.putAll(more);
      properties.setProperty("user", user);
      properties.setProperty("password", password);
      return DriverManager.getConnection(url, properties);
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
    config.setDataSourceProperties(address.properties());
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
    } catch (StartRefused refused) {
      throw refused;
    } catch (RuntimeException failure) {
      throw new StartRefused(
          "The database %s can't be opened: %s".formatted(address.place(), failure.getMessage()),
          failure);
    }
  }

  private void migrate(String schema) {
    boolean done = false;
    try {
      Flyway flyway =
          Flyway.configure()
              .dataSource(pool)
              .locations("classpath:db/" + schema)
              .table("schema_" + schema)
              // On PostgreSQL the tables of journal and calls share a database.
              .baselineOnMigrate(address.isPostgres())
              .baselineVersion("0")
              .load();
      // Of tables of a later release it touches none.
      flyway.migrate();
      refuseLater(flyway.info().all());
      done = true;
    } finally {
      if (!done) {
        pool.close();
      }
    }
  }

  /** Flyway itself goes on with tables of a later release than it knows. */
  private void refuseLater(MigrationInfo[] migrations) {
    for (MigrationInfo migration : migrations) {
      if (migration.getState() == MigrationState.FUTURE_SUCCESS
          || migration.getState() == MigrationState.FUTURE_FAILED) {
        throw new StartRefused(
            ("The tables of %s are those of a later release of Troupe (%s, version %s). Start that"
                    + " release, or restore the backup made before it was started.")
                .formatted(address.place(), migration.getScript(), migration.getVersion()));
      }
    }
  }

  /** Connections for reads and small writes; one is held as long as it is open. */
  public DataSource pool() {
    return pool;
  }

  /** A connection of the caller's own, for as long as it likes. */
  public Connection connect() throws SQLException {
    return address.connect(new Properties());
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
