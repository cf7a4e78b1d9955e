package dev.troupe.actors.imagename;

import dev.troupe.actors.directory.Directory;
import java.time.InstantSource;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;

/** Starts what holds names of images. */
public final class ImageNames {

  /** Makes names reachable from this process, and holds some of them where it has the role. */
  public static void start(ActorSystem<?> system, Directory directory, InstantSource clock) {
    ClusterSharding.get(system)
        .init(ImageNameActor.entity(new ImageNameActor.World(directory, clock)));
  }

  private ImageNames() {}
}
