package dev.troupe.persistence.calllog;

import dev.troupe.persistence.store.Database;
import dev.troupe.persistence.store.SqlFailures;
import java.sql.SQLException;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Transactions of one thread, one after the other, each as often as it takes: while the database is
 * away it is tried again, and when a connection breaks in a commit, the commit mark tells whether
 * it happened. Not thread-safe.
 */
final class Transactions implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(Transactions.class);

  private final Database database;
  private final Outage outage;
  private final String committer = UUID.randomUUID().toString();
  private @Nullable LogSession session;
  private long lastNumber;

  Transactions(Database database, Outage outage) {
    this.database = database;
    this.outage = outage;
  }

  /** What a transaction does before its commit. */
  @FunctionalInterface
  interface Work<T> {
    T doIn(LogSession session) throws SQLException;
  }

  /**
   * Runs work and commits it, durably, again and again while the database is away; gives {@code
   * abandoned} when the outage is given up before it is back.
   *
   * @throws SQLException when a statement was refused; nothing was committed then
   */
  <T> T untilBack(Work<T> work, T abandoned) throws SQLException {
    T inDoubt = null;
    while (true) {
      try {
        LogSession open = session();
        if (inDoubt != null && open.lastCommitted() == lastNumber) {
          open.makeDurable();
          outage.over();
          return inDoubt;
        }
        inDoubt = null;
        T result = work.doIn(open);
        inDoubt = result;
        open.commit(++lastNumber);
        open.makeDurable();
        outage.over();
        return result;
      } catch (SQLException failure) {
        // Past the work nothing is refused any more: whatever happens there is an outage, and the
        // commit is in doubt.
        if (inDoubt == null && !SqlFailures.isAway(failure)) {
          rollback();
          throw failure;
        }
        dropSession();
        if (outage.pause(failure)) {
          return abandoned;
        }
      } catch (RuntimeException bug) {
        rollback();
        throw bug;
      }
    }
  }

  /** From now on an outage is not waited for; any thread may say so. */
  void giveUp() {
    outage.giveUp();
  }

  private LogSession session() throws SQLException {
    LogSession open = session;
    if (open == null) {
      open = LogSession.open(database, committer);
      session = open;
    }
    return open;
  }

  private void rollback() {
    if (session != null) {
      try {
        session.rollback();
      } catch (SQLException broken) {
        dropSession();
      }
    }
  }

  private void dropSession() {
    if (session != null) {
      session.close();
      session = null;
    }
  }

  /** Forgets the commit mark: no transaction is in doubt any more. */
  @Override
  public void close() {
    try {
      if (session != null) {
        session.dropMark();
      }
    } catch (SQLException unimportant) {
      log.debug("The commit mark stays", unimportant);
    }
    dropSession();
  }
}
