package dev.troupe.actors.function;

import dev.troupe.actors.calllog.CallLog.Written;
import dev.troupe.actors.calllog.CallRow;
import dev.troupe.actors.calllog.LeaseMark;
import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.function.FunctionDefinition.Retries;
import dev.troupe.actors.function.FunctionProtocol.Beat;
import dev.troupe.actors.function.FunctionProtocol.Beaten;
import dev.troupe.actors.function.FunctionProtocol.Lease;
import dev.troupe.actors.function.FunctionProtocol.LeaseReply;
import dev.troupe.actors.function.FunctionProtocol.LeasedInput;
import dev.troupe.actors.function.FunctionProtocol.Report;
import dev.troupe.actors.function.FunctionProtocol.ReportReply;
import dev.troupe.actors.function.FunctionProtocol.Reported;
import dev.troupe.actors.id.InputId;
import dev.troupe.actors.id.TaskId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;

/**
 * The containers' side of a function: leases inputs to them, takes their outputs, tells them what
 * to stop. Part of {@link FunctionActor}, which calls it from its own thread alone.
 */
final class ContainerDesk {

  private static final Retries NO_RETRIES = new Retries(0, Duration.ZERO, 1, Duration.ZERO);

  // A container that goes on with what it was told to stop did not hear it.
  private static final Duration CANCEL_AGAIN = Duration.ofSeconds(10);

  private final Mailbox mailbox;
  private final Commits commits;
  private final OutputDesk outputs;
  private final Fleet fleet;
  private final Runs runs;
  private final Supplier<FunctionState> state;

  // Moving mean of how long inputs ran lately, for the autoscaler.
  private Duration meanRun = Duration.ZERO;

  ContainerDesk(
      Mailbox mailbox,
      Commits commits,
      OutputDesk outputs,
      Fleet fleet,
      Runs runs,
      Supplier<FunctionState> state) {
    this.mailbox = mailbox;
    this.commits = commits;
    this.outputs = outputs;
    this.fleet = fleet;
    this.runs = runs;
    this.state = state;
  }

  Duration meanRun() {
    return meanRun;
  }

  // ---- leasing

  void lease(Lease lease, Instant now) {
    Container container = fleet.seen(lease.task(), now);
    if (container == null) {
      lease.replyTo().tell(new LeaseReply.Leave("this container is no longer wanted"));
      return;
    }
    fleet.serving(container, now);
    int most = Math.max(1, lease.most());
    List<LeasedInput> same = container.answerTo(lease.pollKey());
    List<LeasedInput> undelivered = same == null ? container.takeUndelivered(most) : List.of();
    if (same != null) {
      // Those that were reported since arrived; the asker is a late one.
      fleet.polls().answer(container.task(), new LeaseReply.Nothing());
      lease.replyTo().tell(same.isEmpty() ? new LeaseReply.Nothing() : new LeaseReply.Items(same));
    } else if (!undelivered.isEmpty()) {
      fleet.polls().answer(container.task(), new LeaseReply.Nothing());
      container.answered(lease.pollKey(), undelivered);
      lease.replyTo().tell(new LeaseReply.Items(undelivered));
    } else {
      fleet.polls().hold(container, lease, now);
      leaveIfUnwanted(container, now);
    }
  }

  private void leaveIfUnwanted(Container container, Instant now) {
    if (container.leaving() || container.spent()) {
      fleet.leave(container, "this container is no longer wanted", now);
    } else if (!container.current(state.get().published())) {
      fleet.leave(container, "a newer version is deployed", now);
    }
  }

  void leaseBroken(TaskId task, String pollKey) {
    Container container = fleet.find(task);
    if (container == null) {
      return;
    }
    Polls.Poll held = fleet.polls().of(task);
    if (held != null && held.lease().pollKey().equals(pollKey)) {
      fleet.polls().drop(task);
    } else {
      container.broke(pollKey);
    }
  }

  /** Hands waiting inputs to containers whose polls are held. */
  void pump(Instant now) {
    mailbox.wake(now);
    while (mailbox.hasReady()) {
      Polls.Poll poll = fleet.polls().first();
      if (poll == null) {
        return;
      }
      hand(poll, now);
    }
  }

  private void hand(Polls.Poll poll, Instant now) {
    Container container = poll.container();
    int most = Math.max(1, poll.lease().most());
    List<LeasedInput> items = new ArrayList<>(1);
    for (Input input : mailbox.lease(container.task(), most, now)) {
      LeaseMark mark = Objects.requireNonNull(input.lease());
      container.hold(input.id());
      if (!input.fresh()) {
        commits.add(new LogWrite.Leased(input.id(), mark));
      }
      CallRow call = input.call().row();
      items.add(
          new LeasedInput(
              input.id(),
              mark.token(),
              call.invocation(),
              input.methodName(),
              input.payload(),
              input.runs()));
    }
    fleet.useful();
    container.answered(poll.lease().pollKey(), items);
    fleet.polls().answer(container.task(), new LeaseReply.Items(items));
  }

  // ---- outputs

  void report(Report report, Instant now) {
    boolean mayBeRepeat = false;
    for (Reported reported : report.outputs()) {
      mayBeRepeat |= !take(report.task(), reported, now);
    }
    Commits.Then answer =
        (written, _) ->
            report
                .replyTo()
                .tell(
                    written instanceof Written.Fenced
                        ? new ReportReply.Again(Refusals.REPORT_AGAIN)
                        : new ReportReply.Taken());
    if (mayBeRepeat) {
      // What it repeats may be on its way into the log still.
      commits.afterAll(answer);
    } else {
      commits.then(false, answer);
    }
  }

  /** False where the output is of no use, and not to be sent again. */
  private boolean take(TaskId task, Reported reported, Instant now) {
    Input input = mailbox.input(reported.input());
    LeaseMark lease = input == null ? null : input.lease();
    if (input == null
        || lease == null
        || !lease.task().equals(task)
        || reported.attempt() != input.runs()) {
      // Finished, timed out or leased elsewhere meanwhile.
      return false;
    }
    Container container = fleet.seen(task, now);
    if (container != null) {
      fleet.serving(container, now);
    }
    measure(Duration.between(lease.at(), now));
    Retries retries = input.call().cancelled() ? NO_RETRIES : retries();
    switch (Verdict.reported(reported.status(), input.attempts(), input.lost(), retries)) {
      case Verdict.Again again -> runs.again(input, again, now);
      case Verdict.End _ -> {
        runs.release(input, now);
        outputs.finish(input, output(task, reported), now);
      }
    }
    return true;
  }

  private OutputRow output(TaskId task, Reported reported) {
    return new OutputRow(
        reported.input(),
        mailbox.nextOutput(),
        reported.status(),
        reported.result(),
        "",
        reported.dataFormat(),
        task.value(),
        reported.startedAt(),
        reported.createdAt(),
        null);
  }

  private void measure(Duration run) {
    Duration took = run.isNegative() ? Duration.ZERO : run;
    // Never zero, which means that nothing is known.
    meanRun =
        (meanRun.isZero() ? took : meanRun.multipliedBy(7).plus(took).dividedBy(8)).plusNanos(1);
  }

  private Retries retries() {
    FunctionState now = state.get();
    FunctionDefinition definition = now.published() != null ? now.published() : now.latest();
    return Objects.requireNonNull(definition).retries();
  }

  // ---- cancelling

  void beat(Beat beat, Instant now) {
    Container container = fleet.seen(beat.task(), now);
    if (container == null) {
      beat.replyTo().tell(new Beaten(List.of()));
      return;
    }
    answerBeat(container, List.of());
    container.beat(new Container.HeldBeat(beat, now.plus(beat.patience())));
    sendCancels(container, now);
  }

  private static void answerBeat(Container container, List<InputId> cancelled) {
    Container.HeldBeat held = container.beat();
    if (held != null) {
      container.beat(null);
      held.beat().replyTo().tell(new Beaten(cancelled));
    }
  }

  /** Ends a call: what waits at once, what runs by its container. */
  void cancel(Call call, boolean terminateContainers, Instant now) {
    call.cancel();
    commits.add(new LogWrite.Cancelled(call.id()));
    for (Input input : mailbox.inputsOf(call)) {
      LeaseMark lease = input.lease();
      Container container = lease == null ? null : fleet.find(lease.task());
      if (container != null && !terminateContainers) {
        sendCancels(container, now);
        continue;
      }
      runs.cancelled(input, now);
      if (container != null) {
        fleet.kill(container, Fleet.KILL_GRACE, now);
      }
    }
    mailbox.settle(call);
    outputs.deliver(call, now);
  }

  private void sendCancels(Container container, Instant now) {
    if (container.beat() == null) {
      return;
    }
    List<InputId> cancelled = new ArrayList<>();
    for (InputId id : container.held()) {
      Input input = mailbox.input(id);
      if (input != null && input.call().cancelled() && cancelDue(input, now)) {
        input.cancelSent(now);
        cancelled.add(id);
      }
    }
    if (!cancelled.isEmpty()) {
      answerBeat(container, cancelled);
    }
  }

  private static boolean cancelDue(Input input, Instant now) {
    Instant sent = input.cancelSentAt();
    return sent == null || !sent.plus(CANCEL_AGAIN).isAfter(now);
  }

  // ---- time

  /** Inputs that ran too long end; polls and heartbeats held long enough are answered. */
  void tick(Instant now) {
    for (Container container : fleet.all()) {
      timeouts(container, now);
      Container.HeldBeat held = container.beat();
      if (held != null && !held.until().isAfter(now)) {
        answerBeat(container, List.of());
      }
    }
    fleet.polls().tick(now);
  }

  private void timeouts(Container container, Instant now) {
    Duration timeout = container.definition().timeout();
    boolean late = false;
    for (InputId id : List.copyOf(container.held())) {
      Input input = mailbox.input(id);
      LeaseMark lease = input == null ? null : input.lease();
      if (input == null || lease == null || !lease.task().equals(container.task())) {
        // It was never taken in, after all.
        container.release(id, now);
      } else if (!lease.at().plus(timeout).isAfter(now)) {
        late = true;
        Retries retries = container.definition().retries();
        runs.settle(input, Verdict.timedOut(timeout, input.attempts(), input.lost(), retries), now);
      }
    }
    if (late) {
      // Code that does not come back can't be asked to: its container goes.
      fleet.kill(container, Fleet.KILL_GRACE, now);
    }
  }

  /** Tells held polls and heartbeats to come again: the entity goes. */
  void moved() {
    fleet.polls().answerAll(new LeaseReply.Elsewhere());
    fleet.all().forEach(container -> answerBeat(container, List.of()));
  }
}
