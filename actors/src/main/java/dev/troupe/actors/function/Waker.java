package dev.troupe.actors.function;

import dev.troupe.actors.calllog.CallLog;
import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.cluster.ClusterMessage;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.apache.pekko.actor.NoSerializationVerificationNeeded;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * Wakes functions that should be in memory: those with unfinished inputs, and those kept warm. Asks
 * at its start, which is the start of a server or a move, and every 30 s.
 */
final class Waker {

  private static final Duration PERIOD = Duration.ofSeconds(30);
  private static final Duration FORGET_PERIOD = Duration.ofHours(1);
  private static final int MOST_WARM = 10_000;

  /** What the waker says to itself. */
  sealed interface Command extends ClusterMessage {}

  private record Look() implements Command {}

  private record Forget() implements Command {}

  private record Found(List<FunctionId> functions)
      implements Command, NoSerializationVerificationNeeded {}

  private record NotFound(String why) implements Command {}

  private Waker() {}

  static Behavior<Command> create(
      CallLog log, Directory directory, InstantSource clock, Consumer<FunctionId> wake) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> {
                  timers.startTimerWithFixedDelay(new Look(), Duration.ZERO, PERIOD);
                  timers.startTimerWithFixedDelay(new Forget(), FORGET_PERIOD);
                  return Behaviors.receiveMessage(
                      message -> {
                        switch (message) {
                          case Look() ->
                              context.pipeToSelf(
                                  log.unfinishedFunctions()
                                      .thenCombine(
                                          directory.list(Kind.WARM_FUNCTION, "", MOST_WARM),
                                          Waker::both),
                                  (found, failure) ->
                                      failure == null
                                          ? new Found(found)
                                          : new NotFound(failure.toString()));
                          case Forget() -> EndedContainers.forgetOld(directory, clock.instant());
                          case Found(var functions) -> functions.forEach(wake);
                          case NotFound(var why) ->
                              context
                                  .getLog()
                                  .warn("can't see which functions should be awake: {}", why);
                        }
                        return Behaviors.same();
                      });
                }));
  }

  private static List<FunctionId> both(List<FunctionId> unfinished, List<Directory.Entry> warm) {
    List<FunctionId> all = new ArrayList<>(unfinished);
    warm.forEach(entry -> all.add(new FunctionId(entry.id())));
    return all;
  }
}
