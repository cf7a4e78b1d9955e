package dev.troupe.persistence.calllog;

import dev.troupe.actors.calllog.CallLog.Written;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.persistence.calllog.Backlog.Entry;
import dev.troupe.persistence.calllog.CommitRequest.Claim;
import dev.troupe.persistence.calllog.CommitRequest.Settle;
import dev.troupe.persistence.calllog.CommitRequest.Write;
import dev.troupe.persistence.calllog.GroupRows.Added;
import dev.troupe.persistence.calllog.LogSession.Owner;
import dev.troupe.persistence.calllog.MergedChanges.Touched;
import dev.troupe.persistence.store.Database;
import dev.troupe.persistence.store.SqlFailures;
import dev.troupe.persistence.store.StoreAway;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What commits to a database that other processes use too, in groups: whatever arrived while the
 * previous commit was in flight goes into the next transaction.
 *
 * <p><em>The write-ahead log.</em> A commit adds one row a function, with what its writers changed.
 * Rows come to the tables a while later, merged, a slice with each transaction ({@link Backlog}); a
 * reader waits for those of its function ({@link Committer#settled}), and a claim brings them there
 * first.
 *
 * <p><em>The fence.</em> A transaction locks the owner rows of its functions first, in order, and
 * drops the writes of those whose epoch moved on; a claim raises the epoch under the same lock. So
 * what a claimant loads after its claim holds every write of the owner before it that was, or ever
 * will be, acknowledged.
 *
 * <p><em>Failures.</em> When the database is away the group waits and is tried again, and what
 * arrives meanwhile waits behind it, bounded by the queue. When a statement is refused the group is
 * halved, down to the writer at fault. When a connection breaks in a commit, the commit mark tells
 * whether it happened.
 */
final class GroupCommitter implements Committer.Work {

  private static final Logger log = LoggerFactory.getLogger(GroupCommitter.class);

  private final CommitQueue queue;
  private final Backlog backlog;
  private final Outage outage;
  private final Transactions transactions;
  private final Set<FunctionId> unsettled;

  private GroupCommitter(
      Database database,
      CommitQueue queue,
      Set<FunctionId> unsettled,
      Backlog.Limits settling,
      Outage outage) {
    this.queue = queue;
    this.unsettled = unsettled;
    this.backlog = new Backlog(settling);
    this.outage = outage;
    this.transactions = new Transactions(database, outage);
  }

  /** Starts a committer of this kind. */
  static Committer start(
      Database database, CommitQueue.Limits limits, Backlog.Limits settling, Outage outage) {
    CommitQueue queue = new CommitQueue(limits);
    Set<FunctionId> unsettled = ConcurrentHashMap.newKeySet();
    return new Committer(
        queue, unsettled, new GroupCommitter(database, queue, unsettled, settling, outage));
  }

  @Override
  public void run() {
    while (!queue.isDrained()) {
      List<CommitRequest> group = queue.take(backlog.due());
      try {
        commit(CommitRequest.Group.of(group));
      } catch (Throwable unexpected) {
        log.error("The call log's committer met a bug", unexpected);
        group.forEach(request -> request.fail(unexpected));
      }
    }
    leave();
  }

  private void commit(CommitRequest.Group group) {
    settle(group.settles());
    List<Entry> slice = backlog.slice(System.nanoTime());
    if (!group.writes().isEmpty() || !slice.isEmpty()) {
      commitWrites(group.writes(), slice);
    }
    if (!group.claims().isEmpty()) {
      commitClaims(group.claims());
    }
  }

  // ---- writes

  /** What a transaction did, to be told once it is durable. */
  private record Outcome(List<Written> results, List<Added> added, Set<FunctionId> moved) {}

  /** The tables refused rows of the write-ahead log. */
  private static final class SliceRefused extends RuntimeException {
    SliceRefused(SQLException cause) {
      super(cause);
    }
  }

  /** Commits a group, in halves where it is refused as a whole; rows are settled with it. */
  private void commitWrites(List<Write> group, List<Entry> slice) {
    Optional<Outcome> outcome;
    try {
      outcome =
          transactions.untilBack(
              open -> Optional.of(attempt(open, group, slice)), Optional.empty());
    } catch (SliceRefused refused) {
      if (group.isEmpty() && isOfOneFunction(slice)) {
        backlog.refuseLoudly(slice.getFirst().function, refused);
      } else {
        commitWrites(group, List.of());
        byFunction(slice).forEach(part -> commitWrites(List.of(), part));
      }
      return;
    } catch (SQLException | RuntimeException refused) {
      if (group.isEmpty()) {
        slice.forEach(entry -> backlog.refuseLoudly(entry.function, refused));
      } else if (group.size() == 1) {
        group.getFirst().promise().complete(refusal(refused));
      } else {
        commitWrites(group.subList(0, group.size() / 2), List.of());
        commitWrites(group.subList(group.size() / 2, group.size()), List.of());
      }
      return;
    }
    outcome.ifPresent(done -> remember(done, slice));
    for (int i = 0; i < group.size(); i++) {
      int writer = i;
      group
          .get(i)
          .promise()
          .complete(
              outcome
                  .map(done -> done.results().get(writer))
                  .orElse(new Written.Failed(Committer.GONE)));
    }
  }

  /** Does everything but the commit. */
  private Outcome attempt(LogSession session, List<Write> group, List<Entry> slice)
      throws SQLException {
    Set<FunctionId> functions = new HashSet<>();
    group.forEach(write -> functions.add(write.function()));
    slice.forEach(entry -> functions.add(entry.function));
    Map<FunctionId, Owner> owners = session.lockOwners(functions);

    GroupRows rows = new GroupRows();
    List<Written> results = Verdicts.judge(group, owners, backlog, session, rows);
    List<Added> added = rows.write(session);
    return new Outcome(results, added, settle(session, slice, owners));
  }

  /** Settles rows; gives the functions that have another owner, whose claim has settled them. */
  private static Set<FunctionId> settle(
      LogSession session, List<Entry> slice, Map<FunctionId, Owner> owners) throws SQLException {
    Set<FunctionId> moved = new HashSet<>();
    List<Touched> changes = new ArrayList<>();
    List<Long> rows = new ArrayList<>();
    for (Entry entry : slice) {
      Owner owner = owners.get(entry.function);
      if (owner != null && owner.epoch() == entry.epoch) {
        changes.add(entry.touched);
        rows.add(entry.row);
      } else {
        moved.add(entry.function);
      }
    }
    try {
      session.settle(changes, rows);
    } catch (SQLException failure) {
      if (SqlFailures.isAway(failure)) {
        throw failure;
      }
      throw new SliceRefused(failure);
    }
    return moved;
  }

  /** What was committed, for the transactions to come, and for readers. */
  private void remember(Outcome done, List<Entry> slice) {
    backlog.settled(slice);
    done.moved().forEach(backlog::drop);
    long now = System.nanoTime();
    for (Added row : done.added()) {
      backlog.add(row, now);
      unsettled.add(row.function());
    }
    slice.forEach(entry -> forgetSettled(entry.function));
  }

  private void forgetSettled(FunctionId function) {
    if (!backlog.has(function)) {
      unsettled.remove(function);
    }
  }

  private static Written refusal(Exception refused) {
    if (refused instanceof SQLException failure && SqlFailures.isDuplicate(failure)) {
      return new Written.Duplicate();
    }
    log.error("A write to the call log failed", refused);
    return new Written.Failed(String.valueOf(refused.getMessage()));
  }

  // ---- rows of the write-ahead log

  private void settle(List<Settle> settles) {
    List<Entry> rows = backlog.toGo(settles.stream().map(Settle::function).toList());
    if (!rows.isEmpty()) {
      commitWrites(List.of(), rows);
    }
    settles.forEach(this::answer);
  }

  private void answer(Settle settle) {
    Exception refused = backlog.refusal(settle.function());
    if (refused != null) {
      settle.fail(refused);
    } else if (backlog.has(settle.function())) {
      settle.fail(new StoreAway(Committer.GONE));
    } else {
      settle.promise().complete(null);
    }
  }

  private static boolean isOfOneFunction(List<Entry> slice) {
    return slice.stream().map(entry -> entry.function).distinct().count() == 1;
  }

  private static Collection<List<Entry>> byFunction(List<Entry> slice) {
    return slice.stream().collect(Collectors.groupingBy(entry -> entry.function)).values();
  }

  // ---- claims

  private void commitClaims(List<Claim> claims) {
    List<Claim> ordered = new ArrayList<>(claims);
    ordered.sort(Comparator.comparing(claim -> claim.function().value()));
    try {
      Map<Claim, Long> epochs =
          transactions.untilBack(
              open -> {
                Map<Claim, Long> raised = new HashMap<>();
                for (Claim claim : ordered) {
                  raised.put(claim, open.claim(claim.function()).epoch());
                }
                return raised;
              },
              Map.of());
      for (Claim claim : claims) {
        Long epoch = epochs.get(claim);
        if (epoch == null) {
          claim.promise().completeExceptionally(new StoreAway(Committer.GONE));
        } else {
          backlog.drop(claim.function());
          unsettled.remove(claim.function());
          claim.promise().complete(epoch);
        }
      }
    } catch (SQLException | RuntimeException refused) {
      if (claims.size() > 1) {
        claims.forEach(claim -> commitClaims(List.of(claim)));
      } else {
        log.error("A function can't be claimed: {}", claims.getFirst().function(), refused);
        claims.getFirst().promise().completeExceptionally(refused);
      }
    }
  }

  private void leave() {
    boolean goesOn = true;
    for (List<Entry> rows = rest(); goesOn && !rows.isEmpty(); rows = rest()) {
      commitWrites(List.of(), rows);
      goesOn = rows.getFirst().isGone();
    }
    transactions.close();
  }

  private List<Entry> rest() {
    return backlog.slice(Long.MAX_VALUE);
  }

  @Override
  public void giveUp() {
    outage.giveUp();
  }
}
