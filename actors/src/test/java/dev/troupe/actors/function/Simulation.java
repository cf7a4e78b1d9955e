package dev.troupe.actors.function;

import dev.troupe.actors.app.AppProtocol;
import dev.troupe.actors.calllog.CallLog.Written;
import dev.troupe.actors.function.FunctionDefinition.Scaling;
import dev.troupe.actors.function.FunctionEvent.DefinitionRecorded;
import dev.troupe.actors.function.FunctionEvent.VersionPublished;
import dev.troupe.actors.function.FunctionProtocol.Command;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.node.NodeProtocol;
import dev.troupe.actors.placement.PlacementProtocol;
import dev.troupe.actors.testing.InMemoryCallLog;
import dev.troupe.actors.testing.InMemoryDirectory;
import dev.troupe.actors.testing.ManualClock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * One function, its callers, containers and machines on a network that loses, doubles and delays,
 * with owners that die, move and meet, and a log that is slow and refuses. Single-threaded, by a
 * clock of its own: a seed gives one course of events, always the same.
 */
final class Simulation {

  static final FunctionId F = Samples.function("simulated");
  static final Duration CHAOS = Duration.ofMinutes(2);
  static final Duration CALM = Duration.ofMinutes(15);
  static final int RETRIES = 2;

  final Random random;
  final ManualClock clock = new ManualClock();
  final InMemoryCallLog log = new InMemoryCallLog();
  final List<SimMachine> machines = new ArrayList<>();
  final List<SimCaller> callers = new ArrayList<>();
  final List<String> violations = new ArrayList<>();
  final SimPool pool = new SimPool(this);
  boolean chaos = true;
  FunctionState state;
  @Nullable SimOwner owner;
  private @Nullable SimOwner earlier;
  private final List<Command> buffered = new ArrayList<>();
  private boolean buffering;
  private int version = 1;
  private int tasks;
  private final PriorityQueue<Event> events =
      new PriorityQueue<>(Comparator.comparing(Event::at).thenComparing(Event::order));
  private long lastOrder;
  private final List<Ask<?>> asks = new ArrayList<>();

  private record Event(Instant at, long order, Runnable what) {}

  Simulation(long seed) {
    random = new Random(seed);
    log.holdCommits();
    FunctionDefinition definition = definition();
    state =
        FunctionState.EMPTY
            .apply(new DefinitionRecorded(definition, clock.instant()))
            .apply(new VersionPublished(1, definition.definitionId(), false, clock.instant()));
    for (int i = 0; i < 3; i++) {
      machines.add(new SimMachine(this, new MachineId("m" + i), 2 + random.nextInt(3)));
    }
    int calls = 10 + random.nextInt(30);
    for (int i = 0; i < calls; i++) {
      callers.add(new SimCaller(this, "call " + i));
    }
  }

  private FunctionDefinition definition() {
    Scaling scaling = new Scaling(0, 8, 0, Duration.ofSeconds(20));
    FunctionDefinition base =
        new Samples.Definition(F)
            .version("v" + version)
            .slots(1 + version % 2)
            .retries(RETRIES, Duration.ofMillis(500))
            .timeout(Duration.ofSeconds(20))
            .containers(scaling.minContainers(), scaling.maxContainers(), 0)
            .make();
    return base;
  }

  World world() {
    World.Mail mail =
        new World.Mail() {
          @Override
          public void app(AppId to, AppProtocol.Command command) {}

          @Override
          public void machine(MachineId to, NodeProtocol.Command command) {
            machines.stream()
                .filter(machine -> machine.id.equals(to))
                .forEach(machine -> network(() -> machine.receive(command)));
          }

          @Override
          public void pool(String to, PlacementProtocol.Command command) {
            network(() -> pool.receive(command));
          }
        };
    return new World(
        log,
        () -> machines.stream().map(SimMachine::advert).toList(),
        new InMemoryDirectory(),
        mail,
        clock,
        () -> Samples.task("task " + tasks++),
        new FunctionSettings(
            6, 400, Duration.ofMinutes(2), Duration.ofSeconds(10), Duration.ofSeconds(5)));
  }

  // ---- time and chance

  Instant now() {
    return clock.instant();
  }

  void after(Duration delay, Runnable what) {
    lastOrder++;
    events.add(new Event(now().plus(delay), lastOrder, what));
  }

  Duration between(int leastMillis, int mostMillis) {
    return Duration.ofMillis(leastMillis + random.nextInt(mostMillis - leastMillis + 1));
  }

  /** Whether something goes wrong; nothing does in calm times. */
  boolean mishap(double chance) {
    return chaos && random.nextDouble() < chance;
  }

  /** Delivers: late, twice or never. */
  void network(Runnable delivery) {
    if (mishap(0.03)) {
      return;
    }
    after(mishap(0.02) ? between(0, 3_000) : between(0, 20), delivery);
    if (mishap(0.02)) {
      after(between(0, 2_000), delivery);
    }
  }

  void violation(String what) {
    violations.add("%s: %s".formatted(Duration.between(Samples.T0, now()), what));
  }

  // ---- asking

  /** A question under way. */
  final class Ask<R> {
    private final TestInbox<R> inbox = TestInbox.create();
    private final Consumer<R> answered;
    private boolean over;

    private Ask(Consumer<R> answered) {
      this.answered = answered;
    }

    private void look() {
      while (inbox.hasMessages()) {
        R answer = inbox.receiveMessage();
        if (System.getProperty("simulation.trace") != null)
          System.err.println(Duration.between(Samples.T0, now()) + " answer " + answer);
        network(
            () -> {
              if (!over) {
                over = true;
                answered.accept(answer);
              }
            });
      }
    }
  }

  /** Asks the function; {@code silent} runs where no answer came in time. */
  <R> void ask(
      Function<ActorRef<R>, Command> question,
      Duration patience,
      Consumer<R> answered,
      Runnable silent) {
    Ask<R> ask = new Ask<>(answered);
    asks.add(ask);
    tell(question.apply(ask.inbox.getRef()));
    after(
        patience,
        () -> {
          if (!ask.over) {
            ask.over = true;
            silent.run();
          }
          // An answer that comes later is heard by nobody.
          after(Duration.ofMinutes(1), () -> asks.remove(ask));
        });
  }

  /** Says something to the function, wherever it is. */
  void tell(Command command) {
    network(() -> arrive(command));
  }

  /** The same, by a way that keeps the order and loses nothing of what arrives. */
  void arrive(Command command) {
    SimOwner to = earlier != null && earlier.alive() && random.nextInt(3) == 0 ? earlier : owner;
    if (command.toString().contains(System.getProperty("simulation.trace", "nix")))
      System.err.println(
          Duration.between(Samples.T0, now())
              + " "
              + (to == null ? "none" : to.hashCode())
              + " "
              + command);
    if (buffering) {
      buffered.add(command);
    } else if (to != null) {
      to.receive(command);
    }
  }

  // ---- owners

  private void own() {
    owner = new SimOwner(this);
    buffering = false;
    List<Command> late = List.copyOf(buffered);
    buffered.clear();
    late.forEach(this::arrive);
  }

  private void disturb() {
    if (!chaos || owner == null) {
      return;
    }
    SimOwner present = owner;
    int it = random.nextInt(5);
    if (System.getProperty("simulation.trace") != null)
      System.err.println(Duration.between(Samples.T0, now()) + " DISTURB " + it);
    switch (it) {
      case 0 -> {
        // Its process dies, with what it gave the log and the log did not commit.
        present.kill();
        owner = null;
        log.loseHeldWrites();
        after(between(200, 5_000), this::own);
      }
      case 1 -> {
        buffering = true;
        present.handOff(() -> after(between(0, 500), this::own));
      }
      case 2 -> {
        // Another is made while the first goes on.
        earlier = present;
        own();
      }
      case 3 -> {
        version++;
        FunctionDefinition next = definition();
        state =
            state
                .apply(new DefinitionRecorded(next, now()))
                .apply(new VersionPublished(version, next.definitionId(), false, now()));
        present.definitionChanged();
      }
      default -> machines.get(random.nextInt(machines.size())).die();
    }
  }

  private void commit() {
    if (mishap(0.01)) {
      log.overloaded(true);
      after(between(100, 2_000), () -> log.overloaded(false));
    }
    if (mishap(0.01)) {
      log.refuseNext(
          random.nextBoolean() ? new Written.Overloaded() : new Written.Failed("simulated"));
    }
    log.commit(1 + random.nextInt(10));
    after(mishap(0.02) ? between(100, 2_000) : between(2, 10), this::commit);
  }

  // ---- the course of events

  /** Runs it all; what went wrong is in {@link #violations}. */
  Simulation run() {
    own();
    commit();
    callers.forEach(caller -> after(between(0, (int) CHAOS.toMillis() - 20_000), caller::begin));
    for (Duration at = Duration.ofSeconds(5);
        at.compareTo(CHAOS) < 0;
        at = at.plus(between(3_000, 25_000))) {
      after(at, this::disturb);
    }
    machines.forEach(SimMachine::begin);
    pool.begin();
    Instant calm = now().plus(CHAOS);
    Instant end = calm.plus(CALM);
    while (now().isBefore(end) && !(!chaos && callers.stream().allMatch(SimCaller::done))) {
      step();
      if (chaos && now().isAfter(calm)) {
        chaos = false;
        log.overloaded(false);
      }
    }
    callers.stream().filter(caller -> !caller.done()).forEach(SimCaller::complain);
    Instant rest = now().plus(Duration.ofMinutes(5));
    while (now().isBefore(rest)) {
      step();
    }
    callers.forEach(SimCaller::check);
    if (owner != null) {
      owner.checkAtRest();
    }
    return this;
  }

  private void step() {
    Event next = events.remove();
    clock.advance(Duration.between(now(), next.at()));
    next.what().run();
    List.copyOf(asks).forEach(Ask::look);
  }
}
