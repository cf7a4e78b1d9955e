package dev.troupe.actors.function;

import dev.troupe.actors.app.AppProtocol;
import dev.troupe.actors.app.AppProtocol.ContainerPhase;
import dev.troupe.actors.calllog.LeaseMark;
import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.function.FunctionProtocol.Beat;
import dev.troupe.actors.function.FunctionProtocol.Beaten;
import dev.troupe.actors.function.FunctionProtocol.Ending;
import dev.troupe.actors.function.FunctionProtocol.Lease;
import dev.troupe.actors.function.FunctionProtocol.LeaseReply;
import dev.troupe.actors.function.FunctionProtocol.LeasedInput;
import dev.troupe.actors.function.FunctionProtocol.Report;
import dev.troupe.actors.function.FunctionProtocol.ReportReply;
import dev.troupe.actors.function.FunctionProtocol.Reported;
import dev.troupe.actors.function.FunctionProtocol.StartFailed;
import dev.troupe.actors.id.InputId;
import dev.troupe.actors.id.TaskId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The containers' side of a function: leases inputs to them, takes their outputs, and decides what
 * becomes of an input whose run is over. Part of {@link FunctionActor}, which calls it from its own
 * thread alone.
 */
final class ContainerDesk {

  private final Mailbox mailbox;
  private final Commits commits;
  private final CallDesk calls;
  private final Fleet fleet;
  private final Supplier<FunctionState> state;

  // Moving mean of how long inputs ran lately, for the autoscaler.
  private Duration meanRun = Duration.ZERO;

  ContainerDesk(
      Mailbox mailbox,
      Commits commits,
      CallDesk calls,
      Fleet fleet,
      Supplier<FunctionState> state) {
    this.mailbox = mailbox;
    this.commits = commits;
    this.calls = calls;
    this.fleet = fleet;
    this.state = state;
  }

  Duration meanRun() {
    return meanRun;
  }

  // ---- leasing

  void lease(Lease lease, Instant now) {
    Container container = fleet.seen(lease.task(), now);
    if (container == null || container.leaving()) {
      lease.replyTo().tell(new LeaseReply.Leave("this container is no longer wanted"));
      return;
    }
    if (container.reach(Container.Phase.SERVING, now)) {
      fleet.serving(container);
    }
    dropPoll(container);
    List<LeasedInput> same = container.answerTo(lease.pollKey());
    List<LeasedInput> undelivered = same == null ? container.takeUndelivered() : List.of();
    if (same != null) {
      lease.replyTo().tell(new LeaseReply.Items(same));
    } else if (!undelivered.isEmpty()) {
      answer(container, lease, undelivered);
    } else {
      container.poll(new Container.Poll(lease, now.plus(lease.patience())));
      pump(now);
    }
  }

  /** A container asks anew while an earlier poll of it is held: that one's caller has gone. */
  private static void dropPoll(Container container) {
    Container.Poll earlier = container.poll();
    if (earlier != null) {
      earlier.lease().replyTo().tell(new LeaseReply.Nothing());
      container.poll(null);
    }
  }

  void leaseBroken(TaskId task, String pollKey) {
    Container container = fleet.find(task);
    if (container == null) {
      return;
    }
    Container.Poll held = container.poll();
    if (held != null && held.lease().pollKey().equals(pollKey)) {
      container.poll(null);
    } else {
      container.broke(pollKey);
    }
  }

  /** Hands waiting inputs to containers whose polls are held. */
  void pump(Instant now) {
    FunctionDefinition inForce = state.get().published();
    mailbox.wake(now);
    while (mailbox.waiting() > mailbox.tail()) {
      Container container = fleet.mostRecentlyBusy(inForce);
      if (container == null) {
        return;
      }
      Lease lease = Objects.requireNonNull(container.poll()).lease();
      List<Input> inputs = mailbox.lease(lease.task(), Math.max(1, lease.most()), now);
      if (inputs.isEmpty()) {
        return;
      }
      List<LeasedInput> items = new ArrayList<>(inputs.size());
      for (Input input : inputs) {
        LeaseMark mark = Objects.requireNonNull(input.lease());
        container.hold(input.id());
        if (!commits.isFresh(input)) {
          commits.add(new LogWrite.Leased(input.id(), mark));
        }
        items.add(
            new LeasedInput(
                input.id(),
                mark.token(),
                input.call().row().invocation(),
                input.methodName(),
                input.payload(),
                input.runs()));
      }
      answer(container, lease, items);
    }
  }

  private static void answer(Container container, Lease lease, List<LeasedInput> items) {
    container.poll(null);
    container.answered(lease.pollKey(), items);
    lease.replyTo().tell(new LeaseReply.Items(items));
  }

  // ---- outputs

  void report(Report report, Instant now) {
    for (Reported reported : report.outputs()) {
      take(report.task(), reported, now);
    }
    commits.then(false, _ -> report.replyTo().tell(new ReportReply.Taken()));
    pump(now);
  }

  private void take(TaskId task, Reported reported, Instant now) {
    Input input = mailbox.input(reported.input());
    LeaseMark lease = input == null ? null : input.lease();
    if (input == null
        || lease == null
        || !lease.task().equals(task)
        || reported.attempt() != input.runs()) {
      // Finished, timed out or leased elsewhere meanwhile: of no use, and not to be sent again.
      return;
    }
    fleet.seen(task, now);
    measure(Duration.between(lease.at(), now));
    Verdict verdict =
        Verdict.reported(
            reported.status(),
            input.attempts(),
            input.lost(),
            input.call().cancelled() ? NO_RETRIES : definition().retries());
    release(input, now);
    switch (verdict) {
      case Verdict.Again again -> spend(input, again, now);
      case Verdict.End _ ->
          calls.finish(
              input,
              new OutputRow(
                  input.id(),
                  mailbox.nextOutput(),
                  reported.status(),
                  reported.result(),
                  "",
                  reported.dataFormat(),
                  task.value(),
                  reported.startedAt(),
                  reported.createdAt(),
                  null),
              now);
    }
  }

  private static final FunctionDefinition.Retries NO_RETRIES =
      new FunctionDefinition.Retries(0, Duration.ZERO, 1, Duration.ZERO);

  private void measure(Duration run) {
    meanRun =
        meanRun.isZero()
            ? run.plusNanos(1)
            : meanRun.multipliedBy(7).plus(run).dividedBy(8).plusNanos(1);
  }

  private FunctionDefinition definition() {
    FunctionState now = state.get();
    return Objects.requireNonNull(now.published() != null ? now.published() : now.latest());
  }

  private void release(Input input, Instant now) {
    LeaseMark lease = input.lease();
    Container container = lease == null ? null : fleet.find(lease.task());
    if (container != null) {
      container.release(input.id(), now);
    }
  }

  /** Counts a run; the next one may begin once the count is durable. */
  private void spend(Input input, Verdict.Again again, Instant now) {
    mailbox.spend(input, again.attempts(), again.lost());
    commits.add(new LogWrite.Spent(input.id(), again.attempts(), again.lost()));
    Instant notBefore = now.plus(again.delay());
    commits.then(
        false,
        _ -> {
          mailbox.again(input, notBefore, now);
          pump(now);
        });
  }

  /** Ends an input by a word of the platform. */
  private void end(Input input, int status, String message, @Nullable String task, Instant now) {
    release(input, now);
    calls.finish(
        input,
        new OutputRow(
            input.id(),
            mailbox.nextOutput(),
            status,
            null,
            message,
            0,
            task == null ? "" : task,
            null,
            now,
            null),
        now);
  }

  private void settle(Input input, Verdict verdict, TaskId task, Instant now) {
    switch (verdict) {
      case Verdict.Again again when !input.call().cancelled() -> {
        release(input, now);
        spend(input, again, now);
      }
      case Verdict.Again _ ->
          end(input, Status.TERMINATED, "The call was cancelled.", task.value(), now);
      case Verdict.End(var status, var message) -> end(input, status, message, task.value(), now);
    }
  }

  // ---- containers that fail

  void startFailed(StartFailed failed, Instant now) {
    Container container = fleet.find(failed.task());
    if (container != null && !container.leaving()) {
      fleet.startFailed(container, now);
      if (!fleet.anyServing()) {
        failWaiting(failed, now);
      }
    }
    commits.then(false, _ -> failed.replyTo().tell(new ReportReply.Taken()));
  }

  /** The function can't start: what waits for it ends with what the runner said. */
  private void failWaiting(StartFailed failed, Instant now) {
    boolean owned = failed.result().stored() != null || failed.result().attached() != null;
    boolean first = true;
    for (Input input : waitingInputs()) {
      // A stored result belongs to one row; the others say where to look.
      OutputRow output =
          owned && !first
              ? new OutputRow(
                  input.id(),
                  mailbox.nextOutput(),
                  Status.INIT_FAILURE,
                  null,
                  "The function failed to start; its app's logs say why.",
                  0,
                  failed.task().value(),
                  null,
                  now,
                  null)
              : new OutputRow(
                  input.id(),
                  mailbox.nextOutput(),
                  failed.status(),
                  failed.result(),
                  "",
                  0,
                  failed.task().value(),
                  null,
                  now,
                  null);
      calls.finish(input, output, now);
      first = false;
    }
  }

  private List<Input> waitingInputs() {
    return mailbox.inputs().stream().filter(input -> input.lease() == null).toList();
  }

  /** Ends all that waits: nothing could start the function. */
  void failWaiting(int status, String message, Instant now) {
    waitingInputs().forEach(input -> end(input, status, message, null, now));
  }

  void containerEnded(TaskId task, Ending ending, Instant now) {
    Container container = fleet.remove(task);
    if (container == null) {
      return;
    }
    boolean told = container.killed() || container.leaving();
    FunctionDefinition definition = container.definition();
    for (InputId id : List.copyOf(container.held())) {
      Input input = mailbox.input(id);
      if (input != null) {
        settle(
            input,
            Verdict.containerEnded(
                ending,
                told,
                input.attempts(),
                input.lost(),
                definition.retries(),
                definition.resources().memoryLimitBytes()),
            task,
            now);
      }
    }
    fleet.tell(new AppProtocol.Item.Container(task, fleet.function(), ContainerPhase.COMPLETED));
    if (!told && !container.everLeased() && container.phase() != Container.Phase.SERVING) {
      neverServed(ending, definition, now);
    }
    pump(now);
  }

  private void neverServed(Ending ending, FunctionDefinition definition, Instant now) {
    String why =
        switch (ending) {
          case Ending.Exited exited when exited.outOfMemory() ->
              Verdict.crash(exited, definition.resources().memoryLimitBytes());
          case Ending.Exited(var code, var signal, _) ->
              signal != 0
                  ? "Container was killed by signal " + signal + " before it was ready."
                  : "Container exited with code " + code + " before it was ready.";
          case Ending.NeverStarted(var reason) -> "Container could not be started: " + reason;
          case Ending.MachineLost _ -> "";
        };
    if (!why.isEmpty() && fleet.failedToStart(now) && !fleet.anyServing()) {
      failWaiting(Status.INIT_FAILURE, why + " Its app's logs may say more.", now);
    }
  }

  // ---- cancelling, time

  void beat(Beat beat, Instant now) {
    Container container = fleet.seen(beat.task(), now);
    if (container == null) {
      beat.replyTo().tell(new Beaten(List.of()));
      return;
    }
    Container.HeldBeat earlier = container.beat();
    if (earlier != null) {
      earlier.beat().replyTo().tell(new Beaten(List.of()));
    }
    container.beat(new Container.HeldBeat(beat, now.plus(beat.patience())));
    sendCancels(container);
  }

  /** Ends a call: what waits at once, what runs by its container. */
  void cancel(Call call, boolean terminateContainers, Instant now) {
    call.cancel();
    commits.add(new LogWrite.Cancelled(call.id()));
    for (Input input : mailbox.inputsOf(call)) {
      LeaseMark lease = input.lease();
      Container container = lease == null ? null : fleet.find(lease.task());
      if (lease == null) {
        end(input, Status.TERMINATED, "The call was cancelled.", null, now);
      } else if (terminateContainers || container == null) {
        end(input, Status.TERMINATED, "The call was cancelled.", lease.task().value(), now);
        if (container != null) {
          fleet.kill(container, now);
        }
      } else {
        sendCancels(container);
      }
    }
    calls.wakeWaiters(call, now);
  }

  private void sendCancels(Container container) {
    Container.HeldBeat held = container.beat();
    if (held == null) {
      return;
    }
    List<InputId> cancelled = new ArrayList<>();
    for (InputId id : container.held()) {
      Input input = mailbox.input(id);
      if (input != null && input.call().cancelled() && !input.cancelSent()) {
        input.cancelSent(true);
        cancelled.add(id);
      }
    }
    if (!cancelled.isEmpty()) {
      held.beat().replyTo().tell(new Beaten(cancelled));
      container.beat(null);
    }
  }

  /** Ends everything: the app has ended. */
  void terminateAll(String reason, Instant now) {
    for (Input input : List.copyOf(mailbox.inputs())) {
      LeaseMark lease = input.lease();
      end(input, Status.TERMINATED, reason, lease == null ? null : lease.task().value(), now);
    }
    mailbox.calls().forEach(call -> calls.wakeWaiters(call, now));
  }

  /** Inputs that ran too long end; polls and heartbeats held long enough are answered. */
  void tick(Instant now) {
    for (Container container : fleet.all()) {
      timeouts(container, now);
      Container.Poll poll = container.poll();
      if (poll != null && !poll.until().isAfter(now)) {
        container.poll(null);
        poll.lease().replyTo().tell(new LeaseReply.Nothing());
      }
      Container.HeldBeat held = container.beat();
      if (held != null && !held.until().isAfter(now)) {
        container.beat(null);
        held.beat().replyTo().tell(new Beaten(List.of()));
      }
    }
    pump(now);
  }

  private void timeouts(Container container, Instant now) {
    Duration timeout = container.definition().timeout();
    boolean late = false;
    for (InputId id : List.copyOf(container.held())) {
      Input input = mailbox.input(id);
      LeaseMark lease = input == null ? null : input.lease();
      if (input == null || lease == null || lease.at().plus(timeout).isAfter(now)) {
        continue;
      }
      late = true;
      settle(
          input,
          Verdict.timedOut(
              timeout, input.attempts(), input.lost(), container.definition().retries()),
          container.task(),
          now);
    }
    if (late) {
      // Code that does not come back can't be asked to: its container goes.
      fleet.kill(container, now);
    }
  }

  /** Tells held polls and heartbeats to come again: the entity goes. */
  void moved() {
    for (Container container : fleet.all()) {
      Container.Poll poll = container.poll();
      if (poll != null) {
        poll.lease().replyTo().tell(new LeaseReply.Elsewhere());
      }
      Container.HeldBeat held = container.beat();
      if (held != null) {
        held.beat().replyTo().tell(new Beaten(List.of()));
      }
    }
  }
}
