package dev.troupe.actors.node;

import dev.troupe.actors.placement.MachineAdvert;

/** Where machines are advertised: to every process of the cluster. */
@FunctionalInterface
interface Adverts {

  /** Tells all. */
  void publish(MachineAdvert advert);
}
