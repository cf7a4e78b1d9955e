package dev.troupe.persistence.store;

import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.SQLRecoverableException;
import java.sql.SQLTransientException;
import java.util.Set;

/** The one table of what a database's failures mean. */
public final class SqlFailures {

  /**
   * Classes of SQLState where the statement was in order and the database was not: no connection
   * (08), out of resources (53), stopped or starting (57), broken disk (58), a deadlock or a
   * conflict of two transactions (40), a lock that others held too long (HYT00).
   */
  private static final Set<String> AWAY_CLASSES = Set.of("08", "53", "57", "58", "40");

  /** A standby answered, which takes no writes: its primary is being replaced. */
  private static final String READ_ONLY = "25006";

  /** H2's own codes alike: disk and file failures, closed or broken databases, waits for locks. */
  private static final Set<Integer> AWAY_H2_CODES =
      Set.of(90007, 90020, 90028, 90031, 90067, 90098, 90121, 50200, 90131);

  /** The database could not, now; the same statements may succeed later. */
  public static boolean isAway(SQLException failure) {
    for (SQLException one = failure; one != null; one = one.getNextException()) {
      String state = one.getSQLState();
      if (one instanceof SQLTransientException
          || one instanceof SQLRecoverableException
          || one instanceof SQLNonTransientConnectionException
          || AWAY_H2_CODES.contains(one.getErrorCode())
          || READ_ONLY.equals(state)
          || (state != null
              && state.length() == 5
              && AWAY_CLASSES.contains(state.substring(0, 2)))) {
        return true;
      }
    }
    return false;
  }

  /** A row with this key is there. */
  public static boolean isDuplicate(SQLException failure) {
    for (SQLException one = failure; one != null; one = one.getNextException()) {
      if ("23505".equals(one.getSQLState())) {
        return true;
      }
    }
    return false;
  }

  /** Two transactions met and this one gave way: it may be tried again at once. */
  public static boolean isConflict(SQLException failure) {
    for (SQLException one = failure; one != null; one = one.getNextException()) {
      String state = one.getSQLState();
      if (state != null && state.startsWith("40")) {
        return true;
      }
    }
    return false;
  }

  private SqlFailures() {}
}
