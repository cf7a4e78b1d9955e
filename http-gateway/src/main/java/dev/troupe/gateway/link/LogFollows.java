package dev.troupe.gateway.link;

import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.log.LogArchive;
import dev.troupe.protocol.link.LogBatch;
import dev.troupe.protocol.link.LogFilter;
import dev.troupe.protocol.link.LogsRead;
import dev.troupe.protocol.link.ToMachine;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Source;

/** All readers of lines, over whichever links their machines have. */
public final class LogFollows implements LogFeed, LinkRelay.Readers {

  /** A batch has a line at least, but for the last one. */
  private static final int BUFFERED_BATCHES = LogFollow.CREDIT_LINES + 1;

  private final Set<LogFollow> follows = ConcurrentHashMap.newKeySet();
  private final Map<MachineId, Consumer<ToMachine>> links = new ConcurrentHashMap<>();
  private final LogReads reads;

  private final ArchivedLogs archive;
  private final Executor blocking;

  /**
   * Readers of lines that come, beside those of lines that came before.
   *
   * @param blocking where the archive is read
   */
  public LogFollows(LogReads reads, LogArchive archive, Executor blocking) {
    this.reads = reads;
    this.archive = new ArchivedLogs(archive);
    this.blocking = blocking;
  }

  @Override
  public CompletionStage<Set<MachineId>> archivedMachines(AppId app) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return archive.machines(app.value());
          } catch (IOException failure) {
            throw new UncheckedIOException(failure);
          }
        },
        blocking);
  }

  @Override
  public Set<MachineId> machines() {
    return Set.copyOf(links.keySet());
  }

  @Override
  public Source<Batch, NotUsed> follow(
      MachineId machine, AppId app, LogFilter filter, Position after) {
    return reader(new LogFollow.Wish(machine, app, filter, false), after);
  }

  @Override
  public Source<Batch, NotUsed> archived(
      MachineId machine, AppId app, LogFilter filter, Position after) {
    return reader(new LogFollow.Wish(machine, app, filter, true), after);
  }

  /** Each run of the source is a reader of its own. */
  private Source<Batch, NotUsed> reader(LogFollow.Wish wish, Position after) {
    return Source.<NotUsed>single(NotUsed.getInstance()).flatMapConcat(_ -> oneRun(wish, after));
  }

  private Source<Batch, NotUsed> oneRun(LogFollow.Wish wish, Position after) {
    AtomicReference<LogFollow> begun = new AtomicReference<>();
    return Source.<Batch>queue(BUFFERED_BATCHES)
        .map(
            batch -> {
              Objects.requireNonNull(begun.get()).read(batch);
              return batch;
            })
        .watchTermination(
            (queue, done) -> {
              LogFollow follow = new LogFollow(wish, after, queue, archive, blocking);
              begun.set(follow);
              begin(follow);
              done.whenComplete((_, _) -> end(follow));
              return NotUsed.getInstance();
            });
  }

  /** A machine has a new link, to this gateway or another: what is read of it goes on there. */
  @Override
  public void linked(MachineId machine, Consumer<ToMachine> link) {
    links.put(machine, link);
    reads.linked(machine, link);
    of(machine, follow -> follow.subscribe(link));
  }

  /** A link is gone. */
  @Override
  public void lost(MachineId machine, Consumer<ToMachine> link) {
    links.remove(machine, link);
    reads.lost(machine, link);
    of(machine, follow -> follow.linkLost(link));
  }

  /** A machine has sent lines. */
  @Override
  public void received(MachineId machine, LogBatch batch) {
    of(machine, follow -> follow.received(batch));
  }

  /** A machine has answered a question about lines of before. */
  @Override
  public void received(MachineId machine, LogsRead answer) {
    reads.received(machine, answer);
  }

  private void begin(LogFollow follow) {
    if (follow.archivedOnly()) {
      follow.readArchive();
      return;
    }
    follows.add(follow);
    Consumer<ToMachine> link = links.get(follow.machine());
    if (link != null) {
      follow.subscribe(link);
    } else {
      follow.readArchive();
    }
  }

  private void end(LogFollow follow) {
    follows.remove(follow);
    follow.close();
  }

  private void of(MachineId machine, Consumer<LogFollow> action) {
    for (LogFollow follow : follows) {
      if (follow.machine().equals(machine)) {
        action.accept(follow);
      }
    }
  }
}
