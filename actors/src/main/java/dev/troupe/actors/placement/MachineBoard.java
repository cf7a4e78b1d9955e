package dev.troupe.actors.placement;

import java.util.Collection;

/** This process's view of all machines: the newest advert of each. Read from any thread. */
public interface MachineBoard {

  /** The newest advert of each machine known here. */
  Collection<MachineAdvert> machines();
}
