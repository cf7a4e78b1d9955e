package dev.troupe.persistence.calllog;

import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.InputId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/** Looks ids up in the tables, over one connection. Not thread-safe. */
final class KeyLookup implements TakenKeys {

  private final PreparedStatement callTaken;
  private final PreparedStatement inputTaken;

  KeyLookup(Connection connection) throws SQLException {
    this.callTaken = connection.prepareStatement(LogSql.CALL_TAKEN);
    this.inputTaken = connection.prepareStatement(LogSql.INPUT_TAKEN);
  }

  @Override
  public boolean isTaken(long owner, FunctionId function, CallId call) throws SQLException {
    callTaken.setLong(1, owner);
    callTaken.setString(2, Columns.callKey(call, function));
    return isFound(callTaken);
  }

  @Override
  public boolean isTaken(long owner, FunctionId function, InputId input) throws SQLException {
    inputTaken.setLong(1, owner);
    inputTaken.setString(2, Columns.callKey(input, function));
    inputTaken.setInt(3, Columns.index(input));
    return isFound(inputTaken);
  }

  private static boolean isFound(PreparedStatement select) throws SQLException {
    try (ResultSet rows = select.executeQuery()) {
      return rows.next();
    }
  }
}
