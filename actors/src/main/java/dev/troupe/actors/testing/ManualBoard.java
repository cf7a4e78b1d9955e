package dev.troupe.actors.testing;

import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.node.NodeProtocol.Capacity;
import dev.troupe.actors.placement.MachineAdvert;
import dev.troupe.actors.placement.MachineBoard;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.pekko.actor.typed.ActorRef;

/** A board of machines that a test sets; followers are told at once. */
public final class ManualBoard implements MachineBoard {

  private final Map<String, MachineAdvert> machines = new ConcurrentSkipListMap<>();
  private final List<ActorRef<MachineAdvert>> followers = new CopyOnWriteArrayList<>();
  private final AtomicLong revision = new AtomicLong();

  @Override
  public Collection<MachineAdvert> machines() {
    return List.copyOf(machines.values());
  }

  @Override
  public void follow(ActorRef<MachineAdvert> follower) {
    followers.add(follower);
  }

  /** A connected machine that has all of {@code capacity} free. */
  public MachineAdvert link(String machine, Capacity capacity, ImageId... images) {
    return put(machine, true, capacity, List.of(images));
  }

  /** A machine whose agent is away. */
  public MachineAdvert unlink(String machine) {
    return put(machine, false, new Capacity(0, 0, List.of()), List.of());
  }

  private MachineAdvert put(
      String machine, boolean linked, Capacity capacity, List<ImageId> images) {
    MachineAdvert advert =
        new MachineAdvert(
            new MachineId(machine),
            revision.incrementAndGet(),
            linked,
            capacity,
            capacity,
            images,
            Map.of());
    machines.put(machine, advert);
    followers.forEach(follower -> follower.tell(advert));
    return advert;
  }
}
