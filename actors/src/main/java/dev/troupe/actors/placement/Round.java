package dev.troupe.actors.placement;

import dev.troupe.actors.function.FunctionDefinition.Gpu;
import dev.troupe.actors.function.FunctionDefinition.Resources;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.node.NodeProtocol.Capacity;
import dev.troupe.actors.node.NodeProtocol.Launch;
import dev.troupe.actors.node.NodeProtocol.Share;
import dev.troupe.actors.placement.Placement.Choice;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One pass over a waiting list, in its fair order: which machine to ask for which wish, and why the
 * others wait on. What an earlier wish of the pass is to get is not there for a later one.
 *
 * <p>A wish that has waited for 30 s and fits no gap reserves the machine that could hold it and
 * has the most of what it needs free: later wishes of this list pass that machine over, so that it
 * drains. One wish at a time does so.
 */
final class Round {

  /** How long a wish waits before it reserves a machine. */
  static final Duration RESERVES_AFTER = Duration.ofSeconds(30);

  // Wishes of one function are alike: where one found no room, the next one will not.
  private final Map<FunctionId, String> noRoom = new HashMap<>();
  private final Map<MachineId, MachineAdvert> machines = new LinkedHashMap<>();
  private final List<Launching> launches = new ArrayList<>();
  private final Map<TaskId, String> reasons = new HashMap<>();
  private final Instant now;
  private boolean reserved;

  /** A wish and the machine to ask for it. */
  record Launching(TaskId task, MachineId machine, Launch launch) {}

  private Round(Collection<MachineAdvert> machines, Instant now) {
    machines.forEach(at -> this.machines.put(at.machine(), at));
    this.now = now;
  }

  /** Passes over {@code order} and asks for {@code most} wishes at most. */
  static Round over(List<Wish> order, Collection<MachineAdvert> machines, int most, Instant now) {
    Round round = new Round(machines, now);
    for (Wish wish : order) {
      if (wish.asked() == null && round.launches.size() < most) {
        round.consider(wish);
      }
    }
    return round;
  }

  /** What to ask. */
  List<Launching> launches() {
    return launches;
  }

  /** Why a wish waits; nothing for one that was not looked at. */
  Optional<String> reason(TaskId task) {
    return Optional.ofNullable(reasons.get(task));
  }

  private void consider(Wish wish) {
    String known = noRoom.get(wish.function());
    if (known != null) {
      reasons.put(wish.task(), known);
      return;
    }
    Set<MachineId> refusing =
        machines.values().stream()
            .filter(wish::isRefusedBy)
            .map(MachineAdvert::machine)
            .collect(Collectors.toUnmodifiableSet());
    Resources resources = wish.definition().resources();
    switch (Placement.choose(machines.values(), resources, wish.definition().image(), refusing)) {
      case Choice.Place(var machine, var share) -> {
        launches.add(
            new Launching(wish.task(), machine, new Launch(wish.task(), wish.definition(), share)));
        machines.computeIfPresent(machine, (_, advert) -> less(advert, share));
      }
      case Choice.NoRoom(var reason) -> {
        noRoom.put(wish.function(), reason);
        reasons.put(wish.task(), reason);
        if (!reserved && !now.isBefore(wish.since().plus(RESERVES_AFTER))) {
          reserve(resources);
        }
      }
    }
  }

  private void reserve(Resources resources) {
    List<@Nullable Gpu> ranks = new ArrayList<>(resources.gpus());
    if (ranks.isEmpty()) {
      ranks.add(null);
    }
    for (Gpu gpu : ranks) {
      Optional<MachineAdvert> best =
          machines.values().stream()
              .filter(MachineAdvert::linked)
              .filter(at -> Placement.fits(at.capacity(), resources, gpu))
              .max(
                  Comparator.<MachineAdvert>comparingInt(at -> Placement.count(at.free(), gpu))
                      .thenComparingInt(at -> at.free().cpuMillis())
                      .thenComparing(at -> at.machine().value()));
      if (best.isPresent()) {
        machines.remove(best.get().machine());
        reserved = true;
        return;
      }
    }
  }

  /** An advert as it is once {@code share} is taken. */
  static MachineAdvert less(MachineAdvert advert, Share share) {
    List<String> gpus = new ArrayList<>(advert.free().gpus());
    share.gpus().forEach(gpus::remove);
    return new MachineAdvert(
        advert.machine(),
        advert.revision(),
        advert.linked(),
        advert.capacity(),
        new Capacity(
            Math.max(0, advert.free().cpuMillis() - share.cpuMillis()),
            Math.max(0, advert.free().memoryBytes() - share.memoryBytes()),
            List.copyOf(gpus)),
        advert.images(),
        advert.labels());
  }
}
