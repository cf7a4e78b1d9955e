package dev.troupe.actors.function;

import dev.troupe.actors.app.AppProtocol;
import dev.troupe.actors.calllog.CallLog.CallSummary;
import dev.troupe.actors.calllog.CallLog.Loaded;
import dev.troupe.actors.calllog.CallLog.Written;
import dev.troupe.actors.calllog.InputRow;
import dev.troupe.actors.function.FunctionProtocol.Await;
import dev.troupe.actors.function.FunctionProtocol.Containers;
import dev.troupe.actors.function.FunctionProtocol.ContainersOn;
import dev.troupe.actors.function.FunctionProtocol.Ending;
import dev.troupe.actors.function.FunctionProtocol.FromCaller;
import dev.troupe.actors.function.FunctionProtocol.FromContainer;
import dev.troupe.actors.function.FunctionProtocol.FromMachine;
import dev.troupe.actors.function.FunctionProtocol.Measured;
import dev.troupe.actors.function.FunctionProtocol.ReportReply;
import dev.troupe.actors.function.FunctionProtocol.StartFailed;
import dev.troupe.actors.function.FunctionProtocol.Stop;
import dev.troupe.actors.function.FunctionProtocol.StopContainer;
import dev.troupe.actors.function.FunctionProtocol.Stopped;
import dev.troupe.actors.function.FunctionProtocol.SubmitReply;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.node.NodeProtocol;
import dev.troupe.actors.node.NodeProtocol.GrantReply;
import dev.troupe.actors.placement.MachineAdvert;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * What a function works with once it owns its call log: the mailbox, the desks, the fleet, and the
 * writes under way. Part of {@link FunctionActor}, which calls it from its own thread alone, and
 * ends every call with {@link #settle}.
 */
final class Workings {

  private static final Duration BUSY_RESTATED = Duration.ofSeconds(30);

  /** Of a function that nobody owned before. */
  private static final long FIRST_EPOCH = 1;

  private final FunctionId id;
  private final World world;
  private final Supplier<FunctionState> state;
  private final Mailbox mailbox;
  private final Commits commits;
  private final OutputDesk outputs;
  private final CallDesk calls;
  private final Fleet fleet;
  private final Endings endings;
  private final ContainerDesk containers;
  private final Adoption adoption;

  private final Set<ActorRef<Stopped>> stopping = new LinkedHashSet<>();
  private @Nullable String inForce;
  private boolean paging;
  private boolean pageWasShort;
  private boolean saidBusy;
  private Instant busySaidAt = Instant.MIN;
  private Instant idleSince;

  Workings(
      FunctionId id,
      World world,
      Supplier<FunctionState> state,
      long epoch,
      long lastPosition,
      BiConsumer<Long, CompletionStage<Written>> pipeWrite,
      BiConsumer<Await, CompletionStage<OutputDesk.Recall>> pipeRecall,
      ActorRef<GrantReply> grants) {
    Instant now = world.clock().instant();
    this.id = id;
    this.world = world;
    this.state = state;
    this.mailbox = new Mailbox(epoch, lastPosition, world.settings().headLimit());
    this.commits = new Commits(id, epoch, world.callLog(), pipeWrite);
    this.outputs = new OutputDesk(mailbox, commits, world.callLog(), pipeRecall);
    this.calls = new CallDesk(mailbox, commits, world.callLog(), world.settings(), outputs);
    this.fleet = new Fleet(id, world, state, grants);
    Runs runs = new Runs(mailbox, commits, outputs, fleet);
    this.endings = new Endings(mailbox, outputs, fleet, runs, world.directory());
    this.containers = new ContainerDesk(mailbox, commits, outputs, fleet, runs, state);
    this.adoption = new Adoption(epoch == FIRST_EPOCH, now, world.settings().adoptionLimit());
    this.inForce = definitionInForce();
    this.idleSince = now;
  }

  Mailbox mailbox() {
    return mailbox;
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
    List<Input> waiting = new ArrayList<>();
    found.waiting().forEach(row -> addTo(waiting, mailbox.adopt(row)));
    for (InputRow row : found.marked()) {
      Input input = mailbox.adopt(row);
      if (input != null) {
        adoption.found(input);
      }
    }
    int behind = unfinished - found.marked().size() - found.waiting().size();
    if (behind > 0) {
      long end = found.waiting().isEmpty() ? 0 : found.waiting().getLast().position();
      mailbox.tail(behind, end);
    }
    String stopped = state.get().stopped();
    if (stopped == null) {
      endings.terminate(waiting, null, now);
    } else {
      endings.terminateAll(stopped, now);
    }
    askMachines(now);
    settle(now);
  }

  private static void addTo(List<Input> inputs, @Nullable Input input) {
    if (input != null) {
      inputs.add(input);
    }
  }

  // ---- commands

  void caller(FromCaller command, Instant now) {
    idleSince = now;
    switch (command) {
      case FunctionProtocol.Submit submit -> {
        if (mayCall(submit.replyTo())) {
          calls.submit(submit, now);
        }
      }
      case FunctionProtocol.PutInputs put -> {
        if (mayCall(put.replyTo())) {
          calls.putInputs(put, now);
        }
      }
      case FunctionProtocol.FinishInputs finish -> calls.finishInputs(finish, now);
      case Await await -> outputs.await(await, now);
      case FunctionProtocol.Inspect inspect -> calls.inspect(inspect);
      case FunctionProtocol.Cancel cancel -> cancel(cancel, now);
    }
  }

  private boolean mayCall(ActorRef<SubmitReply> replyTo) {
    String refusal = state.get().refusal();
    if (refusal != null) {
      replyTo.tell(new SubmitReply.NoFunction(refusal));
    }
    return refusal == null;
  }

  private void cancel(FunctionProtocol.Cancel cancel, Instant now) {
    Call call = mailbox.call(cancel.call());
    if (call == null) {
      calls.absent(cancel.call(), new SubmitReply.Accepted(cancel.call()), cancel.replyTo());
      return;
    }
    containers.cancel(call, cancel.terminateContainers(), now);
    commits.then(
        false,
        (written, _) ->
            cancel
                .replyTo()
                .tell(
                    written instanceof Written.Fenced
                        ? new SubmitReply.Moved()
                        : new SubmitReply.Accepted(cancel.call())));
  }

  void container(FromContainer command, Instant now) {
    idleSince = now;
    claimLeases(command.task(), now);
    switch (command) {
      case FunctionProtocol.Hello(var task) -> {
        Container container = fleet.seen(task, now);
        if (container != null) {
          container.reach(Container.Phase.STARTED, now);
        }
      }
      case FunctionProtocol.Lease lease -> containers.lease(lease, now);
      case FunctionProtocol.LeaseBroken(var task, var pollKey) ->
          containers.leaseBroken(task, pollKey);
      case FunctionProtocol.Report report -> containers.report(report, now);
      case StartFailed failed -> startFailed(failed, now);
      case FunctionProtocol.Beat beat -> containers.beat(beat, now);
    }
  }

  private void startFailed(StartFailed failed, Instant now) {
    endings.startFailed(failed, now);
    commits.afterAll(
        (written, _) ->
            failed
                .replyTo()
                .tell(
                    written instanceof Written.Fenced
                        ? new ReportReply.Again(Refusals.REPORT_AGAIN)
                        : new ReportReply.Taken()));
  }

  void machine(FromMachine command, Instant now) {
    switch (command) {
      case FunctionProtocol.Placed(var task, var machine, var share) -> {
        claimLeases(task, now);
        fleet.placed(task, machine, share, now);
      }
      case FunctionProtocol.Waits(var task, _, var reason) -> fleet.waits(task, reason, now);
      case FunctionProtocol.ContainerStarted(var task, var machine) -> {
        claimLeases(task, now);
        fleet.started(task, machine, now);
      }
      case FunctionProtocol.ContainerEnded(var task, var machine, var ending) -> {
        claimLeases(task, now);
        Container container = fleet.find(task);
        if (container == null || !container.isElsewhere(machine)) {
          endings.ended(task, ending, now);
        }
      }
      case ContainersOn(var machine, var tasks) -> containersOn(machine, tasks, now);
    }
  }

  void granted(GrantReply reply, Instant now) {
    fleet.granted(reply, now);
  }

  private void containersOn(MachineId machine, List<TaskId> tasks, Instant now) {
    adoption.told(machine);
    tasks.forEach(task -> claimLeases(task, now));
    for (Container container : fleet.reported(machine, tasks, now)) {
      lose(container, "machine " + machine + " does not have it any more", now);
    }
  }

  private void lose(Container container, String why, Instant now) {
    endings.ended(container.task(), new Ending.MachineLost(why), now);
  }

  // ---- leases of an earlier owner

  /** A container of an earlier owner is heard of: the leases found under its name are its. */
  private void claimLeases(TaskId task, Instant now) {
    List<Input> inputs = adoption.claim(task);
    if (inputs.isEmpty()) {
      return;
    }
    Container container = fleet.seen(task, now);
    for (Input input : inputs) {
      if (container == null) {
        free(input, now);
      } else if (input.standing() == Input.Standing.LEASED) {
        container.hold(input.id());
        fleet.serving(container, now);
      }
    }
  }

  private void adopt(Instant now) {
    askMachines(now);
    if (adoption.pending() && adoption.isOver(linked(), now)) {
      adoption.lost().forEach(input -> free(input, now));
    }
  }

  /** Lost with its owner, which says nothing about the input: its counts stay as they are. */
  private void free(Input input, Instant now) {
    if (input.standing() != Input.Standing.LEASED) {
      return;
    }
    if (input.call().cancelled()) {
      endings.terminate(input, now);
    } else {
      mailbox.spend(input, input.attempts(), input.lost());
      mailbox.again(input, now, now);
    }
  }

  private void askMachines(Instant now) {
    if (adoption.pending() || adoption.isBlind(this::linked, now)) {
      for (MachineId machine : adoption.toAsk(linked(), now)) {
        world.mail().machine(machine, new NodeProtocol.ReportContainers(id));
      }
    }
  }

  private List<MachineId> linked() {
    return world.board().machines().stream()
        .filter(MachineAdvert::linked)
        .map(MachineAdvert::machine)
        .toList();
  }

  // ---- the app

  /** Another definition may be in force, or there is one at last. */
  void definitionChanged(Instant now) {
    String before = inForce;
    inForce = definitionInForce();
    FunctionDefinition definition = state.get().published();
    if (definition != null && !definition.definitionId().equals(before)) {
      fleet.definitionChanged(definition, now);
    }
    settle(now);
  }

  private @Nullable String definitionInForce() {
    FunctionDefinition definition = state.get().published();
    return definition == null ? null : definition.definitionId();
  }

  void stop(Stop stop, Instant now) {
    // In this order: the fleet looks at who runs what.
    fleet.stopAll(stop.reason(), now);
    endings.terminateAll(stop.reason(), now);
    stopping.add(stop.replyTo());
  }

  Containers containers() {
    return new Containers(fleet.infos());
  }

  /** How busy it is. */
  Measured measured() {
    FunctionDefinition published = state.get().published();
    int headroom = fleet.all().stream().mapToInt(at -> at.room(published)).sum();
    return new Measured(mailbox.waiting(), mailbox.running(), fleet.size(), headroom);
  }

  void stopContainer(StopContainer stop, Instant now) {
    Container container = fleet.find(stop.task());
    if (container != null && stop.graceful()) {
      fleet.leave(container, "it was stopped", now);
    } else if (container != null) {
      fleet.kill(container, Fleet.STOP_GRACE, now);
    }
    stop.replyTo().tell(containers());
  }

  // ---- after each command, and from time to time

  /**
   * Whatever a command changed: inputs go to containers that ask, containers follow the load,
   * writes go to the log, the app is told.
   */
  void settle(Instant now) {
    containers.pump(now);
    if (!adoption.isBlind(this::linked, now)) {
      fleet.scale(mailbox, adoption.unseen(), containers.meanRun(), now);
    }
    commits.flush(now);
    boolean busy = mailbox.unfinished() > 0;
    if (busy && !saidBusy) {
      sayBusy(now);
    }
    if (busy || !fleet.isEmpty() || outputs.hasWaiters() || commits.underWay() > 0 || keptWarm()) {
      idleSince = now;
    }
    if (!stopping.isEmpty() && !busy && fleet.isEmpty() && commits.underWay() == 0) {
      stopping.forEach(replyTo -> replyTo.tell(new Stopped(id)));
      stopping.clear();
    }
  }

  private boolean keptWarm() {
    FunctionDefinition definition = state.get().published();
    return definition != null
        && state.get().stopped() == null
        && definition.scaling().minContainers() > 0;
  }

  private void sayBusy(Instant now) {
    FunctionDefinition latest = state.get().latest();
    if (latest != null) {
      saidBusy = mailbox.unfinished() > 0;
      busySaidAt = now;
      world.mail().app(latest.app(), new AppProtocol.Busy(id, mailbox.unfinished(), fleet.size()));
    }
  }

  void tick(Instant now) {
    pageWasShort = false;
    adopt(now);
    outputs.tick(now);
    containers.tick(now);
    endings.overdue(now);
    fleet.lost(now).forEach(container -> lose(container, "nothing is heard of it", now));
    fleet.tick(mailbox, now);
    boolean busy = mailbox.unfinished() > 0;
    if (busy != saidBusy || busySaidAt.plus(BUSY_RESTATED).isBefore(now)) {
      // Said from here alone: between one call and the next it is idle for a moment.
      sayBusy(now);
    }
  }

  // ---- writes

  /** A write is decided; false where it is to be given again after a while. */
  boolean decided(long ticket, Written written, Instant now) {
    if (commits.putOff(ticket, written)) {
      return false;
    }
    pageWasShort = false;
    commits.decided(ticket, written, now);
    return true;
  }

  /** Gives a write that was put off to the log again. */
  void writeAgain(long ticket) {
    commits.again(ticket);
  }

  boolean writes() {
    return commits.underWay() > 0;
  }

  /** The log was asked for what is not at hand. */
  void recalled(Await await, OutputDesk.Recall found, Instant now) {
    outputs.recalled(await, found, now);
  }

  // ---- the tail

  /** Whether a page of the tail is to be read now; true once for each page. */
  boolean beginsPage() {
    if (paging || pageWasShort || !mailbox.wantsPage()) {
      return false;
    }
    paging = true;
    return true;
  }

  /** A page was read; what it lacks is not committed yet, or could not be read. */
  void paged(List<InputRow> rows, Instant now) {
    paging = false;
    pageWasShort = rows.size() < world.settings().headLimit();
    endings.terminate(mailbox.page(rows), state.get().stopped(), now);
  }

  // ---- going

  /** Tells whoever waits to ask again: this owner goes. */
  void moved() {
    outputs.moved();
    calls.moved();
    containers.moved();
  }

  /** Another owner has the function: nothing that is under way will be written. */
  void fenced(Instant now) {
    commits.fenced(now);
    moved();
  }
}
