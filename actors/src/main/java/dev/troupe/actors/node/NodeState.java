package dev.troupe.actors.node;

import dev.troupe.actors.function.FunctionProtocol.ContainerEnded;
import dev.troupe.actors.function.FunctionProtocol.ContainerStarted;
import dev.troupe.actors.function.FunctionProtocol.ContainersOn;
import dev.troupe.actors.function.FunctionProtocol.Ending;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.node.Holding.Standing;
import dev.troupe.actors.node.NodeEffect.Answer;
import dev.troupe.actors.node.NodeEffect.Send;
import dev.troupe.actors.node.NodeEffect.Tell;
import dev.troupe.actors.node.NodeProtocol.Capacity;
import dev.troupe.actors.node.NodeProtocol.GrantReply;
import dev.troupe.actors.node.NodeProtocol.Launch;
import dev.troupe.actors.node.NodeProtocol.Order;
import dev.troupe.actors.node.NodeProtocol.TaskReport;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.pcollections.OrderedPSet;
import org.pcollections.PSet;

/**
 * A machine as the control plane knows it, and every decision about it: what is granted, what its
 * functions are told, what its agent is ordered. A value; the agent's words may be lost, come twice
 * or come late.
 *
 * <p>The agent is the only one who knows what runs. What it reports is so; what was granted and is
 * not reported yet is ordered again and again; what was reported and is in its report no more is
 * gone. A container that its function was told is gone is never given back: it is stopped, and
 * holds its share until the agent says that it is not there.
 *
 * @param link names the link to the agent; null while there is none
 * @param linkSince when that link began, or the last one was lost
 * @param pastLinks names of earlier links, whose late words are void
 * @param restatedAt when orders were last given again
 * @param countedAt when functions were last told what they have here
 */
record NodeState(
    MachineId machine,
    @Nullable String link,
    Instant linkSince,
    PSet<String> pastLinks,
    NodeLedger ledger,
    Departed departed,
    Instant restatedAt,
    Instant countedAt) {

  /** How long a machine may be away before what ran there runs elsewhere. */
  static final Duration LINK_PATIENCE = Duration.ofSeconds(10);

  /** How long an agent may take to show what was ordered. */
  static final Duration ORDER_PATIENCE = Duration.ofSeconds(30);

  // Two full reports come in this time: one alone may have been written before the container was.
  private static final Duration MISSING_PATIENCE = Duration.ofSeconds(10);

  private static final Duration RESTATE = Duration.ofSeconds(2);
  private static final Duration COUNT = Duration.ofSeconds(5);

  // Nobody wants what a lost container does any more.
  private static final Duration LOST_GRACE = Duration.ofSeconds(2);

  private static final int PAST_LINKS_LIMIT = 64;

  /** The next state, and what is to be done. */
  record Step(NodeState next, List<NodeEffect> effects) {}

  /** A machine that nothing is known of. */
  static NodeState unknown(MachineId machine, Instant now) {
    return new NodeState(
        machine, null, now, OrderedPSet.empty(), NodeLedger.EMPTY, Departed.NONE, now, now);
  }

  boolean isLinked() {
    return link != null;
  }

  /** Whether a container is here, or was. */
  boolean knows(TaskId task) {
    return ledger.find(task) != null || departed.find(task) != null;
  }

  // ---- functions and placement

  /** Grants what fits, once; a repeat is answered like the first. */
  Step grant(Launch launch, Instant now) {
    TaskId task = launch.task();
    FunctionId function = launch.definition().function();
    GrantReply granted = new GrantReply.Granted(task, machine);
    Departed.Gone gone = departed.find(task);
    if (gone != null) {
      return step(new Answer(granted), ended(function, task, gone.ending()));
    }
    if (ledger.find(task) != null) {
      return step(new Answer(granted));
    }
    if (link == null) {
      return step(refused(task, "there is no connection to machine " + machine));
    }
    if (!ledger.fits(launch.share())) {
      return step(refused(task, "machine " + machine + " has no room for it any more"));
    }
    return with(ledger.with(Holding.granted(launch, now)))
        .step(new Answer(granted), new Send(new Order.StartTask(launch)));
  }

  /** Stops a container; one that is not here can't come any more. */
  Step stop(TaskId task, Duration grace) {
    Send order = new Send(new Order.EndTask(task, grace));
    Holding holding = ledger.find(task);
    if (holding != null) {
      return with(ledger.with(holding.stopping(grace))).step(order);
    }
    Departed.Gone gone = departed.find(task);
    if (link == null && gone == null) {
      // What it has is not known yet: whoever wants this says it again.
      return step();
    }
    if (gone == null) {
      return depart(task, null, new Ending.NeverStarted("it was stopped before it began"))
          .step(order);
    }
    FunctionId function = gone.function();
    return function == null ? step() : step(ended(function, task, gone.ending()));
  }

  /** Tells a function what it has here, unless the machine is away and nobody knows. */
  Step report(FunctionId function) {
    return link == null ? step() : step(count(function));
  }

  // ---- the agent

  /** A full report of the agent, and what it was told to do and may not have heard yet. */
  Step connected(
      String newLink,
      Capacity capacity,
      List<TaskReport> reports,
      List<Order> pending,
      Instant now) {
    boolean same = newLink.equals(link);
    if (!same && link != null && pastLinks.contains(newLink)) {
      return step();
    }
    Set<FunctionId> known = new HashSet<>(ledger.functions());
    NodeState linked = same ? sized(capacity) : relinked(newLink, capacity, now);
    Steps steps = new Steps(linked);
    for (TaskReport report : reports) {
      steps.then(state -> same ? state.show(report, now) : state.showAnew(report, now));
    }
    Set<TaskId> shown = reports.stream().map(TaskReport::task).collect(Collectors.toSet());
    for (Order order : pending) {
      if (order instanceof Order.StartTask(var launch)) {
        shown.add(launch.task());
      }
      steps.then(state -> state.pending(order, now));
    }
    for (Holding holding : steps.state.ledger.holdings().values()) {
      if (!shown.contains(holding.task()) && holding.isExpected()) {
        steps.then(state -> state.absent(holding, !same, now));
      }
    }
    known.addAll(steps.state.ledger.functions());
    if (!same) {
      steps.then(state -> state.restate(now));
      known.forEach(function -> steps.then(state -> state.step(state.count(function))));
    }
    return steps.end();
  }

  /** The link is gone; containers may be fine, and the agent back in time. */
  NodeState disconnected(String lostLink, Instant now) {
    return lostLink.equals(link)
        ? new NodeState(
            machine,
            null,
            now,
            remember(pastLinks, lostLink),
            ledger,
            departed,
            restatedAt,
            countedAt)
        : this;
  }

  /** One container changed; a word of an earlier link is void. */
  Step changed(String fromLink, TaskReport report, Instant now) {
    return fromLink.equals(link) ? show(report, now) : step();
  }

  /** What a new link says is so, even of a container that was taken for gone: it is to end. */
  private Step showAnew(TaskReport report, Instant now) {
    return departed.find(report.task()) != null && report.ending() == null
        ? with(ledger.with(Holding.reported(report, now).lost(LOST_GRACE))).step()
        : show(report, now);
  }

  private Step show(TaskReport report, Instant now) {
    TaskId task = report.task();
    Holding before = ledger.find(task);
    if (before == null && departed.find(task) != null) {
      return step();
    }
    boolean lost = before != null && before.standing() == Standing.LOST;
    if (report.ending() != null) {
      NodeState next = depart(task, report.function(), report.ending());
      return lost ? next.step() : next.step(ended(report.function(), task, report.ending()));
    }
    Holding after = before == null ? Holding.reported(report, now) : before.seen(report);
    NodeState next = with(ledger.with(after));
    boolean starts =
        after.standing() == Standing.RUNNING
            && (before == null || before.standing() != Standing.RUNNING);
    return starts
        ? next.step(new Tell(after.function(), new ContainerStarted(task, machine)))
        : next.step();
  }

  /** An order is on its way to the agent, whoever gave it: it holds what it is to hold. */
  private Step pending(Order order, Instant now) {
    return switch (order) {
      case Order.StartTask(var launch) ->
          ledger.find(launch.task()) == null && departed.find(launch.task()) == null
              ? with(ledger.with(Holding.granted(launch, now))).step()
              : step();
      case Order.EndTask(var task, var grace) -> {
        Holding holding = ledger.find(task);
        yield holding == null ? step() : with(ledger.with(holding.stopping(grace))).step();
      }
      case Order.BuildImage _, Order.Drain _ -> step();
    };
  }

  /** A container that a full report ought to show does not appear in it. */
  private Step absent(Holding holding, boolean newLink, Instant now) {
    Instant since = holding.missingSince();
    if (!newLink && (since == null || !isPast(since, MISSING_PATIENCE, now))) {
      return with(ledger.with(holding.missing(now))).step();
    }
    Ending ending =
        holding.standing() == Standing.ORDERED
            ? new Ending.NeverStarted("it was stopped before it began")
            : new Ending.MachineLost(
                "the agent of machine " + machine + " does not have it any more");
    NodeState next = depart(holding.task(), holding.function(), ending);
    return holding.standing() == Standing.LOST
        ? next.step()
        : next.step(ended(holding.function(), holding.task(), ending));
  }

  // ---- time

  /** What time alone brings: given up machines and orders, restated wishes. */
  Step turn(Instant now) {
    Steps steps = new Steps(this);
    if (link == null) {
      if (isPast(linkSince, LINK_PATIENCE, now)) {
        String why = "machine " + machine + " has been away for 10 s";
        for (Holding holding : ledger.holdings().values()) {
          steps.then(state -> state.giveUp(holding, new Ending.MachineLost(why)));
        }
      }
      return steps.end();
    }
    for (Holding holding : ledger.holdings().values()) {
      if (holding.standing() == Standing.ORDERED
          && isPast(holding.since(), ORDER_PATIENCE, now)
          && isPast(linkSince, ORDER_PATIENCE, now)) {
        String why = "machine %s did not take it up within 30 s".formatted(machine);
        steps.then(state -> state.giveUp(holding, new Ending.NeverStarted(why)));
      }
    }
    if (isPast(restatedAt, RESTATE, now)) {
      steps.then(state -> state.restate(now));
    }
    if (isPast(countedAt, COUNT, now)) {
      steps.then(state -> state.recount(now));
    }
    return steps.end();
  }

  /** The machine is gone for good: what it held is free, and its functions are told. */
  Step removed() {
    Steps steps = new Steps(this);
    Ending ending = new Ending.MachineLost("machine " + machine + " was removed");
    for (Holding holding : ledger.holdings().values()) {
      steps.then(
          state -> {
            NodeState next = state.depart(holding.task(), holding.function(), ending);
            return holding.standing() == Standing.LOST
                ? next.step()
                : next.step(ended(holding.function(), holding.task(), ending));
          });
    }
    return steps.end();
  }

  private Step giveUp(Holding holding, Ending ending) {
    if (holding.standing() == Standing.LOST) {
      return step();
    }
    NodeState next = with(ledger.with(holding.lost(LOST_GRACE)));
    NodeEffect told = ended(holding.function(), holding.task(), ending);
    return link == null
        ? next.step(told)
        : next.step(told, new Send(new Order.EndTask(holding.task(), LOST_GRACE)));
  }

  /** Gives the agent again what it has not carried out. */
  private Step restate(Instant now) {
    List<NodeEffect> orders = new ArrayList<>();
    for (Holding holding : ledger.holdings().values()) {
      if (holding.stopGrace() != null) {
        orders.add(new Send(new Order.EndTask(holding.task(), holding.stopGrace())));
      } else if (holding.standing() == Standing.ORDERED && holding.launch() != null) {
        orders.add(new Send(new Order.StartTask(holding.launch())));
      }
    }
    NodeState next =
        new NodeState(machine, link, linkSince, pastLinks, ledger, departed, now, countedAt);
    return new Step(next, orders);
  }

  private Step recount(Instant now) {
    NodeState next =
        new NodeState(machine, link, linkSince, pastLinks, ledger, departed, restatedAt, now);
    return new Step(next, ledger.functions().stream().map(this::count).toList());
  }

  // ----

  private NodeEffect count(FunctionId function) {
    return new Tell(function, new ContainersOn(machine, ledger.tasksOf(function)));
  }

  private NodeEffect ended(FunctionId function, TaskId task, Ending ending) {
    return new Tell(function, new ContainerEnded(task, machine, ending));
  }

  private NodeEffect refused(TaskId task, String why) {
    return new Answer(new GrantReply.Refused(task, machine, why));
  }

  private NodeState relinked(String newLink, Capacity capacity, Instant now) {
    PSet<String> past = link == null ? pastLinks : remember(pastLinks, link);
    return new NodeState(
        machine,
        newLink,
        now,
        past.minus(newLink),
        ledger.withCapacity(capacity),
        departed,
        now,
        now);
  }

  private NodeState sized(Capacity capacity) {
    return with(ledger.withCapacity(capacity));
  }

  private NodeState with(NodeLedger next) {
    return new NodeState(
        machine, link, linkSince, pastLinks, next, departed, restatedAt, countedAt);
  }

  private NodeState depart(TaskId task, @Nullable FunctionId function, Ending ending) {
    return new NodeState(
        machine,
        link,
        linkSince,
        pastLinks,
        ledger.without(task),
        departed.plus(task, new Departed.Gone(function, ending)),
        restatedAt,
        countedAt);
  }

  private Step step(NodeEffect... effects) {
    return new Step(this, List.of(effects));
  }

  private static PSet<String> remember(PSet<String> links, String link) {
    PSet<String> room =
        links.size() < PAST_LINKS_LIMIT ? links : links.minus(links.iterator().next());
    return room.plus(link);
  }

  private static boolean isPast(Instant since, Duration patience, Instant now) {
    return !now.isBefore(since.plus(patience));
  }

  /** Several steps, one after the other. */
  private static final class Steps {
    private NodeState state;
    private final List<NodeEffect> effects = new ArrayList<>();

    Steps(NodeState state) {
      this.state = state;
    }

    void then(Function<NodeState, Step> decide) {
      Step step = decide.apply(state);
      state = step.next();
      effects.addAll(step.effects());
    }

    Step end() {
      return new Step(state, List.copyOf(effects));
    }
  }
}
