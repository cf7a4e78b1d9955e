package dev.troupe.actors.placement;

import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.pubsub.Topic;

/**
 * This process's board of machines, and its end of the topic on which machines are advertised to
 * every process of the cluster. One actor is both ends of it here, so that an advert made in this
 * process is on its board at once.
 */
public final class Boards implements MachineBoard {

  private final ActorRef<Topic.Command<MachineAdvert>> topic;
  private volatile Collection<MachineAdvert> machines = List.of();

  private Boards(ActorRef<Topic.Command<MachineAdvert>> topic) {
    this.topic = topic;
  }

  /** A board that is kept up to date from now on. Once a process. */
  public static Boards start(ActorSystem<?> system, InstantSource clock) {
    Boards board =
        new Boards(
            system.systemActorOf(
                Topic.create(MachineAdvert.class, MachineAdvert.TOPIC),
                "machine-adverts",
                Props.empty()));
    system.systemActorOf(BoardActor.create(board, clock), "machine-board", Props.empty());
    return board;
  }

  /** Advertises a machine to every process. */
  public void publish(MachineAdvert advert) {
    topic.tell(Topic.publish(advert));
  }

  @Override
  public Collection<MachineAdvert> machines() {
    return machines;
  }

  @Override
  public void follow(ActorRef<MachineAdvert> follower) {
    topic.tell(Topic.subscribe(follower));
  }

  /** Replaces all of it. */
  void show(Collection<MachineAdvert> newest) {
    machines = newest;
  }
}
