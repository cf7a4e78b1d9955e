package dev.troupe.actors.node;

import dev.troupe.actors.function.FunctionProtocol.Ending;
import dev.troupe.actors.function.FunctionProtocol.FromMachine;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.node.NodeProtocol.Capacity;
import dev.troupe.actors.node.NodeProtocol.GrantReply;
import dev.troupe.actors.node.NodeProtocol.Launch;
import dev.troupe.actors.node.NodeProtocol.Order;
import dev.troupe.actors.node.NodeProtocol.TaskReport;
import dev.troupe.actors.placement.MachineAdvert;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A machine in a simulation: the real {@link NodeState} and a played agent that really runs things.
 * The link between them is in order; when it breaks, what was on its way is lost.
 */
public final class SimulatedMachine {

  private record Running(Launch launch, boolean up, Instant endsAt) {}

  private final MachineId id;
  private final Capacity capacity;
  private final RandomGenerator random;
  private final BiConsumer<FunctionId, FromMachine> functions;
  private final Map<TaskId, Running> running = new LinkedHashMap<>();
  private final Set<TaskId> everStarted = new HashSet<>();
  private final Queue<Order> toAgent = new ArrayDeque<>();
  private final Queue<TaskReport> toNode = new ArrayDeque<>();
  private NodeState state;
  private @Nullable String link;
  private int links;
  private long revision;
  private Instant reportedAt = Instant.EPOCH;

  /** A machine without a link; {@code functions} is told what the node tells functions. */
  public SimulatedMachine(
      MachineId id,
      Capacity capacity,
      RandomGenerator random,
      BiConsumer<FunctionId, FromMachine> functions,
      Instant now) {
    this.id = id;
    this.capacity = capacity;
    this.random = random;
    this.functions = functions;
    this.state = NodeState.unknown(id, now);
  }

  public MachineId id() {
    return id;
  }

  /** Asks for a grant. */
  public void grant(Launch launch, Consumer<GrantReply> answer, Instant now) {
    carryOut(state.grant(launch, now), answer);
  }

  /** Stops a container. */
  public void stop(TaskId task) {
    carryOut(state.stop(task, Duration.ofSeconds(1)), _ -> {});
  }

  /** The machine's entity moves: all it knew is gone. */
  public void moveNode(Instant now) {
    state = NodeState.unknown(id, now);
    reportedAt = Instant.EPOCH;
  }

  /** The link breaks, and what was on its way is lost. */
  public void breakLink(Instant now) {
    toAgent.clear();
    toNode.clear();
    if (link != null) {
      state = state.disconnected(link, now);
      link = null;
    }
  }

  /** The agent dies with all it ran, and starts anew. */
  public void killAgent(Instant now) {
    breakLink(now);
    running.clear();
  }

  /** A moment passes: some words arrive on the link, containers start and end. */
  public void step(Instant now, boolean mayLink) {
    if (link == null && mayLink) {
      links++;
      link = id + "-" + links;
      report(now);
    } else if (link != null && !now.isBefore(reportedAt.plusSeconds(5))) {
      report(now);
    }
    for (int words = random.nextInt(4); words > 0 && !toAgent.isEmpty(); words--) {
      obey(toAgent.remove(), now);
    }
    work(now);
    for (int words = random.nextInt(4); words > 0 && !toNode.isEmpty(); words--) {
      TaskReport word = toNode.remove();
      if (link != null) {
        carryOut(state.changed(link, word, now), _ -> {});
      }
    }
    carryOut(state.turn(now), _ -> {});
  }

  /** What would be advertised now. */
  public MachineAdvert advert() {
    revision++;
    return new MachineAdvert(
        id,
        revision,
        state.isLinked(),
        state.ledger().capacity(),
        state.ledger().free(),
        List.of(),
        Map.of());
  }

  /** CPU that containers really take. */
  public int usedCpuMillis() {
    return running.values().stream().mapToInt(at -> at.launch().share().cpuMillis()).sum();
  }

  /** Whether nothing runs, nothing is held, and all is free. */
  public boolean isIdle() {
    return running.isEmpty() && state.ledger().holdings().isEmpty();
  }

  @Override
  public String toString() {
    return id + " runs " + running.keySet() + ", holds " + state.ledger().holdings().values();
  }

  /** A full report says what the agent has, and what was ordered and has not reached it. */
  private void report(Instant now) {
    reportedAt = now;
    while (!toNode.isEmpty()) {
      carryOut(state.changed(String.valueOf(link), toNode.remove(), now), _ -> {});
    }
    List<TaskReport> reports = new ArrayList<>();
    running.values().forEach(at -> reports.add(report(at.launch(), at.up(), null)));
    List<Order> pending =
        toAgent.stream()
            .filter(
                order ->
                    !(order instanceof Order.StartTask(var launch))
                        || !everStarted.contains(launch.task()))
            .toList();
    carryOut(state.connected(String.valueOf(link), capacity, reports, pending, now), _ -> {});
  }

  private void obey(Order order, Instant now) {
    switch (order) {
      case Order.StartTask(var launch) -> {
        if (everStarted.add(launch.task())) {
          Instant end = now.plusSeconds(random.nextInt(1, 40));
          running.put(launch.task(), new Running(launch, false, end));
          toNode.add(report(launch, false, null));
        }
      }
      case Order.EndTask(var task, var grace) -> {
        Running at = running.get(task);
        Instant end = now.plus(grace);
        if (at != null && end.isBefore(at.endsAt())) {
          running.put(task, new Running(at.launch(), at.up(), end));
        }
      }
      case Order.BuildImage _, Order.Drain _ -> {}
    }
  }

  private void work(Instant now) {
    for (Running at : List.copyOf(running.values())) {
      TaskId task = at.launch().task();
      if (!now.isBefore(at.endsAt())) {
        running.remove(task);
        toNode.add(report(at.launch(), true, new Ending.Exited(0, 0, false)));
      } else if (!at.up() && random.nextInt(3) == 0) {
        running.put(task, new Running(at.launch(), true, at.endsAt()));
        toNode.add(report(at.launch(), true, null));
      }
    }
  }

  private static TaskReport report(Launch launch, boolean up, @Nullable Ending ending) {
    return new TaskReport(
        launch.task(),
        launch.definition().function(),
        launch.definition().app(),
        up,
        ending,
        launch.share());
  }

  private void carryOut(NodeState.Step step, Consumer<GrantReply> answer) {
    state = step.next();
    for (NodeEffect effect : step.effects()) {
      switch (effect) {
        case NodeEffect.Answer(var reply) -> answer.accept(reply);
        case NodeEffect.Tell(var function, var word) -> functions.accept(function, word);
        case NodeEffect.Send(var order) -> {
          if (link != null) {
            toAgent.add(order);
          }
        }
      }
    }
  }
}
