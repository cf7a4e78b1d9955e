package dev.troupe.actors.function;

import dev.troupe.actors.app.AppProtocol;
import dev.troupe.actors.app.AppProtocol.ContainerPhase;
import dev.troupe.actors.app.AppProtocol.Item;
import dev.troupe.actors.function.Autoscaler.Load;
import dev.troupe.actors.function.Container.Phase;
import dev.troupe.actors.function.FunctionProtocol.ContainerInfo;
import dev.troupe.actors.function.FunctionProtocol.LeaseReply;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.node.NodeProtocol;
import dev.troupe.actors.node.NodeProtocol.GrantReply;
import dev.troupe.actors.placement.PlacementProtocol;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * The containers of one function: wants them, lets them go, forgets them once they are gone. What
 * it wants of others it restates until it is so. Part of {@link FunctionActor}, which calls it from
 * its own thread alone.
 */
final class Fleet {

  /** How long a container told to leave may take before it is told by a signal. */
  static final Duration LEAVE_PATIENCE = Duration.ofSeconds(30);

  /** From SIGINT to SIGKILL. */
  static final Duration STOP_GRACE = Duration.ofSeconds(10);

  /** The same for code that overran its time already. */
  static final Duration KILL_GRACE = Duration.ofSeconds(2);

  /** After this long a wish that did not come true is said again. */
  static final Duration RESTATE = Duration.ofSeconds(5);

  // While inputs wait, the scale is looked at this often, not at each message.
  private static final Duration SCALE_PERIOD = Duration.ofMillis(20);

  // Gone containers whose late words are known for what they are.
  private static final int GONE_KEPT = 4_096;

  private final FunctionId function;
  private final World world;
  private final Supplier<FunctionState> state;
  private final Map<TaskId, Container> containers = new LinkedHashMap<>();
  private final Map<TaskId, Boolean> gone =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<TaskId, Boolean> eldest) {
          return size() > GONE_KEPT;
        }
      };
  private final Polls polls = new Polls();
  private final CrashLoop crashLoop = new CrashLoop();
  private final Seats seats;
  private final Sightings sightings;

  // Whether a container was taken in that may do what another is wanted for.
  private boolean adoptedAny;

  // Whether to look at the scale again though nothing new waits.
  private boolean rescale;
  private Instant scaledAt = Instant.MIN;
  private boolean scaledWaiting;

  Fleet(
      FunctionId function,
      World world,
      Supplier<FunctionState> state,
      ActorRef<GrantReply> grants) {
    this.function = function;
    this.world = world;
    this.state = state;
    this.seats = new Seats(function, world, grants, this::tell);
    this.sightings = new Sightings(function, world);
  }

  FunctionId function() {
    return function;
  }

  List<Container> all() {
    return List.copyOf(containers.values());
  }

  boolean isEmpty() {
    return containers.isEmpty();
  }

  int size() {
    return containers.size();
  }

  Polls polls() {
    return polls;
  }

  @Nullable Container find(TaskId task) {
    return containers.get(task);
  }

  boolean anyServing() {
    FunctionDefinition inForce = state.get().published();
    return containers.values().stream()
        .anyMatch(at -> at.phase() == Phase.SERVING && at.current(inForce));
  }

  /**
   * The container that speaks. One that is not known was started by the owner before this one, and
   * is taken in, unless the function has stopped; null then, and where it is known to be gone.
   */
  @Nullable Container seen(TaskId task, Instant now) {
    Container container = containers.get(task);
    FunctionDefinition inForce = state.get().published();
    if (container != null) {
      container.spoke(now);
      return container;
    }
    if (inForce == null || state.get().stopped() != null || gone.containsKey(task)) {
      return null;
    }
    Container adopted = new Container(task, inForce, now);
    adopted.reach(Phase.STARTED, now);
    containers.put(task, adopted);
    adoptedAny = true;
    return adopted;
  }

  /** A container is gone; null where it was so before. */
  @Nullable Container remove(TaskId task) {
    gone.put(task, true);
    polls.drop(task);
    rescale = true;
    return containers.remove(task);
  }

  // ---- up

  /**
   * Starts what the autoscaler wants now, and gives up what it wanted before others were taken in.
   *
   * @param unseen containers of an earlier owner that may be there, and hold inputs
   */
  void scale(Mailbox mailbox, int unseen, Duration meanRun, Instant now) {
    if (adoptedAny) {
      adoptedAny = false;
      withdrawSurplus(mailbox, now);
    }
    FunctionDefinition inForce = state.get().published();
    if (!scaleDue(mailbox.waiting() > 0, now)
        || inForce == null
        || state.get().stopped() != null
        || !crashLoop.mayStart(now)) {
      return;
    }
    Load load = load(inForce, mailbox, unseen, meanRun, now);
    int starts = Autoscaler.starts(load, inForce.scaling());
    for (int i = 0; i < starts; i++) {
      Container container = new Container(world.newTask().get(), inForce, now);
      containers.put(container.task(), container);
      tell(new Item.Container(container.task(), function, ContainerPhase.QUEUED));
      seats.find(container, now);
    }
  }

  private boolean scaleDue(boolean waiting, Instant now) {
    boolean due =
        rescale || (waiting && (!scaledWaiting || !now.isBefore(scaledAt.plus(SCALE_PERIOD))));
    scaledWaiting = waiting;
    rescale = false;
    if (due) {
      scaledAt = now;
    }
    return due;
  }

  private Load load(
      FunctionDefinition inForce, Mailbox mailbox, int unseen, Duration meanRun, Instant now) {
    int live = unseen;
    int starting = 0;
    int elsewhere = 0;
    for (Container container : containers.values()) {
      boolean spent = container.spent() && container.idle();
      if (container.leaving() || spent || !container.current(inForce)) {
        elsewhere += container.held().size();
      } else {
        live++;
        starting += container.phase() == Phase.SERVING ? 0 : 1;
      }
    }
    return new Load(
        mailbox.waiting(),
        Math.max(0, mailbox.running() - elsewhere),
        live,
        starting,
        Math.max(1, inForce.concurrency().target()),
        meanRun,
        mailbox.longestWait(now));
  }

  void granted(GrantReply reply, Instant now) {
    switch (reply) {
      case GrantReply.Granted(var task, var machine) -> placed(task, machine, null, now);
      case GrantReply.Refused(var task, var machine, var why) -> {
        Container container = containers.get(task);
        if (container != null && seats.refused(container, machine, why, now)) {
          forget(container, now);
        }
      }
    }
  }

  /** A container has its place; {@code share} of it where it was not asked for here. */
  void placed(TaskId task, MachineId machine, NodeProtocol.@Nullable Share share, Instant now) {
    Container container = containers.get(task);
    if (container == null || container.isElsewhere(machine)) {
      notHere(task, machine);
    } else {
      container.spoke(now);
      seats.placed(container, machine, share, now);
    }
  }

  /** A machine has, or is about to have, what is not wanted there. */
  private void notHere(TaskId task, MachineId machine) {
    world.mail().machine(machine, new NodeProtocol.StopTask(task, Duration.ZERO));
  }

  /** A container waits for capacity. */
  void waits(TaskId task, String reason, Instant now) {
    Container container = containers.get(task);
    if (container != null) {
      seats.waits(container, reason, now);
    }
  }

  /** The container's process exists; one that is not known is taken in like one that speaks. */
  void started(TaskId task, MachineId machine, Instant now) {
    Container container = seen(task, now);
    placed(task, machine, null, now);
    if (container != null
        && machine.equals(container.machine())
        && container.reach(Phase.STARTED, now)) {
      tell(new Item.Container(task, function, ContainerPhase.CREATING));
    }
  }

  /** A container asks for inputs. */
  void serving(Container container, Instant now) {
    if (container.reach(Phase.SERVING, now)) {
      tell(new Item.Container(container.task(), function, ContainerPhase.ACTIVE));
    }
  }

  /** A container was given an input: starts do not fail any more. */
  void useful() {
    crashLoop.over();
  }

  // ---- down

  /** Tells a container to end when it is idle: the kill switch, then signals. */
  void leave(Container container, String why, Instant now) {
    if (container.phase().compareTo(Phase.PLACED) < 0) {
      forget(container, now);
      return;
    }
    container.reach(Phase.LEAVING, now);
    boolean told = polls.answer(container.task(), new LeaseReply.Leave(why));
    if (!told && !container.everAsked()) {
      // It never asked for an input, so no answer can tell it.
      container.kill();
      stop(container, STOP_GRACE, now);
    }
  }

  /** Ends a container by signals, with what it runs. */
  void kill(Container container, Duration grace, Instant now) {
    container.kill();
    if (container.phase().compareTo(Phase.PLACED) < 0) {
      forget(container, now);
    } else {
      container.reach(Phase.LEAVING, now);
      polls.answer(container.task(), new LeaseReply.Leave("it was stopped"));
      stop(container, grace, now);
    }
  }

  /**
   * Ends all: the app has ended. A container that runs nothing learns it when it next asks: a
   * signal could strike it while it already ends, in the user's own words of farewell.
   */
  void stopAll(String why, Instant now) {
    for (Container container : all()) {
      if (container.killed()) {
        continue;
      }
      if (container.idle()) {
        leave(container, why, now);
      } else {
        kill(container, STOP_GRACE, now);
      }
    }
  }

  private void stop(Container container, Duration grace, Instant now) {
    container.restated(now);
    MachineId machine = container.machine();
    if (machine != null) {
      world.mail().machine(machine, new NodeProtocol.StopTask(container.task(), grace));
    }
  }

  /** Gives up a container that does not run. */
  private void forget(Container container, Instant now) {
    remove(container.task());
    if (container.phase() == Phase.WAITING) {
      world
          .mail()
          .pool(
              PlacementProtocol.poolOf(container.definition().resources()),
              new PlacementProtocol.Withdraw(container.task()));
    }
    // Asked, maybe granted: the answer may be on its way.
    stop(container, Duration.ZERO, now);
    tell(new Item.Container(container.task(), function, ContainerPhase.COMPLETED));
  }

  /** Another definition is in force: what the one before could not start, this one may. */
  void definitionChanged(FunctionDefinition inForce, Instant now) {
    crashLoop.over();
    rescale = true;
    for (Container container : all()) {
      if (!container.current(inForce) && container.idle() && !container.leaving()) {
        leave(container, "a newer version is deployed", now);
      }
    }
  }

  // ---- failing starts

  /** The runner said that it can't start the function; it exits by itself. */
  void startFailed(Container container, Instant now) {
    container.reach(Phase.LEAVING, now);
    crashLoop.failed(now);
  }

  /** A container ended before it was of use; true once that happened too often in a row. */
  boolean failedToStart(Instant now) {
    return crashLoop.failed(now);
  }

  /** Containers whose start took too long. */
  List<Container> overdue(Instant now) {
    return containers.values().stream()
        .filter(container -> container.phase() == Phase.STARTED)
        .filter(
            container ->
                container.phaseSince().plus(container.definition().startupTimeout()).isBefore(now))
        .toList();
  }

  // ---- time

  /** Restates wishes, sends signals to those that stay, lets idle ones go. */
  void tick(Mailbox mailbox, Instant now) {
    rescale = true;
    sightings.ask(containers.values(), now);
    FunctionDefinition inForce = state.get().published();
    int surplus = withdrawSurplus(mailbox, now);
    for (Container container : all().reversed()) {
      boolean current = container.current(inForce);
      switch (container.phase()) {
        case ASKING, WAITING -> seats.restate(container, now);
        case PLACED -> {
          if (seats.lapsed(container, now)) {
            forget(container, now);
          } else {
            seats.restate(container, now);
          }
        }
        case STARTED -> {}
        case SERVING -> {
          if (!current && container.idle()) {
            leave(container, "a newer version is deployed", now);
          } else if (current && surplus > 0 && idleTooLong(container, now)) {
            surplus--;
            leave(container, "idle for longer than the scale-down window", now);
          }
        }
        case LEAVING -> signal(container, now);
      }
    }
  }

  /**
   * Gives up containers without a place that are not wanted any more, the youngest first; gives how
   * many of the others are beyond what is wanted.
   */
  private int withdrawSurplus(Mailbox mailbox, Instant now) {
    FunctionDefinition inForce = state.get().published();
    int surplus = surplus(inForce, mailbox, now);
    for (Container container : all().reversed()) {
      boolean current = container.current(inForce);
      if (container.phase().compareTo(Phase.PLACED) < 0 && (surplus > 0 || !current)) {
        surplus -= current ? 1 : 0;
        forget(container, now);
      }
    }
    return surplus;
  }

  /** Containers beyond what is wanted. */
  private int surplus(@Nullable FunctionDefinition inForce, Mailbox mailbox, Instant now) {
    if (inForce == null) {
      return containers.size();
    }
    Load load = load(inForce, mailbox, 0, Duration.ZERO, now);
    return load.live() - Autoscaler.target(load, inForce.scaling());
  }

  private static boolean idleTooLong(Container container, Instant now) {
    Duration window = container.definition().scaling().scaledownWindow();
    return container.idle() && container.idleSince().plus(window).isBefore(now);
  }

  /** A container that was told to leave, and stays, is told by signals, again and again. */
  private void signal(Container container, Instant now) {
    Duration told = Duration.between(container.phaseSince(), now);
    boolean overstays = told.compareTo(LEAVE_PATIENCE) > 0 && container.idle();
    if ((container.killed() || overstays) && container.restateDue(now, RESTATE)) {
      stop(container, container.killed() ? KILL_GRACE : STOP_GRACE, now);
    }
  }

  // ---- what machines say

  /**
   * What a machine has of this function. Gives those that should be there and are not: they are
   * gone, whatever became of them.
   */
  List<Container> reported(MachineId machine, List<TaskId> tasks, Instant now) {
    sightings.heard(machine, now);
    for (TaskId task : tasks) {
      Container container = seen(task, now);
      if (container == null || container.isElsewhere(machine)) {
        notHere(task, machine);
      } else if (container.phase().compareTo(Phase.PLACED) < 0) {
        seats.placed(container, machine, null, now);
      } else {
        container.placedOn(machine);
      }
    }
    Set<TaskId> there = Set.copyOf(tasks);
    return containers.values().stream()
        .filter(container -> machine.equals(container.machine()))
        .filter(container -> !there.contains(container.task()))
        .filter(container -> container.phase().compareTo(Phase.STARTED) >= 0)
        .toList();
  }

  /** Containers that nothing was heard of for long, on machines that are away. */
  List<Container> lost(Instant now) {
    return sightings.lost(containers.values(), now);
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
