package dev.troupe.persistence.calllog;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.DriverManager;
import java.sql.DriverPropertyInfo;
import java.sql.SQLException;
import java.util.Properties;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * A JDBC driver before a database's, whose connections can be told to fail: URL {@code
 * jdbc:faulty:} and the database's own behind it. One test at a time uses it.
 */
public final class FaultyDriver implements Driver {

  private static final String PREFIX = "jdbc:faulty:";

  /** What happens in the place of a commit. */
  interface Commit {
    void on(Connection connection) throws SQLException;
  }

  private static volatile Commit commit = Connection::commit;
  private static volatile boolean away;

  static {
    try {
      DriverManager.registerDriver(new FaultyDriver());
    } catch (SQLException impossible) {
      throw new ExceptionInInitializerError(impossible);
    }
  }

  static String url(String url) {
    return PREFIX + url;
  }

  /** Back to no faults. */
  static void reset() {
    commit = Connection::commit;
    away = false;
  }

  static void onCommit(Commit fault) {
    commit = fault;
  }

  /** Whether new connections are refused. */
  static void away(boolean refused) {
    away = refused;
  }

  static SQLException broken() {
    return new SQLException("the connection broke", "08006");
  }

  @Override
  public @Nullable Connection connect(String url, Properties info) throws SQLException {
    if (!acceptsURL(url)) {
      // As JDBC wants it: the next driver is asked.
      return null;
    }
    if (away) {
      throw broken();
    }
    Connection real = DriverManager.getConnection(url.substring(PREFIX.length()), info);
    return (Connection)
        Proxy.newProxyInstance(
            FaultyDriver.class.getClassLoader(),
            new Class<?>[] {Connection.class},
            (_, method, arguments) -> {
              if (method.getName().equals("commit")) {
                commit.on(real);
                return null;
              }
              try {
                return method.invoke(real, arguments);
              } catch (InvocationTargetException failure) {
                throw failure.getTargetException();
              }
            });
  }

  @Override
  public boolean acceptsURL(String url) {
    return url.startsWith(PREFIX);
  }

  @Override
  public DriverPropertyInfo[] getPropertyInfo(String url, Properties info) {
    return new DriverPropertyInfo[0];
  }

  @Override
  public int getMajorVersion() {
    return 1;
  }

  @Override
  public int getMinorVersion() {
    return 0;
  }

  @Override
  public boolean jdbcCompliant() {
    return false;
  }

  @Override
  public Logger getParentLogger() {
    return Logger.getLogger("faulty");
  }
}
