package dev.troupe.node.link;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Where the processes of a server are: each dial goes to the next, and all else where that went.
 */
final class ServerAddresses {

  private final List<ServerAddress> all;
  private final AtomicInteger dials = new AtomicInteger();

  ServerAddresses(List<ServerAddress> all) {
    this.all = List.copyOf(all);
  }

  /** The one to dial now. */
  ServerAddress next() {
    return at(dials.getAndIncrement());
  }

  /** The one that was dialled last; before that, the first. */
  ServerAddress present() {
    return at(Math.max(0, dials.get() - 1));
  }

  private ServerAddress at(int dial) {
    return all.get(Math.floorMod(dial, all.size()));
  }
}
