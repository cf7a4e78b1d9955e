package dev.troupe.persistence.calllog;

import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.InputId;
import java.sql.SQLException;

/** Which ids of calls and inputs the tables have. */
interface TakenKeys {

  /** Whether they have a call with this id. */
  boolean isTaken(long owner, FunctionId function, CallId call) throws SQLException;

  /** Whether they have an input with this id. */
  boolean isTaken(long owner, FunctionId function, InputId input) throws SQLException;
}
