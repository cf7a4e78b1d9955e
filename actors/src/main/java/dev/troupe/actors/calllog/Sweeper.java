package dev.troupe.actors.calllog;

import dev.troupe.actors.blob.BlobStore;
import dev.troupe.actors.id.BlobId;
import dev.troupe.actors.log.LogArchive;
import dev.troupe.cluster.ClusterMessage;
import dev.troupe.cluster.Role;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.cluster.sharding.typed.ShardedDaemonProcessSettings;
import org.apache.pekko.cluster.sharding.typed.javadsl.ShardedDaemonProcess;

/**
 * Deletes what is over for long enough: results and their calls, payloads with the rows that owned
 * them, payloads that nothing owns, and logs. One in the cluster; what one sweep leaves the next
 * one finds.
 */
public final class Sweeper {

  /** Payloads looked at in one sweep; the next one goes on behind them. */
  private static final int ORPHANS_LOOKED_AT = 10_000;

  /** What the sweeper says to itself. */
  sealed interface Command extends ClusterMessage {}

  private record Sweep() implements Command {}

  private record Swept() implements Command {}

  private record NotSwept(String why) implements Command {}

  private final CallLog log;
  private final BlobStore blobs;
  private final LogArchive logs;
  private final InstantSource clock;
  private final RetentionSettings settings;
  private final Executor disk;

  private Sweeper(
      CallLog log,
      BlobStore blobs,
      LogArchive logs,
      InstantSource clock,
      RetentionSettings settings,
      Executor disk) {
    this.log = log;
    this.blobs = blobs;
    this.logs = logs;
    this.clock = clock;
    this.settings = settings;
    this.disk = disk;
  }

  /** Has one process of the cluster sweep. */
  public static void start(
      ActorSystem<?> system,
      CallLog log,
      BlobStore blobs,
      LogArchive logs,
      InstantSource clock,
      RetentionSettings settings) {
    ShardedDaemonProcess.get(system)
        .init(
            Command.class,
            "sweeper",
            1,
            _ -> create(log, blobs, logs, clock, settings),
            ShardedDaemonProcessSettings.create(system).withRole(Role.CONTROL.word()),
            Optional.empty());
  }

  static Behavior<Command> create(
      CallLog log,
      BlobStore blobs,
      LogArchive logs,
      InstantSource clock,
      RetentionSettings settings) {
    Executor disk = Executors.newVirtualThreadPerTaskExecutor();
    Sweeper sweeper = new Sweeper(log, blobs, logs, clock, settings, disk);
    return Behaviors.setup(
        context -> Behaviors.withTimers(timers -> sweeper.sweeping(context, timers)));
  }

  private Behavior<Command> sweeping(
      ActorContext<Command> context, TimerScheduler<Command> timers) {
    timers.startSingleTimer(new Sweep(), settings.sweepInterval());
    return Behaviors.receiveMessage(
        message -> {
          switch (message) {
            case Sweep() ->
                context.pipeToSelf(
                    sweep(clock.instant()),
                    (_, failure) ->
                        failure == null ? new Swept() : new NotSwept(failure.toString()));
            case Swept() -> timers.startSingleTimer(new Sweep(), settings.sweepInterval());
            case NotSwept(var why) -> {
              context.getLog().warn("a sweep of what is over stopped early: {}", why);
              timers.startSingleTimer(new Sweep(), settings.sweepInterval());
            }
          }
          return Behaviors.same();
        });
  }

  private CompletionStage<List<BlobId>> sweep(Instant now) {
    return log.sweep(now.minus(settings.taken()), now.minus(settings.results()))
        .thenCompose(this::delete)
        .thenCompose(_ -> payloadsBefore(now.minus(settings.orphans())))
        .thenCompose(old -> log.owned(old).thenCompose(owned -> delete(without(old, owned))))
        .thenCompose(_ -> sweepLogs(now));
  }

  private CompletionStage<List<BlobId>> sweepLogs(Instant now) {
    return onDisk(
        () -> {
          logs.sweep(now.minus(settings.logs()), settings.logBytes());
          return List.of();
        });
  }

  private CompletionStage<List<BlobId>> payloadsBefore(Instant before) {
    return onDisk(() -> blobs.payloadsOlderThan(before, ORPHANS_LOOKED_AT));
  }

  private CompletionStage<List<BlobId>> delete(List<BlobId> gone) {
    return onDisk(
        () -> {
          blobs.deletePayloads(gone);
          return gone;
        });
  }

  /** What reads or changes files, and gives names of payloads. */
  @FunctionalInterface
  private interface DiskWork {
    List<BlobId> run() throws IOException;
  }

  private CompletionStage<List<BlobId>> onDisk(DiskWork work) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return work.run();
          } catch (IOException failure) {
            throw new UncheckedIOException(failure);
          }
        },
        disk);
  }

  private static List<BlobId> without(List<BlobId> all, List<BlobId> owned) {
    List<BlobId> rest = new ArrayList<>(all);
    rest.removeAll(Set.copyOf(owned));
    return rest;
  }
}
