package dev.troupe.actors.node;

import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.function.FunctionProtocol;
import dev.troupe.actors.placement.Boards;
import dev.troupe.actors.placement.MachineBoard;
import java.time.InstantSource;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;

/** Starts the counterparts of machines. */
public final class Machines {

  /**
   * Makes machines reachable from this process, holds the counterparts of some where it has the
   * role, and gives this process's view of all of them.
   */
  public static MachineBoard start(
      ActorSystem<?> system, Directory directory, InstantSource clock) {
    Boards boards = Boards.start(system, clock);
    ClusterSharding sharding = ClusterSharding.get(system);
    sharding.init(
        NodeActor.entity(
            new NodeActor.World(
                directory,
                function -> sharding.entityRefFor(FunctionProtocol.KEY, function.value()),
                boards::publish,
                clock)));
    return boards;
  }

  private Machines() {}
}
