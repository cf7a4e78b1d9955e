package dev.troupe.actors.secret;

import dev.troupe.actors.directory.Directory;
import java.time.InstantSource;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;

/** Starts what holds secrets. */
public final class Secrets {

  /** Makes secrets reachable from this process, and holds some of them where it has the role. */
  public static void start(ActorSystem<?> system, Directory directory, InstantSource clock) {
    ClusterSharding.get(system).init(SecretActor.entity(new SecretActor.World(directory, clock)));
  }

  private Secrets() {}
}
