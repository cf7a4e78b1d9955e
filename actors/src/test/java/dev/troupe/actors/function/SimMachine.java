package dev.troupe.actors.function;

import dev.troupe.actors.function.FunctionProtocol.ContainerEnded;
import dev.troupe.actors.function.FunctionProtocol.ContainerStarted;
import dev.troupe.actors.function.FunctionProtocol.ContainersOn;
import dev.troupe.actors.function.FunctionProtocol.Ending;
import dev.troupe.actors.function.FunctionProtocol.FromMachine;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.node.NodeProtocol;
import dev.troupe.actors.node.NodeProtocol.Capacity;
import dev.troupe.actors.node.NodeProtocol.GrantReply;
import dev.troupe.actors.node.NodeProtocol.Launch;
import dev.troupe.actors.placement.MachineAdvert;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A machine and its counterpart in the control plane, as far as a function sees them. */
final class SimMachine {

  private static final int CPU_MILLIS = 125;

  final MachineId id;
  private final Simulation simulation;
  private final int room;
  private final Map<TaskId, SimContainer> containers = new LinkedHashMap<>();
  private final Map<TaskId, Ending> ended = new HashMap<>();
  private boolean away;
  private Instant lastWord = Instant.MIN;

  SimMachine(Simulation simulation, MachineId id, int room) {
    this.simulation = simulation;
    this.id = id;
    this.room = room;
  }

  void begin() {
    count();
  }

  private void count() {
    if (!away && !containers.isEmpty()) {
      report();
    }
    simulation.after(Duration.ofSeconds(5), this::count);
  }

  private void report() {
    tell(new ContainersOn(id, List.copyOf(containers.keySet())));
  }

  MachineAdvert advert() {
    Capacity all = new Capacity(room * CPU_MILLIS, 64L << 30, List.of());
    Capacity free = new Capacity(Math.max(0, free()) * CPU_MILLIS, 64L << 30, List.of());
    return new MachineAdvert(id, 1, !away, all, free, List.of(), Map.of());
  }

  int free() {
    return away ? 0 : room - containers.size();
  }

  /** Words of a machine come in order, if they come. */
  private void tell(FromMachine word) {
    if (simulation.mishap(0.05)) {
      return;
    }
    Instant arrival = simulation.now().plus(simulation.between(0, 50));
    lastWord = arrival.isAfter(lastWord) ? arrival : lastWord;
    simulation.after(Duration.between(simulation.now(), lastWord), () -> simulation.arrive(word));
  }

  void receive(NodeProtocol.Command command) {
    switch (command) {
      case NodeProtocol.Grant(var launch, _) -> answer(grant(launch));
      case NodeProtocol.StopTask(var task, var grace) -> stop(task, grace);
      case NodeProtocol.ReportContainers _ -> {
        if (!away) {
          report();
        }
      }
      default -> throw new IllegalStateException("not simulated: " + command);
    }
  }

  private void answer(GrantReply reply) {
    simulation.network(
        () -> {
          if (simulation.owner != null) {
            simulation.owner.granted(reply);
          }
        });
  }

  GrantReply grant(Launch launch) {
    TaskId task = launch.task();
    if (ended.containsKey(task)) {
      tell(new ContainerEnded(task, id, ended.get(task)));
      return new GrantReply.Granted(task, id);
    }
    if (containers.containsKey(task)) {
      return new GrantReply.Granted(task, id);
    }
    if (free() <= 0) {
      return new GrantReply.Refused(task, id, "full");
    }
    SimContainer container = new SimContainer(simulation, this, launch);
    containers.put(task, container);
    simulation.after(
        simulation.between(100, 2_000),
        () -> {
          if (containers.get(task) != container) {
            return;
          }
          if (simulation.mishap(0.05)) {
            gone(container, new Ending.NeverStarted("no disk"));
          } else {
            tell(new ContainerStarted(task, id));
            container.begin();
          }
        });
    return new GrantReply.Granted(task, id);
  }

  private void stop(TaskId task, Duration grace) {
    SimContainer container = containers.get(task);
    Ending ending = ended.get(task);
    if (container != null) {
      simulation.after(
          simulation.between(0, (int) grace.toMillis() + 50),
          () -> gone(container, new Ending.Exited(137, 9, false)));
    } else if (ending != null) {
      tell(new ContainerEnded(task, id, ending));
    } else if (!away) {
      ended.put(task, new Ending.NeverStarted("stopped before it began"));
    }
  }

  /** A container is no more. */
  void gone(SimContainer container, Ending ending) {
    if (containers.remove(container.task(), container)) {
      container.dead();
      ended.put(container.task(), ending);
      tell(new ContainerEnded(container.task(), id, ending));
    }
  }

  /** Loses its power; comes back after a while. */
  void die() {
    away = true;
    List<SimContainer> lost = List.copyOf(containers.values());
    lost.forEach(SimContainer::dead);
    simulation.after(
        Duration.ofSeconds(10),
        () -> lost.forEach(it -> gone(it, new Ending.MachineLost("no word of the machine"))));
    simulation.after(simulation.between(11_000, 30_000), () -> away = false);
  }
}
