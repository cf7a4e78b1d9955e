package dev.troupe.persistence.calllog;

import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.InputId;
import dev.troupe.persistence.store.Database;
import java.sql.Connection;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** Looks ids up over a connection of its own, and over another where that one broke. */
final class ReconnectingKeys implements TakenKeys, AutoCloseable {

  private final Database database;
  private @Nullable Connection connection;
  private @Nullable KeyLookup lookup;

  ReconnectingKeys(Database database) {
    this.database = database;
  }

  @Override
  public boolean isTaken(long owner, FunctionId function, CallId call) throws SQLException {
    return ask(keys -> keys.isTaken(owner, function, call));
  }

  @Override
  public boolean isTaken(long owner, FunctionId function, InputId input) throws SQLException {
    return ask(keys -> keys.isTaken(owner, function, input));
  }

  private interface Question {
    boolean ask(TakenKeys keys) throws SQLException;
  }

  private boolean ask(Question question) throws SQLException {
    KeyLookup before = lookup;
    if (before != null) {
      try {
        return question.ask(before);
      } catch (SQLException broken) {
        close();
      }
    }
    Connection fresh = database.connect();
    connection = fresh;
    KeyLookup keys = new KeyLookup(fresh);
    lookup = keys;
    return question.ask(keys);
  }

  @Override
  public void close() {
    Connection open = connection;
    connection = null;
    lookup = null;
    if (open != null) {
      try {
        open.close();
      } catch (SQLException broken) {
        // It is thrown away because it is broken.
      }
    }
  }
}
