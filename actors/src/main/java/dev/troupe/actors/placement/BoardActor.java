package dev.troupe.actors.placement;

import java.time.Duration;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import org.apache.pekko.actor.NoSerializationVerificationNeeded;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.pubsub.Topic;

/** Hears the adverts of all machines, and shows the newest of each to whoever looks. */
final class BoardActor {

  private static final Duration TURN = Duration.ofSeconds(1);

  /** What it hears. */
  sealed interface Command extends NoSerializationVerificationNeeded {}

  private record Heard(MachineAdvert advert) implements Command {}

  private record Turn() implements Command {}

  /** What it shows: replaced whole, never changed. */
  static final class Board implements MachineBoard {
    private volatile Collection<MachineAdvert> machines = List.of();

    @Override
    public Collection<MachineAdvert> machines() {
      return machines;
    }
  }

  static Behavior<Command> create(Board board, InstantSource clock) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> {
                  timers.startTimerWithFixedDelay(new Turn(), TURN);
                  hearAdverts(context, context.messageAdapter(MachineAdvert.class, Heard::new));
                  return showing(MachineTable.EMPTY, board, clock);
                }));
  }

  /** Has adverts told to {@code listener}, which lives as long as {@code context}'s actor. */
  static void hearAdverts(ActorContext<?> context, ActorRef<MachineAdvert> listener) {
    ActorRef<Topic.Command<MachineAdvert>> topic =
        context.spawn(Topic.create(MachineAdvert.class, MachineAdvert.TOPIC), "machine-adverts");
    topic.tell(Topic.subscribe(listener));
  }

  private static Behavior<Command> showing(MachineTable table, Board board, InstantSource clock) {
    return Behaviors.receiveMessage(
        message -> {
          MachineTable next =
              switch (message) {
                case Heard(var advert) -> table.plus(advert, clock.instant());
                case Turn() -> table.at(clock.instant());
              };
          board.machines = next.machines();
          return showing(next, board, clock);
        });
  }

  private BoardActor() {}
}
