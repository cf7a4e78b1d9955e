package dev.troupe.actors.placement;

import java.time.Duration;
import java.time.InstantSource;
import org.apache.pekko.actor.NoSerializationVerificationNeeded;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** Hears the adverts of all machines, and shows the newest of each on the process's board. */
final class BoardActor {

  private static final Duration TURN = Duration.ofSeconds(1);

  /** What it hears. */
  sealed interface Command extends NoSerializationVerificationNeeded {}

  private record Heard(MachineAdvert advert) implements Command {}

  private record Turn() implements Command {}

  static Behavior<Command> create(Boards board, InstantSource clock) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> {
                  timers.startTimerWithFixedDelay(new Turn(), TURN);
                  board.follow(context.messageAdapter(MachineAdvert.class, Heard::new));
                  return showing(MachineTable.EMPTY, board, clock);
                }));
  }

  private static Behavior<Command> showing(MachineTable table, Boards board, InstantSource clock) {
    return Behaviors.receiveMessage(
        message -> {
          MachineTable next =
              switch (message) {
                case Heard(var advert) -> table.plus(advert, clock.instant());
                case Turn() -> table.at(clock.instant());
              };
          board.show(next.machines());
          return showing(next, board, clock);
        });
  }

  private BoardActor() {}
}
