package dev.troupe.persistence.calllog;

import dev.troupe.actors.calllog.CallLog.Written;
import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.persistence.calllog.CommitRequest.Claim;
import dev.troupe.persistence.calllog.CommitRequest.Write;
import dev.troupe.persistence.calllog.LogSession.Owner;
import dev.troupe.persistence.store.Database;
import dev.troupe.persistence.store.SqlFailures;
import dev.troupe.persistence.store.StoreAway;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one writer of the call log in this process: a thread that commits in groups. Whatever arrived
 * while the previous commit was in flight goes into the next transaction.
 *
 * <p><em>The fence.</em> A group locks the owner rows of its functions first, in order, and drops
 * the writes of those whose epoch moved on; a claim raises the epoch under the same lock. So what a
 * claimant loads after its claim holds every write of the owner before it that was, or ever will
 * be, acknowledged.
 *
 * <p><em>Failures.</em> When the database is away the group waits and is tried again, and what
 * arrives meanwhile waits behind it, bounded by the queue. When a statement is refused the group is
 * halved, down to the writer at fault. When a connection breaks in a commit, the commit mark tells
 * whether it happened.
 *
 * <p>Promises are kept on the committer's thread: what hangs on them must be quick.
 */
final class GroupCommitter implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(GroupCommitter.class);
  private static final String GONE = "the store was away when the server stopped";
  private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(20);

  private final Database database;
  private final CommitQueue queue;
  private final Outage outage;
  private final String committer = UUID.randomUUID().toString();
  private final Thread thread;

  private @Nullable LogSession session;
  private long lastNumber;

  GroupCommitter(Database database, CommitQueue.Limits limits, Outage outage) {
    this.database = database;
    this.queue = new CommitQueue(limits);
    this.outage = outage;
    this.thread = Thread.ofPlatform().name("troupe-call-log").daemon(true).start(this::run);
  }

  /** Takes changes to be committed together. */
  CompletionStage<Written> write(FunctionId function, long epoch, List<LogWrite> changes) {
    Write write = Write.of(function, epoch, changes);
    return switch (queue.offer(write)) {
      case TAKEN -> write.promise();
      case FULL -> CompletableFuture.completedStage(new Written.Overloaded());
      case CLOSED -> CompletableFuture.completedStage(new Written.Failed("the store is closed"));
    };
  }

  /** Takes a claim. */
  CompletionStage<Long> claim(FunctionId function) {
    Claim claim = new Claim(function, new CompletableFuture<>());
    return switch (queue.offer(claim)) {
      case TAKEN -> claim.promise();
      case FULL -> CompletableFuture.failedStage(new StoreAway("too much waits for the store"));
      case CLOSED -> CompletableFuture.failedStage(new StoreAway("the store is closed"));
    };
  }

  private void run() {
    for (List<CommitRequest> group = queue.take(); !group.isEmpty(); group = queue.take()) {
      try {
        commit(group);
      } catch (Throwable unexpected) {
        log.error("The call log's committer met a bug", unexpected);
        group.forEach(request -> request.fail(unexpected));
      }
    }
    leave();
  }

  private void commit(List<CommitRequest> group) {
    List<Write> writes = new ArrayList<>();
    List<Claim> claims = new ArrayList<>();
    for (CommitRequest request : group) {
      switch (request) {
        case Write write -> writes.add(write);
        case Claim claim -> claims.add(claim);
      }
    }
    if (!writes.isEmpty()) {
      commitWrites(writes);
    }
    if (!claims.isEmpty()) {
      commitClaims(claims);
    }
  }

  // ---- writes

  /** Commits a group, in halves where it is refused as a whole. */
  private void commitWrites(List<Write> group) {
    List<Written> results;
    try {
      results = untilBack(open -> attempt(open, group), List.of());
    } catch (SQLException | RuntimeException refused) {
      if (group.size() == 1) {
        group.getFirst().promise().complete(refusal(refused));
      } else {
        commitWrites(group.subList(0, group.size() / 2));
        commitWrites(group.subList(group.size() / 2, group.size()));
      }
      return;
    }
    for (int i = 0; i < group.size(); i++) {
      Written result = results.isEmpty() ? new Written.Failed(GONE) : results.get(i);
      group.get(i).promise().complete(result);
    }
  }

  /** Does everything but the commit; gives what each writer is to hear after it. */
  private static List<Written> attempt(LogSession session, List<Write> group) throws SQLException {
    Map<FunctionId, Owner> owners =
        session.lockOwners(group.stream().map(Write::function).toList());
    GroupPlan plan = new GroupPlan();
    List<Written> results = new ArrayList<>(group.size());
    for (Write write : group) {
      Owner owner = owners.get(write.function());
      if (owner != null && owner.epoch() == write.epoch()) {
        plan.add(owner.id(), write.function(), write.changes());
        results.add(new Written.Done());
      } else {
        results.add(new Written.Fenced());
      }
    }
    session.write(plan);
    return results;
  }

  private static Written refusal(Exception refused) {
    if (refused instanceof SQLException failure && SqlFailures.isDuplicate(failure)) {
      return new Written.Duplicate();
    }
    log.error("A write to the call log failed", refused);
    return new Written.Failed(String.valueOf(refused.getMessage()));
  }

  // ---- claims

  private void commitClaims(List<Claim> claims) {
    List<Claim> ordered = new ArrayList<>(claims);
    ordered.sort(Comparator.comparing(claim -> claim.function().value()));
    try {
      Map<Claim, Long> epochs =
          untilBack(
              open -> {
                Map<Claim, Long> raised = new HashMap<>();
                for (Claim claim : ordered) {
                  raised.put(claim, open.raiseEpoch(claim.function()));
                }
                return raised;
              },
              Map.of());
      for (Claim claim : claims) {
        Long epoch = epochs.get(claim);
        if (epoch == null) {
          claim.promise().completeExceptionally(new StoreAway(GONE));
        } else {
          claim.promise().complete(epoch);
        }
      }
    } catch (SQLException | RuntimeException refused) {
      for (Claim claim : claims) {
        claim.promise().completeExceptionally(refused);
      }
    }
  }

  // ---- one transaction, as often as it takes

  /** What a transaction does before its commit. */
  @FunctionalInterface
  private interface Work<T> {
    T doIn(LogSession session) throws SQLException;
  }

  /**
   * Runs work and commits it, again and again while the database is away; gives {@code abandoned}
   * when the store is closed before it is back.
   *
   * @throws SQLException when a statement was refused; nothing was committed then
   */
  private <T> T untilBack(Work<T> work, T abandoned) throws SQLException {
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

  private void leave() {
    try {
      if (session != null) {
        session.dropMark();
      }
    } catch (SQLException unimportant) {
      log.debug("The commit mark stays", unimportant);
    }
    dropSession();
  }

  /** Commits what waits, unless the database is away, and ends. */
  @Override
  public void close() {
    queue.close();
    outage.giveUp();
    boolean ended = false;
    try {
      ended = thread.join(CLOSE_PATIENCE);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
    if (!ended) {
      log.warn("The call log's last commit has not ended; leaving it");
    }
  }
}
