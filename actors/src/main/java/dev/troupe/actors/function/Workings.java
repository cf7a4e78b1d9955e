package dev.troupe.actors.function;

import dev.troupe.actors.app.AppProtocol;
import dev.troupe.actors.calllog.CallLog.CallSummary;
import dev.troupe.actors.calllog.CallLog.Loaded;
import dev.troupe.actors.calllog.CallLog.Written;
import dev.troupe.actors.calllog.InputRow;
import dev.troupe.actors.calllog.LeaseMark;
import dev.troupe.actors.function.FunctionProtocol.Await;
import dev.troupe.actors.function.FunctionProtocol.AwaitReply;
import dev.troupe.actors.function.FunctionProtocol.CallReply;
import dev.troupe.actors.function.FunctionProtocol.Command;
import dev.troupe.actors.function.FunctionProtocol.Containers;
import dev.troupe.actors.function.FunctionProtocol.ContainersOn;
import dev.troupe.actors.function.FunctionProtocol.FromCaller;
import dev.troupe.actors.function.FunctionProtocol.FromContainer;
import dev.troupe.actors.function.FunctionProtocol.FromMachine;
import dev.troupe.actors.function.FunctionProtocol.LeaseReply;
import dev.troupe.actors.function.FunctionProtocol.ReportReply;
import dev.troupe.actors.function.FunctionProtocol.Stop;
import dev.troupe.actors.function.FunctionProtocol.StopContainer;
import dev.troupe.actors.function.FunctionProtocol.Stopped;
import dev.troupe.actors.function.FunctionProtocol.SubmitReply;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.InputId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.node.NodeProtocol;
import dev.troupe.actors.node.NodeProtocol.GrantReply;
import dev.troupe.actors.placement.MachineAdvert;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * What a function works with once it owns its call log: the mailbox, the two desks, the fleet, and
 * the writes under way. Part of {@link FunctionActor}, which calls it from its own thread alone.
 */
final class Workings {

  private static final Duration BUSY_RESTATED = Duration.ofSeconds(30);
  private static final Duration RETRY_AFTER = Duration.ofMillis(200);

  private final FunctionId id;
  private final World world;
  private final Supplier<FunctionState> state;
  private final Mailbox mailbox;
  private final Commits commits;
  private final CallDesk calls;
  private final Fleet fleet;
  private final ContainerDesk containers;

  private final List<ActorRef<Stopped>> stopping = new ArrayList<>();
  private boolean paging;
  private boolean saidBusy;
  private Instant busySaidAt = Instant.MIN;
  private Instant idleSince;

  // Leases found in the log whose containers nobody has spoken of yet.
  private boolean adopting;
  private final Instant adoptUntil;
  private final Set<MachineId> asked = new HashSet<>();
  private final Set<MachineId> answered = new HashSet<>();

  Workings(
      FunctionId id,
      World world,
      Supplier<FunctionState> state,
      long epoch,
      long lastPosition,
      BiConsumer<Long, CompletionStage<Written>> pipeWrite,
      BiConsumer<Await, CompletionStage<CallDesk.Recall>> pipeRecall,
      ActorRef<GrantReply> grants) {
    this.id = id;
    this.world = world;
    this.state = state;
    this.mailbox = new Mailbox(epoch, lastPosition, world.settings().headLimit());
    this.commits = new Commits(id, epoch, world.callLog(), pipeWrite);
    this.calls = new CallDesk(mailbox, commits, world.callLog(), world.settings(), pipeRecall);
    this.fleet = new Fleet(id, world, state, grants);
    this.containers = new ContainerDesk(mailbox, commits, calls, fleet, state);
    Instant now = world.clock().instant();
    this.idleSince = now;
    this.adoptUntil = now.plus(world.settings().adoptionLimit());
  }

  Mailbox mailbox() {
    return mailbox;
  }

  Commits commits() {
    return commits;
  }

  CallDesk calls() {
    return calls;
  }

  Fleet fleet() {
    return fleet;
  }

  Instant idleSince() {
    return idleSince;
  }

  /** Takes in what an earlier owner left. */
  void load(Loaded found, Instant now) {
    int unfinished = 0;
    for (CallSummary summary : found.calls()) {
      Call call = mailbox.adopt(summary.row(), summary.known(), summary.finished());
      unfinished += summary.known() - summary.finished();
      mailbox.settle(call);
    }
    found.marked().forEach(mailbox::adopt);
    found.waiting().forEach(mailbox::adopt);
    int behind = unfinished - found.marked().size() - found.waiting().size();
    if (behind > 0) {
      long end = found.waiting().isEmpty() ? 0 : found.waiting().getLast().position();
      mailbox.tail(behind, end);
    }
    adopting = !found.marked().isEmpty();
    if (state.get().stopped() != null) {
      containers.terminateAll("Its app has stopped.", now);
    }
  }

  // ---- commands

  void caller(FromCaller command, Instant now) {
    idleSince = now;
    switch (command) {
      case FunctionProtocol.Submit submit -> {
        String refusal = state.get().refusal();
        if (refusal != null) {
          submit.replyTo().tell(new SubmitReply.NoFunction(refusal));
        } else {
          calls.submit(submit, now);
          containers.pump(now);
        }
      }
      case FunctionProtocol.PutInputs put -> {
        String refusal = state.get().refusal();
        if (refusal != null) {
          put.replyTo().tell(new SubmitReply.NoFunction(refusal));
        } else {
          calls.putInputs(put, now);
          containers.pump(now);
        }
      }
      case FunctionProtocol.FinishInputs finish -> calls.finishInputs(finish);
      case Await await -> calls.await(await, now);
      case FunctionProtocol.Inspect inspect -> calls.inspect(inspect);
      case FunctionProtocol.Cancel cancel -> cancel(cancel, now);
    }
  }

  private void cancel(FunctionProtocol.Cancel cancel, Instant now) {
    Call call = mailbox.call(cancel.call());
    if (call == null) {
      // Finished so long ago that it is not at hand, or never made: nothing of it runs.
      cancel.replyTo().tell(new SubmitReply.NoCall(cancel.call()));
      return;
    }
    containers.cancel(call, cancel.terminateContainers(), now);
    commits.then(false, _ -> cancel.replyTo().tell(new SubmitReply.Accepted(cancel.call())));
  }

  void container(FromContainer command, Instant now) {
    idleSince = now;
    switch (command) {
      case FunctionProtocol.Hello hello -> adoptHeld(hello.task(), now);
      case FunctionProtocol.Lease lease -> {
        adoptHeld(lease.task(), now);
        containers.lease(lease, now);
      }
      case FunctionProtocol.LeaseBroken broken ->
          containers.leaseBroken(broken.task(), broken.pollKey());
      case FunctionProtocol.Report report -> {
        adoptHeld(report.task(), now);
        containers.report(report, now);
      }
      case FunctionProtocol.StartFailed failed -> containers.startFailed(failed, now);
      case FunctionProtocol.Beat beat -> {
        adoptHeld(beat.task(), now);
        containers.beat(beat, now);
      }
    }
  }

  void machine(FromMachine command, Instant now) {
    switch (command) {
      case FunctionProtocol.Placed(var task, var machine) -> fleet.placed(task, machine, now);
      case FunctionProtocol.Waits(var task, _, var reason) -> {
        Container container = fleet.find(task);
        if (container != null) {
          fleet.waits(container, reason, now);
        }
      }
      case FunctionProtocol.ContainerStarted(var task, var machine) ->
          fleet.started(task, machine, now);
      case FunctionProtocol.ContainerEnded(var task, _, var ending) ->
          containers.containerEnded(task, ending, now);
      case ContainersOn on -> containersOn(on, now);
    }
  }

  private void containersOn(ContainersOn on, Instant now) {
    answered.add(on.machine());
    for (TaskId task : on.tasks()) {
      adoptHeld(task, now);
      fleet.placed(task, on.machine(), now);
    }
    for (Container container : fleet.all()) {
      if (on.machine().equals(container.machine())
          && container.phase().compareTo(Container.Phase.STARTED) >= 0
          && !on.tasks().contains(container.task())) {
        containers.containerEnded(
            container.task(),
            new FunctionProtocol.Ending.MachineLost(
                "machine " + on.machine() + " does not have it any more"),
            now);
      }
    }
  }

  /** A container of an earlier owner speaks: the leases found under its name are its. */
  private void adoptHeld(TaskId task, Instant now) {
    if (!adopting) {
      return;
    }
    Container container = fleet.seen(task, now);
    if (container == null) {
      return;
    }
    for (InputId input : markedOf(task)) {
      container.hold(input);
    }
  }

  private List<InputId> markedOf(TaskId task) {
    return mailbox.inputs().stream()
        .filter(input -> input.lease() != null && input.lease().task().equals(task))
        .map(Input::id)
        .toList();
  }

  /** Frees what was leased to containers that are gone, once that is known or time is up. */
  private void adopt(Instant now) {
    List<MachineId> linked =
        world.board().machines().stream()
            .filter(MachineAdvert::linked)
            .map(MachineAdvert::machine)
            .toList();
    for (MachineId machine : linked) {
      if (asked.add(machine)) {
        world.mail().machine(machine, new NodeProtocol.ReportContainers(id));
      }
    }
    boolean allSpoke = !linked.isEmpty() && answered.containsAll(linked);
    if (!allSpoke && now.isBefore(adoptUntil)) {
      return;
    }
    adopting = false;
    for (Input input : List.copyOf(mailbox.inputs())) {
      LeaseMark lease = input.lease();
      if (lease != null && fleet.find(lease.task()) == null) {
        // Lost with its owner, which says nothing about the input: its counts stay as they are.
        mailbox.spend(input, input.attempts(), input.lost());
        mailbox.again(input, now, now);
      }
    }
  }

  // ---- the app

  /** Another definition is in force, or there is one at last. */
  void definitionChanged(Instant now) {
    FunctionDefinition inForce = state.get().published();
    for (Container container : fleet.all()) {
      if (inForce != null
          && !container.definition().definitionId().equals(inForce.definitionId())
          && container.idle()) {
        fleet.leave(container, "a newer version is deployed", now);
      }
    }
    settle(now);
  }

  void stop(Stop stop, Instant now) {
    containers.terminateAll(stop.reason(), now);
    fleet.stopAll(stop.reason(), now);
    stopping.add(stop.replyTo());
  }

  Containers containers() {
    return new Containers(fleet.infos());
  }

  void stopContainer(StopContainer stop, Instant now) {
    Container container = fleet.find(stop.task());
    if (container != null && stop.graceful()) {
      fleet.leave(container, "it was stopped", now);
    } else if (container != null) {
      fleet.kill(container, now);
    }
    stop.replyTo().tell(containers());
  }

  // ---- after each command, and from time to time

  /** Whatever a command changed: containers follow, writes go to the log, the app is told. */
  void settle(Instant now) {
    if (!adopting) {
      fleet.scale(mailbox, containers.meanRun(), now);
    }
    commits.flush();
    boolean busy = mailbox.unfinished() > 0;
    if (busy || !fleet.isEmpty() || calls.hasWaiters() || commits.underWay() > 0 || keptWarm()) {
      idleSince = now;
    }
    if (busy != saidBusy || busySaidAt.plus(BUSY_RESTATED).isBefore(now)) {
      sayBusy(busy, now);
    }
    if (!stopping.isEmpty() && fleet.isEmpty() && commits.underWay() == 0) {
      stopping.forEach(replyTo -> replyTo.tell(new Stopped(id)));
      stopping.clear();
    }
  }

  private boolean keptWarm() {
    FunctionDefinition inForce = state.get().published();
    return inForce != null
        && state.get().stopped() == null
        && inForce.scaling().minContainers() > 0;
  }

  private void sayBusy(boolean busy, Instant now) {
    FunctionDefinition latest = state.get().latest();
    if (latest != null) {
      saidBusy = busy;
      busySaidAt = now;
      world.mail().app(latest.app(), new AppProtocol.Busy(id, mailbox.unfinished(), fleet.size()));
    }
  }

  void tick(Instant now) {
    if (adopting) {
      adopt(now);
    }
    calls.tick(now);
    containers.tick(now);
    Container overdue = fleet.overdue(now);
    if (overdue != null) {
      Duration limit = overdue.definition().startupTimeout();
      fleet.startFailed(overdue, now);
      fleet.kill(overdue, now);
      if (!fleet.anyServing()) {
        containers.failWaiting(
            Status.TIMEOUT,
            "The function did not start within its startup timeout of " + limit.toSeconds() + " s.",
            now);
      }
    }
    fleet.tick(mailbox.unfinished(), now);
  }

  // ---- the tail

  /** Whether a page of the tail is to be read now; true once for each page. */
  boolean beginsPage() {
    if (paging || !mailbox.wantsPage()) {
      return false;
    }
    paging = true;
    return true;
  }

  void paged(List<InputRow> rows, Instant now) {
    paging = false;
    mailbox.page(rows);
    containers.pump(now);
  }

  // ---- going

  /** Tells whoever waits to ask again: this owner goes. */
  void moved() {
    calls.moved();
    containers.moved();
  }

  /** Answers while it is about to go: ask again. */
  void turnAway(Command command) {
    switch (command) {
      case FromCaller caller -> turnAway(caller);
      case FromContainer container -> turnAway(container);
      case FromMachine _, FunctionProtocol.FromApp _, FunctionActor.Internal _ -> {
        // Restated by whoever said it.
      }
    }
  }

  private static void turnAway(FromCaller command) {
    switch (command) {
      case FunctionProtocol.Submit submit -> submit.replyTo().tell(new SubmitReply.Moved());
      case FunctionProtocol.PutInputs put -> put.replyTo().tell(new SubmitReply.Moved());
      case FunctionProtocol.FinishInputs finish -> finish.replyTo().tell(new SubmitReply.Moved());
      case FunctionProtocol.Cancel cancel -> cancel.replyTo().tell(new SubmitReply.Moved());
      case Await await -> await.replyTo().tell(new AwaitReply.Away());
      case FunctionProtocol.Inspect _ -> {
        // Its asker's patience is short, and it asks again.
      }
    }
  }

  private static void turnAway(FromContainer command) {
    switch (command) {
      case FunctionProtocol.Lease lease -> lease.replyTo().tell(new LeaseReply.Elsewhere());
      case FunctionProtocol.Report report ->
          report.replyTo().tell(new ReportReply.Again(RETRY_AFTER));
      case FunctionProtocol.StartFailed failed ->
          failed.replyTo().tell(new ReportReply.Again(RETRY_AFTER));
      case FunctionProtocol.Beat beat ->
          beat.replyTo().tell(new FunctionProtocol.Beaten(List.of()));
      case FunctionProtocol.Hello _, FunctionProtocol.LeaseBroken _ -> {
        // Nobody waits for an answer.
      }
    }
  }

  /** Answers for a function that was never defined. */
  static void unknown(FunctionId id, Command command) {
    SubmitReply none = new SubmitReply.NoFunction("There is no function " + id + ".");
    switch (command) {
      case FunctionProtocol.Submit submit -> submit.replyTo().tell(none);
      case FunctionProtocol.PutInputs put -> put.replyTo().tell(none);
      case FunctionProtocol.FinishInputs finish -> finish.replyTo().tell(none);
      case FunctionProtocol.Cancel cancel -> cancel.replyTo().tell(none);
      case Await await -> await.replyTo().tell(new AwaitReply.Unknown(await.call()));
      case FunctionProtocol.Inspect inspect ->
          inspect.replyTo().tell(new CallReply.Missing(inspect.call()));
      case FunctionProtocol.Lease lease ->
          lease.replyTo().tell(new LeaseReply.Leave("there is no such function"));
      case FunctionProtocol.Report report -> report.replyTo().tell(new ReportReply.Taken());
      case FunctionProtocol.StartFailed failed -> failed.replyTo().tell(new ReportReply.Taken());
      case FunctionProtocol.Beat beat ->
          beat.replyTo().tell(new FunctionProtocol.Beaten(List.of()));
      case Stop stop -> stop.replyTo().tell(new Stopped(id));
      case FunctionProtocol.ListContainers list -> list.replyTo().tell(new Containers(List.of()));
      case StopContainer stop -> stop.replyTo().tell(new Containers(List.of()));
      case FunctionProtocol.Hello _,
          FunctionProtocol.LeaseBroken _,
          FunctionProtocol.Wake _,
          FunctionProtocol.Define _,
          FunctionProtocol.Describe _,
          FunctionProtocol.Publish _,
          FromMachine _,
          FunctionActor.Internal _ -> {
        // Nobody waits for an answer, or it was given before.
      }
    }
  }
}
