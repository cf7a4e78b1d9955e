package dev.troupe.persistence.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One statement with its parameters from left to right; runs once and closes itself. */
public final class Query {

  private final PreparedStatement statement;
  private int parameter;

  private Query(PreparedStatement statement) {
    this.statement = statement;
  }

  /** A statement to be run on this connection. */
  public static Query of(Connection connection, String sql) throws SQLException {
    return new Query(connection.prepareStatement(sql));
  }

  /** The next parameter. */
  public Query with(long value) throws SQLException {
    statement.setLong(++parameter, value);
    return this;
  }

  /** The next parameter. */
  public Query with(boolean value) throws SQLException {
    statement.setBoolean(++parameter, value);
    return this;
  }

  /** The next parameter. */
  public Query with(@Nullable String value) throws SQLException {
    if (value == null) {
      statement.setNull(++parameter, Types.VARCHAR);
    } else {
      statement.setString(++parameter, Texts.storable(value));
    }
    return this;
  }

  /** The next parameters. */
  public Query withAll(List<String> values) throws SQLException {
    for (String value : values) {
      with(value);
    }
    return this;
  }

  /** Reads one row of the answer. */
  @FunctionalInterface
  public interface Row<T> {
    T read(ResultSet row) throws SQLException;
  }

  /** All rows of the answer. */
  public <T> List<T> list(Row<T> reader) throws SQLException {
    try (PreparedStatement closing = statement;
        ResultSet rows = closing.executeQuery()) {
      List<T> all = new ArrayList<>();
      while (rows.next()) {
        all.add(reader.read(rows));
      }
      return all;
    }
  }

  /** The first row of the answer. */
  public <T> Optional<T> first(Row<T> reader) throws SQLException {
    return list(reader).stream().findFirst();
  }

  /** Runs a change; gives how many rows it met. */
  public int update() throws SQLException {
    try (PreparedStatement closing = statement) {
      return closing.executeUpdate();
    }
  }
}
