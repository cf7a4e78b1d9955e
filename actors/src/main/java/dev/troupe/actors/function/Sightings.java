package dev.troupe.actors.function;

import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.node.NodeProtocol;
import dev.troupe.actors.placement.MachineAdvert;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What was heard of a function's containers: machines that said nothing for a while are asked, so
 * that a word that was lost leaves no container behind that is none. Part of its {@link Fleet}.
 */
final class Sightings {

  private static final Duration ASK_AFTER = Duration.ofSeconds(15);

  /** Silence after which a container on no machine that is there is given up. */
  static final Duration LOST_AFTER = Duration.ofSeconds(60);

  private final FunctionId function;
  private final World world;
  private final Map<MachineId, Instant> heard = new HashMap<>();
  private Instant searchedAt = Instant.MIN;

  Sightings(FunctionId function, World world) {
    this.function = function;
    this.world = world;
  }

  /** A machine told what it has. */
  void heard(MachineId machine, Instant now) {
    heard.put(machine, now);
  }

  /** Asks where nothing was heard for a while. */
  void ask(Collection<Container> containers, Instant now) {
    Set<MachineId> homes = new HashSet<>();
    boolean homeless = false;
    for (Container container : containers) {
      MachineId machine = container.machine();
      if (container.phase().compareTo(Container.Phase.STARTED) >= 0) {
        homeless |= machine == null;
        if (machine != null) {
          homes.add(machine);
        }
      }
    }
    heard.keySet().retainAll(homes);
    for (MachineId home : homes) {
      if (heard.computeIfAbsent(home, _ -> now).plus(ASK_AFTER).isBefore(now)) {
        ask(home, now);
      }
    }
    if (homeless && searchedAt.plus(ASK_AFTER).isBefore(now)) {
      searchedAt = now;
      linked().forEach(machine -> ask(machine, now));
    }
  }

  private void ask(MachineId machine, Instant now) {
    heard.replace(machine, now);
    world.mail().machine(machine, new NodeProtocol.ReportContainers(function));
  }

  /** Those that nothing was heard of for long, on no machine that is there. */
  List<Container> lost(Collection<Container> containers, Instant now) {
    Set<MachineId> linked = Set.copyOf(linked());
    return containers.stream()
        .filter(container -> container.phase().compareTo(Container.Phase.STARTED) >= 0)
        .filter(container -> container.spokeAt().plus(LOST_AFTER).isBefore(now))
        .filter(container -> container.machine() == null || !linked.contains(container.machine()))
        .toList();
  }

  /** Machines that are there. */
  List<MachineId> linked() {
    return world.board().machines().stream()
        .filter(MachineAdvert::linked)
        .map(MachineAdvert::machine)
        .toList();
  }
}
