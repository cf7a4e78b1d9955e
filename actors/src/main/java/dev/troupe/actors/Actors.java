package dev.troupe.actors;

import com.typesafe.config.Config;
import dev.troupe.actors.app.AppProtocol;
import dev.troupe.actors.app.Apps;
import dev.troupe.actors.blob.BlobStore;
import dev.troupe.actors.calllog.CallLog;
import dev.troupe.actors.calllog.RetentionSettings;
import dev.troupe.actors.calllog.Sweeper;
import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.function.FunctionSettings;
import dev.troupe.actors.function.Functions;
import dev.troupe.actors.function.World;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.Ids;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.image.Images;
import dev.troupe.actors.imagename.ImageNames;
import dev.troupe.actors.log.LogArchive;
import dev.troupe.actors.node.Machines;
import dev.troupe.actors.node.NodeProtocol;
import dev.troupe.actors.placement.MachineBoard;
import dev.troupe.actors.placement.PlacementProtocol;
import dev.troupe.actors.placement.Pools;
import dev.troupe.actors.secret.Secrets;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;

/** The domain on this process. */
public final class Actors {

  private Actors() {}

  /** Makes this process a home of every kind of entity, with the settings in {@code troupe}. */
  public static void start(
      ActorSystem<?> system,
      Config troupe,
      CallLog callLog,
      BlobStore blobs,
      LogArchive logs,
      Directory directory,
      InstantSource clock) {
    MachineBoard board = Machines.start(system, directory, clock);
    Pools.start(system, board, clock);
    Secrets.start(system, directory, clock);
    Images.start(system, board, clock);
    ImageNames.start(system, directory, clock);
    Functions.start(
        system,
        new World(
            callLog,
            board,
            directory,
            new ShardedMail(system),
            clock,
            newTasks(),
            FunctionSettings.from(troupe)));
    Apps.start(system, directory, clock);
    Sweeper.start(system, callLog, blobs, logs, clock, RetentionSettings.from(troupe));
  }

  private static Supplier<TaskId> newTasks() {
    SecureRandom random = new SecureRandom();
    return () -> {
      byte[] bytes = new byte[16];
      random.nextBytes(bytes);
      return Ids.task(bytes);
    };
  }

  /** Mail by sharding: to wherever the entity is. */
  private record ShardedMail(ClusterSharding sharding) implements World.Mail {

    ShardedMail(ActorSystem<?> system) {
      this(ClusterSharding.get(system));
    }

    @Override
    public void app(AppId app, AppProtocol.Command command) {
      sharding.entityRefFor(AppProtocol.KEY, app.value()).tell(command);
    }

    @Override
    public void machine(MachineId machine, NodeProtocol.Command command) {
      sharding.entityRefFor(NodeProtocol.KEY, machine.value()).tell(command);
    }

    @Override
    public void pool(String pool, PlacementProtocol.Command command) {
      sharding.entityRefFor(PlacementProtocol.KEY, pool).tell(command);
    }
  }
}
