package dev.troupe.actors.app;

import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.function.FunctionProtocol;
import dev.troupe.cluster.Role;
import java.time.InstantSource;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.sharding.typed.ShardedDaemonProcessSettings;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.ShardedDaemonProcess;

/** Starts what holds apps. */
public final class Apps {

  /** Makes apps reachable from this process, and holds some of them where it has the role. */
  public static void start(ActorSystem<?> system, Directory directory, InstantSource clock) {
    ClusterSharding sharding = ClusterSharding.get(system);
    sharding.init(
        AppActor.entity(
            new AppActor.World(
                directory,
                function -> sharding.entityRefFor(FunctionProtocol.KEY, function.value()),
                clock)));
    ShardedDaemonProcess.get(system)
        .init(
            AppWaker.Command.class,
            "app-waker",
            1,
            _ ->
                AppWaker.create(
                    directory, app -> sharding.entityRefFor(AppProtocol.KEY, app.value())),
            ShardedDaemonProcessSettings.create(system).withRole(Role.CONTROL.word()),
            Optional.empty());
  }

  private Apps() {}
}
