package dev.troupe.actors.function;

import dev.troupe.actors.app.AppProtocol;
import dev.troupe.actors.app.AppProtocol.ContainerPhase;
import dev.troupe.actors.app.AppProtocol.Item;
import dev.troupe.actors.function.FunctionProtocol.ContainerInfo;
import dev.troupe.actors.function.FunctionProtocol.LeaseReply;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.node.NodeProtocol;
import dev.troupe.actors.node.NodeProtocol.GrantReply;
import dev.troupe.actors.node.NodeProtocol.Launch;
import dev.troupe.actors.placement.Placement;
import dev.troupe.actors.placement.PlacementProtocol;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * The containers of one function: wants them, has them placed, lets them go. What it wants of
 * others it restates until it is so. Part of {@link FunctionActor}, which calls it from its own
 * thread alone.
 */
final class Fleet {

  /** How long a container told to leave may take before it is told by a signal. */
  static final Duration LEAVE_PATIENCE = Duration.ofSeconds(30);

  /** From SIGINT to SIGKILL. */
  static final Duration STOP_GRACE = Duration.ofSeconds(10);

  /** The same for code that overran its time already. */
  static final Duration KILL_GRACE = Duration.ofSeconds(2);

  private static final Duration RESTATE = Duration.ofSeconds(5);
  private static final int MOST_START_FAILURES = 3;
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(60);

  private final FunctionId function;
  private final World world;
  private final Supplier<FunctionState> state;
  private final ActorRef<GrantReply> grants;
  private final Map<TaskId, Container> containers = new LinkedHashMap<>();
  private int startFailures;
  private Instant noStartBefore = Instant.MIN;

  Fleet(
      FunctionId function,
      World world,
      Supplier<FunctionState> state,
      ActorRef<GrantReply> grants) {
    this.function = function;
    this.world = world;
    this.state = state;
    this.grants = grants;
  }

  FunctionId function() {
    return function;
  }

  Collection<Container> all() {
    return List.copyOf(containers.values());
  }

  boolean isEmpty() {
    return containers.isEmpty();
  }

  int size() {
    return containers.size();
  }

  @Nullable Container find(TaskId task) {
    return containers.get(task);
  }

  @Nullable Container remove(TaskId task) {
    return containers.remove(task);
  }

  boolean anyServing() {
    FunctionDefinition inForce = state.get().published();
    return containers.values().stream().anyMatch(container -> container.takes(inForce));
  }

  /**
   * The container that speaks. One that is not known was started by the owner before this one, and
   * is taken in, unless the function has stopped: then null.
   */
  @Nullable Container seen(TaskId task, Instant now) {
    Container container = containers.get(task);
    FunctionDefinition inForce = state.get().published();
    if (container != null || inForce == null || state.get().stopped() != null) {
      return container;
    }
    Container adopted = new Container(task, inForce, now);
    adopted.reach(Container.Phase.STARTED, now);
    containers.put(task, adopted);
    return adopted;
  }

  /** Of those that hold a poll, the one that was busy last: the others may then grow cold. */
  @Nullable Container mostRecentlyBusy(@Nullable FunctionDefinition inForce) {
    Container best = null;
    for (Container container : containers.values()) {
      if (container.poll() != null
          && container.takes(inForce)
          && (best == null || container.idleSince().isAfter(best.idleSince()))) {
        best = container;
      }
    }
    return best;
  }

  // ---- up

  /** Starts what the autoscaler wants now. */
  void scale(Mailbox mailbox, Duration meanRun, Instant now) {
    FunctionDefinition inForce = state.get().published();
    if (inForce == null || state.get().stopped() != null || now.isBefore(noStartBefore)) {
      return;
    }
    int live = 0;
    int starting = 0;
    for (Container container : containers.values()) {
      if (!container.leaving() && current(container, inForce)) {
        live++;
        starting += container.phase() == Container.Phase.SERVING ? 0 : 1;
      }
    }
    int slots = Math.max(1, inForce.concurrency().target());
    int starts =
        Autoscaler.starts(
            new Autoscaler.Load(
                mailbox.waiting(), mailbox.running(), live, starting, slots, meanRun),
            inForce.scaling());
    for (int i = 0; i < starts; i++) {
      Container container = new Container(world.newTask().get(), inForce, now);
      containers.put(container.task(), container);
      tell(new Item.Container(container.task(), function, ContainerPhase.QUEUED));
      place(container, now);
    }
  }

  private static boolean current(Container container, FunctionDefinition inForce) {
    return container.definition().definitionId().equals(inForce.definitionId());
  }

  private void place(Container container, Instant now) {
    FunctionDefinition definition = container.definition();
    Placement.Choice choice =
        Placement.choose(
            world.board().machines(),
            definition.resources(),
            definition.image(),
            container.refusedBy());
    switch (choice) {
      case Placement.Choice.Place(var machine, var share) -> {
        container.asked(machine, new Launch(container.task(), definition, share));
        restateGrant(container);
      }
      case Placement.Choice.NoRoom(var reason) -> {
        waits(container, reason, now);
        want(container);
      }
    }
  }

  /** Joins the waiting list of its pool, or says again that it still waits there. */
  private void want(Container container) {
    world
        .mail()
        .pool(
            PlacementProtocol.poolOf(container.definition().resources()),
            new PlacementProtocol.Want(
                function, container.task(), container.definition(), container.wantedAt()));
  }

  void granted(GrantReply reply, Instant now) {
    switch (reply) {
      case GrantReply.Granted(var task, var machine) -> placed(task, machine, now);
      case GrantReply.Refused(var task, var machine, var why) -> {
        Container container = containers.get(task);
        if (container != null && container.phase() == Container.Phase.ASKING) {
          container.refusedBy().add(machine);
          if (container.refusedBy().size() < 2) {
            place(container, now);
          } else {
            waits(container, why, now);
            want(container);
          }
        }
      }
    }
  }

  void placed(TaskId task, MachineId machine, Instant now) {
    Container container = containers.get(task);
    if (container == null) {
      world.mail().machine(machine, new NodeProtocol.StopTask(task, Duration.ZERO));
      return;
    }
    container.placedOn(machine);
    if (container.reach(Container.Phase.PLACED, now)) {
      tell(new Item.LogsOn(machine));
      tell(new Item.Container(task, function, ContainerPhase.ASSIGNED));
    }
    if (container.leaving()) {
      world.mail().machine(machine, new NodeProtocol.StopTask(task, Duration.ZERO));
    }
  }

  /** A container waits for capacity: its user is told when the reason is a new one. */
  void waits(Container container, String reason, Instant now) {
    container.reach(Container.Phase.WAITING, now);
    if (!reason.equals(container.waitReason())) {
      container.waitReason(reason);
      tell(new Item.Notice(function, container.definition().name() + " is " + reason));
    }
  }

  void started(TaskId task, MachineId machine, Instant now) {
    placed(task, machine, now);
    Container container = containers.get(task);
    if (container != null && container.reach(Container.Phase.STARTED, now)) {
      tell(new Item.Container(task, function, ContainerPhase.CREATING));
    }
  }

  /** A container asked for its first input. */
  void serving(Container container) {
    startFailures = 0;
    tell(new Item.Container(container.task(), function, ContainerPhase.ACTIVE));
  }

  // ---- down

  /** Tells a container to end when it is idle: the kill switch, then signals. */
  void leave(Container container, String why, Instant now) {
    if (container.phase().compareTo(Container.Phase.PLACED) < 0) {
      forget(container);
      return;
    }
    container.reach(Container.Phase.LEAVING, now);
    Container.Poll poll = container.poll();
    if (poll != null) {
      container.poll(null);
      poll.lease().replyTo().tell(new LeaseReply.Leave(why));
    } else if (container.startedAt() == null || !container.everLeased()) {
      // It never asked for an input, so no answer can tell it.
      stop(container, STOP_GRACE);
    }
  }

  /** Ends a container by signals, with what it runs. */
  void kill(Container container, Instant now) {
    container.kill();
    if (container.phase().compareTo(Container.Phase.PLACED) < 0) {
      forget(container);
    } else {
      container.reach(Container.Phase.LEAVING, now);
      stop(container, KILL_GRACE);
    }
  }

  /** Ends all: the app has ended. */
  void stopAll(String why, Instant now) {
    for (Container container : all()) {
      boolean busy = container.poll() == null;
      leave(container, why, now);
      if (busy && containers.containsKey(container.task())) {
        container.kill();
        stop(container, STOP_GRACE);
      }
    }
  }

  private void stop(Container container, Duration grace) {
    MachineId machine = container.machine();
    if (machine != null) {
      world.mail().machine(machine, new NodeProtocol.StopTask(container.task(), grace));
    }
  }

  private void forget(Container container) {
    containers.remove(container.task());
    if (container.phase() == Container.Phase.WAITING) {
      world
          .mail()
          .pool(
              PlacementProtocol.poolOf(container.definition().resources()),
              new PlacementProtocol.Withdraw(container.task()));
    }
    MachineId machine = container.machine();
    if (machine != null) {
      // Asked, maybe granted: the answer may be on its way.
      world.mail().machine(machine, new NodeProtocol.StopTask(container.task(), Duration.ZERO));
    }
    tell(new Item.Container(container.task(), function, ContainerPhase.COMPLETED));
  }

  // ---- failing starts

  /** The runner said that it can't start the function; it exits by itself. */
  void startFailed(Container container, Instant now) {
    container.reach(Container.Phase.LEAVING, now);
    pause(now);
  }

  /** A container ended before it served; true once that happened too often in a row. */
  boolean failedToStart(Instant now) {
    pause(now);
    return startFailures >= MOST_START_FAILURES;
  }

  private void pause(Instant now) {
    startFailures++;
    long millis = 100L << Math.min(startFailures, 10);
    noStartBefore = now.plusMillis(Math.min(millis, LONGEST_PAUSE.toMillis()));
  }

  // ---- time

  /** A container whose start took too long; null when none did. */
  @Nullable Container overdue(Instant now) {
    for (Container container : containers.values()) {
      Instant since = container.startedAt();
      if (container.phase() == Container.Phase.STARTED
          && since != null
          && since.plus(container.definition().startupTimeout()).isBefore(now)) {
        return container;
      }
    }
    return null;
  }

  /** Restates wishes, sends signals to those that stay, lets idle ones go. */
  void tick(int unfinished, Instant now) {
    FunctionDefinition inForce = state.get().published();
    for (Container container : all()) {
      Duration inPhase = Duration.between(container.phaseSince(), now);
      switch (container.phase()) {
        case ASKING, WAITING, PLACED -> settleStart(container, unfinished, inPhase, now);
        case STARTED -> {}
        case SERVING -> {
          if (inForce == null || !current(container, inForce)) {
            leaveWhenIdle(container, "a newer version is deployed", now);
          } else if (idleTooLong(container, now)) {
            leave(container, "idle for longer than the scale-down window", now);
          }
        }
        case LEAVING -> {
          if (inPhase.compareTo(LEAVE_PATIENCE) > 0 && container.idle()) {
            stop(container, STOP_GRACE);
          }
        }
      }
    }
  }

  private void leaveWhenIdle(Container container, String why, Instant now) {
    if (container.idle()) {
      leave(container, why, now);
    }
  }

  private void settleStart(Container container, int unfinished, Duration inPhase, Instant now) {
    int floor = container.definition().scaling().minContainers();
    if (unfinished == 0
        && container.phase() != Container.Phase.PLACED
        && containers.size() > floor) {
      forget(container);
    } else if (inPhase.compareTo(RESTATE) > 0 && container.restateDue(now, RESTATE)) {
      switch (container.phase()) {
        case WAITING -> want(container);
        // The same machine is asked again, never another: it may have granted, and its word be
        // lost.
        case ASKING, PLACED -> restateGrant(container);
        case STARTED, SERVING, LEAVING -> {}
      }
    }
  }

  /** The machine is told again: it answers a grant it knows like the first. */
  private void restateGrant(Container container) {
    MachineId machine = container.machine();
    Launch launch = container.launch();
    if (machine != null && launch != null) {
      world.mail().machine(machine, new NodeProtocol.Grant(launch, grants));
    }
  }

  private boolean idleTooLong(Container container, Instant now) {
    FunctionDefinition definition = container.definition();
    long serving =
        containers.values().stream()
            .filter(other -> other.phase() == Container.Phase.SERVING)
            .count();
    return container.idle()
        && container.poll() != null
        && serving > definition.scaling().minContainers()
        && container.idleSince().plus(definition.scaling().scaledownWindow()).isBefore(now);
  }

  void tell(Item item) {
    FunctionDefinition latest = state.get().latest();
    if (latest != null) {
      world.mail().app(latest.app(), new AppProtocol.Tell(item));
    }
  }

  List<ContainerInfo> infos() {
    return containers.values().stream()
        .map(
            container ->
                new ContainerInfo(
                    container.task(),
                    container.machine(),
                    container.wantedAt(),
                    container.startedAt()))
        .toList();
  }
}
