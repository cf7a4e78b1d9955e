package dev.troupe.actors.placement;

import java.util.Collection;
import org.apache.pekko.actor.typed.ActorRef;

/** This process's view of all machines: the newest advert of each. Read from any thread. */
public interface MachineBoard {

  /** The newest advert of each machine known here. */
  Collection<MachineAdvert> machines();

  /**
   * Has adverts told to {@code follower} from now on, for as long as it lives. A board that never
   * changes has nothing to tell.
   */
  default void follow(ActorRef<MachineAdvert> follower) {}
}
