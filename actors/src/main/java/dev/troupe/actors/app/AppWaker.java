package dev.troupe.actors.app;

import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.id.AppId;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import org.apache.pekko.actor.NoSerializationVerificationNeeded;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.RecipientRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * Wakes the entities of apps that can end by themselves: at its start, and again and again, so that
 * an app whose client is gone ends after whatever restart or move. One in the cluster.
 */
final class AppWaker {

  private static final Duration TURN = Duration.ofSeconds(30);

  // Far more apps than are run at a time; those beyond it get their turn as others end.
  private static final int APPS_LIMIT = 10_000;

  /** What it says to itself. */
  sealed interface Command extends NoSerializationVerificationNeeded {}

  private record Turn() implements Command {}

  private record Live(List<Entry> apps) implements Command {}

  private record Failed(Throwable cause) implements Command {}

  static Behavior<Command> create(
      Directory directory, Function<AppId, RecipientRef<AppProtocol.Command>> apps) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> {
                  timers.startTimerWithFixedDelay(new Turn(), Duration.ZERO, TURN);
                  return waking(context, directory, apps);
                }));
  }

  private static Behavior<Command> waking(
      ActorContext<Command> context,
      Directory directory,
      Function<AppId, RecipientRef<AppProtocol.Command>> apps) {
    return Behaviors.receiveMessage(
        message ->
            switch (message) {
              case Turn() -> {
                context.pipeToSelf(
                    directory.list(Kind.LIVE_APP, "", APPS_LIMIT),
                    (live, failure) -> failure == null ? new Live(live) : new Failed(failure));
                yield Behaviors.same();
              }
              case Live(var live) -> {
                live.forEach(at -> apps.apply(new AppId(at.id())).tell(new AppActor.Wake()));
                yield Behaviors.same();
              }
              case Failed(var cause) -> {
                context.getLog().warn("Apps to wake could not be listed", cause);
                yield Behaviors.same();
              }
            });
  }

  private AppWaker() {}
}
