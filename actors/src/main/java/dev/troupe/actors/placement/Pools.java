package dev.troupe.actors.placement;

import dev.troupe.actors.function.FunctionProtocol;
import dev.troupe.actors.node.NodeProtocol;
import java.time.InstantSource;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;

/** Starts the waiting lists of pools. */
public final class Pools {

  /** Makes pools reachable from this process, and holds some of them where it has the role. */
  public static void start(ActorSystem<?> system, MachineBoard board, InstantSource clock) {
    ClusterSharding sharding = ClusterSharding.get(system);
    sharding.init(
        PlacementActor.entity(
            new PlacementActor.World(
                board,
                function -> sharding.entityRefFor(FunctionProtocol.KEY, function.value()),
                machine -> sharding.entityRefFor(NodeProtocol.KEY, machine.value()),
                clock)));
  }

  private Pools() {}
}
