package dev.troupe.persistence.calllog;

import dev.troupe.actors.calllog.CallLog.Written;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.persistence.calllog.Backlog.Entry;
import dev.troupe.persistence.calllog.CommitRequest.Claim;
import dev.troupe.persistence.calllog.CommitRequest.Settle;
import dev.troupe.persistence.calllog.CommitRequest.Write;
import dev.troupe.persistence.calllog.GroupRows.Added;
import dev.troupe.persistence.calllog.GroupRows.FileRow;
import dev.troupe.persistence.calllog.LogSession.Owner;
import dev.troupe.persistence.store.Database;
import dev.troupe.persistence.store.StoreAway;
import java.io.IOException;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What commits where a process has its store for itself: a commit is a frame of a file ({@link
 * LogFiles}), and touches no database. The changes come to the tables a while later, merged, on a
 * thread of their own ({@link Settler}); so do claims, behind what is on its way there.
 *
 * <p><em>The fence.</em> Nobody else writes, so owners are kept in memory. From the moment a claim
 * is taken until its epoch is given out nobody owns the function: what its owner still writes is
 * fenced, and what was acknowledged before is in the tables before the claimant loads.
 *
 * <p><em>Failures.</em> While the disk is away the group waits and is tried again; what arrives
 * meanwhile waits behind it, bounded by the queue. While the tables are away commits go on, until
 * too much is on its way there.
 */
final class FileCommitter implements Committer.Work {

  private static final Logger log = LoggerFactory.getLogger(FileCommitter.class);

  /** How much more than usual may be on its way to the tables. */
  private static final int CROWDED = 4;

  private final CommitQueue queue;
  private final Backlog backlog;
  private final long mostBytes;
  private final LogFiles files;
  private final ReconnectingKeys keys;
  private final Settler settler;
  private final Outage outage;
  private final Map<FunctionId, Owner> owners = new HashMap<>();

  /** The newest claim of a function, until its epoch is given out. */
  private final Map<FunctionId, Claim> claims = new HashMap<>();

  private final Set<FunctionId> unsettled;
  private boolean sliceUnderWay;

  private FileCommitter(
      Database database,
      LogFiles files,
      CommitQueue queue,
      Set<FunctionId> unsettled,
      Backlog.Limits settling,
      Transactions transactions,
      Outage outage) {
    this.queue = queue;
    this.unsettled = unsettled;
    this.backlog = new Backlog(settling);
    this.mostBytes = CROWDED * settling.mostBytes();
    this.files = files;
    this.keys = new ReconnectingKeys(database);
    this.settler = new Settler(transactions, queue::wake);
    this.outage = outage;
  }

  /** Starts a committer of this kind, which goes on with files that {@link LogRecovery} gave. */
  static Committer start(
      Database database,
      LogFiles files,
      CommitQueue.Limits limits,
      Backlog.Limits settling,
      Transactions transactions,
      Outage outage) {
    CommitQueue queue = new CommitQueue(limits);
    Set<FunctionId> unsettled = ConcurrentHashMap.newKeySet();
    return new Committer(
        queue,
        unsettled,
        new FileCommitter(database, files, queue, unsettled, settling, transactions, outage));
  }

  @Override
  public void run() {
    while (!queue.isDrained()) {
      List<CommitRequest> group = List.of();
      try {
        if (sliceUnderWay && backlog.bytes() > mostBytes) {
          queue.awaitWake();
        } else {
          group = queue.take(sliceUnderWay ? OptionalLong.empty() : backlog.due());
        }
        settler.tellWhatIsDone();
        handle(CommitRequest.Group.of(group));
        startSlice();
      } catch (Throwable unexpected) {
        log.error("The call log's committer met a bug", unexpected);
        group.forEach(request -> request.fail(unexpected));
      }
    }
    leave();
  }

  private void handle(CommitRequest.Group group) {
    if (!group.writes().isEmpty()) {
      commit(group.writes());
    }
    if (!group.settles().isEmpty()) {
      settle(group.settles());
    }
    if (!group.claims().isEmpty()) {
      claim(group.claims());
    }
  }

  // ---- writes

  private void commit(List<Write> group) {
    List<Written> results;
    try {
      results = append(group);
    } catch (SQLException | RuntimeException refused) {
      log.error("Writes to the call log failed", refused);
      group.forEach(write -> write.fail(refused));
      return;
    }
    for (int i = 0; i < group.size(); i++) {
      group.get(i).promise().complete(results.get(i));
    }
  }

  /** Commits what is to be committed, once the disk takes it. */
  private List<Written> append(List<Write> group) throws SQLException {
    GroupRows rows = new GroupRows();
    List<Written> results = Verdicts.judge(group, owners, backlog, keys, rows);
    List<FileRow> added = rows.forFile();
    while (!added.isEmpty()) {
      try {
        long number =
            files.append(
                added.stream()
                    .map(row -> new LogFrame.Row(row.owner().id(), row.bytes()))
                    .toList());
        remember(added, number);
        outage.over();
        return results;
      } catch (IOException failure) {
        if (outage.pause(failure)) {
          return group.stream().<Written>map(_ -> new Written.Failed(Committer.GONE)).toList();
        }
      }
    }
    return results;
  }

  private void remember(List<FileRow> added, long number) {
    long now = System.nanoTime();
    for (FileRow row : added) {
      backlog.add(
          new Added(row.owner(), row.function(), number, row.changes(), row.bytes().length), now);
      unsettled.add(row.function());
    }
  }

  // ---- to the tables

  /** Starts what is due; one slice at a time, so that those behind it merge meanwhile. */
  private void startSlice() {
    if (sliceUnderWay) {
      return;
    }
    List<Entry> slice = backlog.slice(System.nanoTime());
    if (!slice.isEmpty()) {
      sliceUnderWay = true;
      backlog.start(slice);
      settler.settle(
          slice,
          settled -> {
            sliceUnderWay = false;
            forget(settled);
          });
    }
  }

  private void settle(List<Settle> settles) {
    List<Entry> rows = start(settles.stream().map(Settle::function).toList());
    settler.settle(
        rows,
        settled -> {
          forget(settled);
          settles.forEach(settle -> answer(settle, settled));
        });
  }

  private void answer(Settle settle, Settler.Settled settled) {
    Exception refused = backlog.refusal(settle.function());
    if (refused != null) {
      settle.fail(refused);
    } else if (settled.abandoned()) {
      settle.fail(new StoreAway(Committer.GONE));
    } else {
      settle.promise().complete(null);
    }
  }

  private List<Entry> start(List<FunctionId> functions) {
    List<Entry> rows = backlog.toGo(functions);
    backlog.start(rows);
    return rows;
  }

  /** What came to the tables needs no place here any more. */
  private void forget(Settler.Settled settled) {
    settled.refused().forEach(backlog::refuseLoudly);
    backlog.settled(settled.rows());
    settled
        .rows()
        .forEach(
            row -> {
              if (!backlog.has(row.function)) {
                unsettled.remove(row.function);
              }
            });
    releaseFiles();
  }

  /** Removes files that nothing needs any more. */
  private void releaseFiles() {
    try {
      files.release(backlog.oldestRow().orElse(files.next()) - 1);
    } catch (IOException failure) {
      log.warn("A file of the call log that is not needed any more can't be removed", failure);
    }
  }

  // ---- claims

  private void claim(List<Claim> group) {
    for (Claim claim : group) {
      owners.remove(claim.function());
      claims.put(claim.function(), claim);
    }
    List<FunctionId> functions = group.stream().map(Claim::function).toList();
    settler.settle(start(functions), this::forget);
    settler.claim(
        functions,
        (raised, failure) -> {
          for (int i = 0; i < group.size(); i++) {
            Claim claim = group.get(i);
            boolean newest = claims.remove(claim.function(), claim);
            Exception refused = backlog.refusal(claim.function());
            if (failure != null) {
              claim.fail(failure);
            } else if (refused != null) {
              claim.fail(refused);
            } else {
              // One that was overtaken gets its epoch and owns nothing: the next claimant loads
              // without what it would write.
              if (newest) {
                owners.put(claim.function(), raised.get(i));
              }
              claim.promise().complete(raised.get(i).epoch());
            }
          }
        });
  }

  // ---- the end

  private void leave() {
    for (List<Entry> rest = rest(); !rest.isEmpty(); rest = rest()) {
      backlog.start(rest);
      settler.settle(rest, this::forget);
    }
    settler.close();
    settler.tellWhatIsDone();
    keys.close();
    try {
      if (backlog.bytes() == 0) {
        files.clear();
      } else {
        files.close();
      }
    } catch (IOException failure) {
      log.warn("The files of the call log can't be removed; the next start reads them", failure);
    }
  }

  private List<Entry> rest() {
    return backlog.slice(Long.MAX_VALUE);
  }

  @Override
  public void giveUp() {
    outage.giveUp();
    settler.giveUp();
  }
}
