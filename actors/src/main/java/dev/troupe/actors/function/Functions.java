package dev.troupe.actors.function;

import dev.troupe.cluster.Role;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.sharding.typed.ShardedDaemonProcessSettings;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.ShardedDaemonProcess;

/** Starts functions on this process. */
public final class Functions {

  private Functions() {}

  /** Makes this process a home of functions, and has somebody wake those that should be awake. */
  public static void start(ActorSystem<?> system, World world) {
    ClusterSharding sharding = ClusterSharding.get(system);
    sharding.init(FunctionActor.entity(world));
    ShardedDaemonProcess.get(system)
        .init(
            Waker.Command.class,
            "waker",
            1,
            _ ->
                Waker.create(
                    world.callLog(),
                    world.directory(),
                    world.clock(),
                    function ->
                        sharding
                            .entityRefFor(FunctionProtocol.KEY, function.value())
                            .tell(new FunctionProtocol.Wake())),
            ShardedDaemonProcessSettings.create(system).withRole(Role.CONTROL.word()),
            Optional.empty());
  }
}
