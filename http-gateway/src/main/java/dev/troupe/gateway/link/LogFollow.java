package dev.troupe.gateway.link;

import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.gateway.link.LogFeed.Batch;
import dev.troupe.gateway.link.LogFeed.Position;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.protocol.link.FollowLogs;
import dev.troupe.protocol.link.LogBatch;
import dev.troupe.protocol.link.LogCredit;
import dev.troupe.protocol.link.LogFilter;
import dev.troupe.protocol.link.LogLine;
import dev.troupe.protocol.link.ToMachine;
import dev.troupe.protocol.link.UnfollowLogs;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.apache.pekko.stream.BoundedSourceQueue;
import org.apache.pekko.stream.QueueOfferResult;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One reader of the lines of one machine. The machine sends no more lines than it has credit for,
 * and gets as much credit as lines were read, so what waits here is bounded. Each subscription has
 * an id of its own: batches of an earlier one are passed over.
 *
 * <p>A machine first says with which line begins what it holds. What came before is read from the
 * archive, then the machine is asked again; and so each time that it no longer has what comes next.
 */
final class LogFollow {

  /** Lines that may be on their way or wait to be read. */
  static final int CREDIT_LINES = 1_000;

  private static final Logger LOG = LoggerFactory.getLogger(LogFollow.class);
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);
  private static final int RENEWED_LINES = CREDIT_LINES / 4;
  private static final int ARCHIVED_LINES = CREDIT_LINES / 4;

  /**
   * What is read.
   *
   * @param archivedOnly what the archive has, and that is the end
   */
  record Wish(MachineId machine, AppId app, LogFilter filter, boolean archivedOnly) {}

  private final Wish wish;
  private final BoundedSourceQueue<Batch> queue;
  private final ArchivedLogs archive;
  private final Executor blocking;
  private Position last;
  private String followId = "";
  private @Nullable Consumer<ToMachine> link;
  private int waitingLines;
  private int readLines;

  /** Counts what makes a reading of the archive out of date. */
  private long turn;

  LogFollow(
      Wish wish,
      Position after,
      BoundedSourceQueue<Batch> queue,
      ArchivedLogs archive,
      Executor blocking) {
    this.wish = wish;
    this.last = after;
    this.queue = queue;
    this.archive = archive;
    this.blocking = blocking;
  }

  /** The machine whose lines are read. */
  MachineId machine() {
    return wish.machine();
  }

  /** Whether the machine itself is not asked. */
  boolean archivedOnly() {
    return wish.archivedOnly();
  }

  /** Asks for the lines behind the last one that came, unless it has asked on this link. */
  synchronized void subscribe(Consumer<ToMachine> over) {
    if (link != over || followId.isEmpty()) {
      subscribe(over, 0);
    }
  }

  private void subscribe(Consumer<ToMachine> over, long archivedTo) {
    nextTurn();
    link = over;
    followId = UUID.randomUUID().toString();
    readLines = 0;
    over.accept(
        ToMachine.newBuilder()
            .setFollow(
                FollowLogs.newBuilder()
                    .setFollowId(followId)
                    .setAppId(wish.app().value())
                    .setFilter(wish.filter())
                    .setAfterTimeUs(last.timeMicros())
                    .setAfterNumber(last.number())
                    .setArchivedTo(archivedTo)
                    .setCredit(Math.max(0, CREDIT_LINES - waitingLines)))
            .build());
  }

  private long nextTurn() {
    turn++;
    notifyAll();
    return turn;
  }

  /** Takes a batch, if it is of the present subscription. */
  synchronized void received(LogBatch batch) {
    if (!batch.getFollowId().equals(followId)) {
      return;
    }
    if (batch.hasHeldFrom()) {
      long from = batch.getHeldFrom();
      long reading = nextTurn();
      Position after = last;
      blocking.execute(() -> readArchive(after, from, reading));
      return;
    }
    if (batch.getLinesCount() == 0 && !batch.getDrained()) {
      return;
    }
    Batch lines = new Batch(List.copyOf(batch.getLinesList()), batch.getDrained());
    QueueOfferResult offered = queue.offer(lines);
    if (offered instanceof QueueOfferResult.Enqueued$) {
      taken(lines);
      if (lines.drained()) {
        followId = "";
        queue.complete();
      }
    } else if (offered instanceof QueueOfferResult.Dropped$ && link != null) {
      // More than was asked for: begin again behind what was taken.
      Consumer<ToMachine> again = link;
      unsubscribe();
      subscribe(again);
    }
  }

  private void taken(Batch batch) {
    waitingLines += batch.lines().size();
    if (!batch.lines().isEmpty()) {
      last = Position.of(batch.lines().getLast());
    }
  }

  // ---- the archive

  /** Reads what the archive has, where the machine is away. */
  synchronized void readArchive() {
    if (link == null) {
      long reading = nextTurn();
      Position after = last;
      blocking.execute(() -> readArchive(after, Long.MAX_VALUE, reading));
    }
  }

  private void readArchive(Position after, long before, long reading) {
    List<LogLine> page = new ArrayList<>();
    try {
      archive.after(
          wish.app().value(),
          wish.machine(),
          wish.filter(),
          after,
          before,
          line -> {
            page.add(line);
            return page.size() < ARCHIVED_LINES || giveAll(page, reading);
          });
      if (giveAll(page, reading)) {
        archiveRead(before, reading);
      }
    } catch (IOException failure) {
      LOG.warn("the archive's lines of {} can't be read", wish.app(), failure);
      archiveFailed(failure, reading);
    }
  }

  /** Gives lines out once there is room; false where they are no longer wanted. */
  private synchronized boolean giveAll(List<LogLine> page, long reading) {
    try {
      while (turn == reading && waitingLines + page.size() > CREDIT_LINES) {
        wait();
      }
    } catch (InterruptedException closing) {
      Thread.currentThread().interrupt();
      return false;
    }
    if (turn != reading) {
      return false;
    }
    if (page.isEmpty()) {
      return true;
    }
    Batch batch = new Batch(List.copyOf(page), false);
    if (!(queue.offer(batch) instanceof QueueOfferResult.Enqueued$)) {
      return false;
    }
    page.clear();
    taken(batch);
    return true;
  }

  private synchronized void archiveRead(long before, long reading) {
    if (turn != reading) {
      return;
    }
    if (wish.archivedOnly()) {
      queue.complete();
    } else if (link != null) {
      subscribe(link, before);
    }
  }

  /** The reader is told: what comes next must not be given out in its place. */
  private synchronized void archiveFailed(IOException failure, long reading) {
    if (turn == reading) {
      queue.fail(
          RpcFailure.unavailable(
              "The archive of logs can't be read: %s.".formatted(failure.getMessage()),
              RETRY_AFTER));
    }
  }

  // ---- the machine

  /** A batch was read: its machine may send as many lines more. */
  synchronized void read(Batch batch) {
    waitingLines -= batch.lines().size();
    readLines += batch.lines().size();
    notifyAll();
    if (readLines >= RENEWED_LINES && link != null && !followId.isEmpty()) {
      link.accept(
          ToMachine.newBuilder()
              .setLogCredit(LogCredit.newBuilder().setFollowId(followId).setLines(readLines))
              .build());
      readLines = 0;
    }
  }

  /** The link is gone: a later one is waited for. */
  synchronized void linkLost(Consumer<ToMachine> gone) {
    if (link == gone) {
      link = null;
      followId = "";
    }
  }

  /** Nobody reads any more. */
  synchronized void close() {
    nextTurn();
    unsubscribe();
    link = null;
  }

  private void unsubscribe() {
    if (link != null && !followId.isEmpty()) {
      link.accept(
          ToMachine.newBuilder()
              .setUnfollow(UnfollowLogs.newBuilder().setFollowId(followId))
              .build());
    }
    followId = "";
  }
}
