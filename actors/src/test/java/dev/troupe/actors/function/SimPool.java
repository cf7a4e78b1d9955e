package dev.troupe.actors.function;

import dev.troupe.actors.function.FunctionProtocol.Placed;
import dev.troupe.actors.function.FunctionProtocol.Waits;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.node.NodeProtocol.GrantReply;
import dev.troupe.actors.node.NodeProtocol.Launch;
import dev.troupe.actors.node.NodeProtocol.Share;
import dev.troupe.actors.placement.PlacementProtocol;
import dev.troupe.actors.placement.PlacementProtocol.Want;
import dev.troupe.actors.placement.PlacementProtocol.Withdraw;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The waiting list of the simulated machines: forgets wishes that are not said again. */
final class SimPool {

  private static final Share SHARE = new Share(125, 128L << 20, List.of());

  private final Simulation simulation;
  private final Map<TaskId, Want> wanted = new LinkedHashMap<>();
  private final Map<TaskId, Instant> saidAt = new LinkedHashMap<>();

  SimPool(Simulation simulation) {
    this.simulation = simulation;
  }

  void begin() {
    place();
  }

  void receive(PlacementProtocol.Command command) {
    switch (command) {
      case Want want -> {
        wanted.putIfAbsent(want.task(), want);
        saidAt.put(want.task(), simulation.now());
        simulation.tell(new Waits(want.task(), wanted.size(), "waiting for room"));
      }
      case Withdraw(var task) -> wanted.remove(task);
      default -> throw new IllegalStateException("not simulated: " + command);
    }
  }

  private void place() {
    for (Want want : List.copyOf(wanted.values())) {
      Instant said = saidAt.getOrDefault(want.task(), Instant.MIN);
      if (said.plus(Duration.ofSeconds(15)).isBefore(simulation.now())) {
        wanted.remove(want.task());
        continue;
      }
      for (SimMachine machine : simulation.machines) {
        if (machine.free() > 0) {
          Launch launch = new Launch(want.task(), want.definition(), SHARE);
          if (machine.grant(launch) instanceof GrantReply.Granted) {
            wanted.remove(want.task());
            simulation.tell(new Placed(want.task(), machine.id, SHARE));
            break;
          }
        }
      }
    }
    simulation.after(Duration.ofMillis(500), this::place);
  }
}
