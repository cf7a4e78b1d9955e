package dev.troupe.persistence.journal;

import java.io.PrintWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.Statement;
import java.util.logging.Logger;
import javax.sql.DataSource;
import org.h2.jdbcx.JdbcDataSource;

/**
 * H2 whose commits survive a power cut: H2 itself writes up to half a second behind them, so each
 * is followed by a checkpoint before it returns. Made by the connection pool, by name.
 */
public final class DurableH2DataSource implements DataSource {

  private final JdbcDataSource h2 = new JdbcDataSource();

  /** JDBC URL of the database. */
  public void setUrl(String url) {
    h2.setURL(url);
  }

  /** Its user. */
  public void setUser(String user) {
    h2.setUser(user);
  }

  /** The user's password. */
  public void setPassword(String password) {
    h2.setPassword(password);
  }

  @Override
  public Connection getConnection() throws SQLException {
    return durable(h2.getConnection());
  }

  @Override
  public Connection getConnection(String user, String password) throws SQLException {
    return durable(h2.getConnection(user, password));
  }

  private static Connection durable(Connection connection) {
    return (Connection)
        Proxy.newProxyInstance(
            DurableH2DataSource.class.getClassLoader(),
            new Class<?>[] {Connection.class},
            (_, method, arguments) -> {
              Object result;
              try {
                result = method.invoke(connection, arguments);
              } catch (InvocationTargetException failure) {
                throw failure.getTargetException();
              }
              if (method.getName().equals("commit")) {
                checkpoint(connection);
              }
              return result;
            });
  }

  private static void checkpoint(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("CHECKPOINT SYNC");
    }
  }

  @Override
  public PrintWriter getLogWriter() throws SQLException {
    return h2.getLogWriter();
  }

  @Override
  public void setLogWriter(PrintWriter out) throws SQLException {
    h2.setLogWriter(out);
  }

  @Override
  public void setLoginTimeout(int seconds) throws SQLException {
    h2.setLoginTimeout(seconds);
  }

  @Override
  public int getLoginTimeout() throws SQLException {
    return h2.getLoginTimeout();
  }

  @Override
  public Logger getParentLogger() throws SQLFeatureNotSupportedException {
    return h2.getParentLogger();
  }

  @Override
  public <T> T unwrap(Class<T> type) throws SQLException {
    return h2.unwrap(type);
  }

  @Override
  public boolean isWrapperFor(Class<?> type) throws SQLException {
    return h2.isWrapperFor(type);
  }
}
