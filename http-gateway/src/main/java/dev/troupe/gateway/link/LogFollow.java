package dev.troupe.gateway.link;

import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.gateway.link.LogFeed.Batch;
import dev.troupe.gateway.link.LogFeed.Position;
import dev.troupe.protocol.link.FollowLogs;
import dev.troupe.protocol.link.LogBatch;
import dev.troupe.protocol.link.LogCredit;
import dev.troupe.protocol.link.LogFilter;
import dev.troupe.protocol.link.ToMachine;
import dev.troupe.protocol.link.UnfollowLogs;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.apache.pekko.stream.BoundedSourceQueue;
import org.apache.pekko.stream.QueueOfferResult;
import org.jspecify.annotations.Nullable;

/**
 * One reader of the lines of one machine. The machine sends no more lines than it has credit for,
 * and gets as much credit as lines were read, so what waits here is bounded. Each subscription has
 * an id of its own: batches of an earlier one are passed over.
 */
final class LogFollow {

  /** Lines that may be on their way or wait to be read. */
  static final int CREDIT_LINES = 1_000;

  private static final int RENEWED_LINES = CREDIT_LINES / 4;

  private final MachineId machine;
  private final AppId app;
  private final LogFilter filter;
  private final BoundedSourceQueue<Batch> queue;
  private Position last;
  private String followId = "";
  private @Nullable Consumer<ToMachine> link;
  private int waitingLines;
  private int readLines;

  LogFollow(
      MachineId machine,
      AppId app,
      LogFilter filter,
      Position after,
      BoundedSourceQueue<Batch> queue) {
    this.machine = machine;
    this.app = app;
    this.filter = filter;
    this.last = after;
    this.queue = queue;
  }

  /** The machine whose lines are read. */
  MachineId machine() {
    return machine;
  }

  /** Asks for the lines behind the last one that came, unless it has asked on this link. */
  synchronized void subscribe(Consumer<ToMachine> over) {
    if (link == over && !followId.isEmpty()) {
      return;
    }
    link = over;
    followId = UUID.randomUUID().toString();
    readLines = 0;
    over.accept(
        ToMachine.newBuilder()
            .setFollow(
                FollowLogs.newBuilder()
                    .setFollowId(followId)
                    .setAppId(app.value())
                    .setFilter(filter)
                    .setAfterTimeUs(last.timeMicros())
                    .setAfterNumber(last.number())
                    .setCredit(Math.max(0, CREDIT_LINES - waitingLines)))
            .build());
  }

  /** Takes a batch, if it is of the present subscription. */
  synchronized void received(LogBatch batch) {
    if (!batch.getFollowId().equals(followId)
        || (batch.getLinesCount() == 0 && !batch.getDrained())) {
      return;
    }
    Batch lines = new Batch(List.copyOf(batch.getLinesList()), batch.getDrained());
    QueueOfferResult offered = queue.offer(lines);
    if (offered instanceof QueueOfferResult.Enqueued$) {
      waitingLines += lines.lines().size();
      if (!lines.lines().isEmpty()) {
        last = Position.of(lines.lines().getLast());
      }
      if (lines.drained()) {
        followId = "";
        queue.complete();
      }
    } else if (offered instanceof QueueOfferResult.Dropped$ && link != null) {
      // More than was asked for: begin again behind what was taken.
      unsubscribe();
      subscribe(link);
    }
  }

  /** A batch was read: its machine may send as many lines more. */
  synchronized void read(Batch batch) {
    waitingLines -= batch.lines().size();
    readLines += batch.lines().size();
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
