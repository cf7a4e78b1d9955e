package dev.troupe.actors.node;

import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.function.FunctionProtocol;
import dev.troupe.actors.placement.Boards;
import dev.troupe.actors.placement.MachineAdvert;
import dev.troupe.actors.placement.MachineBoard;
import java.time.InstantSource;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.pubsub.Topic;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;

/** Starts the counterparts of machines. */
public final class Machines {

  /**
   * Makes machines reachable from this process, holds the counterparts of some where it has the
   * role, and gives this process's view of all of them.
   */
  public static MachineBoard start(
      ActorSystem<?> system, Directory directory, InstantSource clock) {
    MachineBoard board = Boards.start(system, clock);
    ActorRef<Topic.Command<MachineAdvert>> topic =
        system.systemActorOf(
            Topic.create(MachineAdvert.class, MachineAdvert.TOPIC),
            "machine-adverts-out",
            Props.empty());
    ClusterSharding sharding = ClusterSharding.get(system);
    sharding.init(
        NodeActor.entity(
            new NodeActor.World(
                directory,
                function -> sharding.entityRefFor(FunctionProtocol.KEY, function.value()),
                advert -> topic.tell(Topic.publish(advert)),
                clock)));
    return board;
  }

  private Machines() {}
}
