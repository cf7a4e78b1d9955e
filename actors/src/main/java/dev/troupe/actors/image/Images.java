package dev.troupe.actors.image;

import dev.troupe.actors.node.NodeProtocol;
import dev.troupe.actors.placement.MachineBoard;
import java.time.InstantSource;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;

/** Starts what holds images. */
public final class Images {

  /** Makes images reachable from this process, and holds some of them where it has the role. */
  public static void start(ActorSystem<?> system, MachineBoard board, InstantSource clock) {
    ClusterSharding sharding = ClusterSharding.get(system);
    sharding.init(
        ImageActor.entity(
            new ImageActor.World(
                board,
                image -> sharding.entityRefFor(ImageProtocol.KEY, image.value()),
                machine -> sharding.entityRefFor(NodeProtocol.KEY, machine.value()),
                clock)));
  }

  private Images() {}
}
