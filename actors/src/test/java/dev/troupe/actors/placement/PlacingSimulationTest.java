package dev.troupe.actors.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.function.FunctionDefinition;
import dev.troupe.actors.function.FunctionProtocol.ContainerEnded;
import dev.troupe.actors.function.FunctionProtocol.ContainerStarted;
import dev.troupe.actors.function.FunctionProtocol.ContainersOn;
import dev.troupe.actors.function.FunctionProtocol.FromMachine;
import dev.troupe.actors.function.FunctionProtocol.Placed;
import dev.troupe.actors.function.FunctionProtocol.Waits;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.node.NodeProtocol.Capacity;
import dev.troupe.actors.node.NodeProtocol.GrantReply;
import dev.troupe.actors.node.SimulatedMachine;
import dev.troupe.actors.placement.PlacementProtocol.Want;
import dev.troupe.actors.testing.Definitions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Functions, a waiting list and machines under a network that loses, doubles and delays words, with
 * links that break, agents that die and entities that move. Safety is checked at each moment: no
 * machine runs more than it has. Liveness at the end: once faults cease, every container ends and
 * every share is free, those of containers that a late word placed twice too.
 */
class PlacingSimulationTest {

  private static final Instant T0 = Instant.parse("2026-11-01T12:00:00Z");
  private static final Duration STEP = Duration.ofMillis(500);
  private static final int CPU_MILLIS = 4_000;

  /** Something that arrives at a moment. */
  private record Word(Instant at, Runnable arrival) {}

  private enum Phase {
    WANTED,
    PLACED,
    ENDED
  }

  /** A container as its function sees it. */
  private static final class Container {
    private final FunctionDefinition definition;
    private final TaskId task;
    private final Instant since;
    private Phase phase = Phase.WANTED;
    private @Nullable MachineId machine;
    private Instant seenAt;

    Container(FunctionDefinition definition, TaskId task, Instant now) {
      this.definition = definition;
      this.task = task;
      this.since = now;
      this.seenAt = now;
    }
  }

  private RandomGenerator random = RandomGenerator.getDefault();
  private Instant now = T0;
  private boolean faults = true;
  private WaitingList list = WaitingList.EMPTY;
  private MachineTable table = MachineTable.EMPTY;
  private final Map<MachineId, SimulatedMachine> machines = new LinkedHashMap<>();
  private final Map<TaskId, Container> containers = new LinkedHashMap<>();
  private List<Word> words = new ArrayList<>();

  /** A failing seed goes into the list and stays there. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 20_261_124})
  void neverOversubscribesAndLeaksNothing(long seed) {
    random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    for (int i = 0; i < 3; i++) {
      MachineId id = new MachineId("m" + i);
      machines.put(
          id,
          new SimulatedMachine(
              id,
              new Capacity(CPU_MILLIS, 1_000, List.of()),
              random,
              (function, word) -> send(() -> hear(word)),
              now));
    }
    for (int step = 0; step < 1_200; step++) {
      if (step < 1_000 && random.nextInt(4) == 0) {
        want(step);
      }
      fail();
      step();
    }
    faults = false;
    for (int step = 0; step < 600; step++) {
      step();
    }
    assertThat(containers.values()).allMatch(at -> at.phase == Phase.ENDED);
    assertThat(list.isEmpty()).isTrue();
    assertThat(machines.values()).allMatch(SimulatedMachine::isIdle);
  }

  private void want(int number) {
    FunctionId function = new FunctionId("fu-" + random.nextInt(4));
    int cpuMillis = random.nextInt(1, 9) * 500;
    TaskId task = new TaskId("ta-" + number);
    FunctionDefinition definition = Definitions.of(function, Definitions.resources(cpuMillis, 1));
    containers.put(task, new Container(definition, task, now));
  }

  private void fail() {
    for (SimulatedMachine machine : machines.values()) {
      switch (random.nextInt(200)) {
        case 0 -> machine.breakLink(now);
        case 1 -> machine.killAgent(now);
        case 2 -> machine.moveNode(now);
        default -> {}
      }
    }
    if (random.nextInt(300) == 0) {
      list = WaitingList.EMPTY;
    }
  }

  private void step() {
    now = now.plus(STEP);
    for (SimulatedMachine machine : machines.values()) {
      machine.step(now, !faults || random.nextInt(8) == 0);
      assertThat(machine.usedCpuMillis()).as("%s", machine).isLessThanOrEqualTo(CPU_MILLIS);
      MachineAdvert advert = machine.advert();
      send(() -> table = table.plus(advert, now));
    }
    List<Word> due = words.stream().filter(word -> !word.at().isAfter(now)).toList();
    words = new ArrayList<>(words.stream().filter(word -> word.at().isAfter(now)).toList());
    due.forEach(word -> word.arrival().run());
    carryOut(list.turn(now));
    carryOut(list.serve(table.machines(), now));
    containers.values().forEach(this::tick);
  }

  // ---- functions

  private void tick(Container at) {
    long halves = Duration.between(at.since, now).dividedBy(STEP);
    if (at.phase == Phase.WANTED && halves % 10 == 0) {
      Want want = new Want(at.definition.function(), at.task, at.definition, at.since);
      send(() -> carryOut(list.want(want, now)));
    }
    if (at.phase == Phase.WANTED && halves == 240) {
      // Its caller does not want it any more.
      at.phase = Phase.ENDED;
      send(() -> carryOut(list.withdraw(at.task)));
    }
    boolean vanished = at.phase == Phase.PLACED && !now.isBefore(at.seenAt.plusSeconds(30));
    if (vanished && at.machine != null) {
      at.phase = Phase.ENDED;
      stop(at.machine, at.task);
    }
  }

  private void hear(FromMachine word) {
    switch (word) {
      case Placed(var task, var machine, _) -> seen(task, machine);
      case Waits _ -> {}
      case ContainerStarted(var task, var machine) -> seen(task, machine);
      case ContainerEnded(var task, var machine, _) -> {
        Container at = containers.get(task);
        if (at != null && (at.machine == null || machine.equals(at.machine))) {
          at.phase = Phase.ENDED;
          send(() -> carryOut(list.withdraw(task)));
        }
      }
      case ContainersOn(var machine, var tasks) -> tasks.forEach(task -> seen(task, machine));
    }
  }

  private void seen(TaskId task, MachineId machine) {
    Container at = containers.get(task);
    if (at == null
        || at.phase == Phase.ENDED
        || (at.machine != null && !at.machine.equals(machine))) {
      stop(machine, task);
      return;
    }
    at.phase = Phase.PLACED;
    at.machine = machine;
    at.seenAt = now;
  }

  private void stop(MachineId machine, TaskId task) {
    send(() -> machine(machine).stop(task));
  }

  // ---- the list

  private void carryOut(WaitingList.Step step) {
    list = step.next();
    for (ListEffect effect : step.effects()) {
      switch (effect) {
        case ListEffect.Ask(var machine, var launch) ->
            send(() -> machine(machine).grant(launch, this::answer, now));
        case ListEffect.Tell(_, var word) -> send(() -> hear(word));
        case ListEffect.Stop(var machine, var task) -> stop(machine, task);
      }
    }
  }

  private void answer(GrantReply reply) {
    send(() -> carryOut(list.answered(reply, table.machines(), now)));
  }

  private SimulatedMachine machine(MachineId id) {
    SimulatedMachine machine = machines.get(id);
    assertThat(machine).isNotNull();
    return Objects.requireNonNull(machine);
  }

  // ---- the network

  private void send(Runnable arrival) {
    int copies = !faults ? 1 : random.nextInt(10) == 0 ? 0 : random.nextInt(10) == 0 ? 2 : 1;
    for (int i = 0; i < copies; i++) {
      words.add(new Word(now.plusMillis(faults ? random.nextInt(3_000) : 0), arrival));
    }
  }
}
