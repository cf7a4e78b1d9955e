package dev.troupe.actors.function;

import dev.troupe.actors.calllog.CallLog;
import dev.troupe.actors.calllog.CallLog.CallSummary;
import dev.troupe.actors.calllog.CallLog.Written;
import dev.troupe.actors.calllog.CallRow;
import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.actors.function.FunctionProtocol.CallReply;
import dev.troupe.actors.function.FunctionProtocol.FinishInputs;
import dev.troupe.actors.function.FunctionProtocol.Inspect;
import dev.troupe.actors.function.FunctionProtocol.NewInput;
import dev.troupe.actors.function.FunctionProtocol.PutInputs;
import dev.troupe.actors.function.FunctionProtocol.Submit;
import dev.troupe.actors.function.FunctionProtocol.SubmitReply;
import dev.troupe.actors.id.CallId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * Where callers hand in: takes calls and inputs, and answers once they are durable. Part of {@link
 * FunctionActor}, which calls it from its own thread alone.
 */
final class CallDesk {

  // Long enough to drain part of what waits, short enough that a caller still waits for it.
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  private final Mailbox mailbox;
  private final Commits commits;
  private final CallLog log;
  private final FunctionSettings settings;
  private final OutputDesk outputs;

  // Repeats of a first request whose commit is under way.
  private final Map<CallId, List<ActorRef<SubmitReply>>> repeats = new HashMap<>();

  CallDesk(
      Mailbox mailbox,
      Commits commits,
      CallLog log,
      FunctionSettings settings,
      OutputDesk outputs) {
    this.mailbox = mailbox;
    this.commits = commits;
    this.log = log;
    this.settings = settings;
    this.outputs = outputs;
  }

  void submit(Submit submit, Instant now) {
    CallId id = submit.call().call();
    Call known = mailbox.call(id);
    if (known != null) {
      if (known.durable()) {
        submit.replyTo().tell(new SubmitReply.Accepted(id));
      } else {
        repeats.computeIfAbsent(id, _ -> new ArrayList<>()).add(submit.replyTo());
      }
      return;
    }
    if (refuseOverload(submit.inputs().size(), submit.replyTo())) {
      return;
    }
    Call call = mailbox.open(submit.call());
    commits.open(submit.call());
    List<Input> taken = take(call, submit.inputs(), now);
    commits.then(
        true,
        (written, later) -> {
          takenIn(call, taken, written, later);
          if (written instanceof Written.Done) {
            call.committed();
            mailbox.settle(call);
          } else {
            mailbox.withdraw(call);
          }
          SubmitReply reply = reply(id, written);
          submit.replyTo().tell(reply);
          List<ActorRef<SubmitReply>> others = repeats.remove(id);
          if (others != null) {
            others.forEach(other -> other.tell(reply));
          }
        });
  }

  void putInputs(PutInputs put, Instant now) {
    Call call = mailbox.call(put.call());
    if (call == null) {
      absent(put.call(), new SubmitReply.NoCall(put.call()), put.replyTo());
      return;
    }
    if (refuseOverload(put.inputs().size(), put.replyTo())) {
      return;
    }
    List<Input> taken = take(call, put.inputs(), now);
    if (call.cancelled()) {
      taken.forEach(
          input -> outputs.end(input, Status.TERMINATED, "The call was cancelled.", "", now));
    }
    commits.then(true, (written, later) -> takenIn(call, taken, written, later));
    Commits.Then answer = (written, _) -> put.replyTo().tell(reply(put.call(), written));
    if (taken.size() < put.inputs().size()) {
      // What it repeats may be on its way into the log still.
      commits.afterAll(answer);
    } else {
      commits.then(true, answer);
    }
  }

  void finishInputs(FinishInputs finish, Instant now) {
    Call call = mailbox.call(finish.call());
    if (call == null) {
      absent(finish.call(), new SubmitReply.Accepted(finish.call()), finish.replyTo());
      return;
    }
    call.total(finish.total());
    commits.add(new LogWrite.Total(finish.call(), finish.total()));
    commits.then(false, (written, _) -> finish.replyTo().tell(reply(finish.call(), written)));
    mailbox.settle(call);
    outputs.deliver(call, now);
  }

  /**
   * Answers what is said about a call that is not at hand: it is settled, and what is said changes
   * nothing; or another owner has it by now; or it never was. The log knows, and answers from its
   * own thread: nothing here is touched.
   *
   * @param ofCancelled the answer where it was cancelled
   */
  void absent(CallId id, SubmitReply ofCancelled, ActorRef<SubmitReply> replyTo) {
    log.call(id)
        .whenComplete(
            (found, failure) ->
                replyTo.tell(
                    failure != null
                        ? new SubmitReply.Overloaded(RETRY_AFTER, "the store can't be read")
                        : found
                            .map(call -> ofAbsent(call, ofCancelled))
                            .orElse(new SubmitReply.NoCall(id))));
  }

  private static SubmitReply ofAbsent(CallSummary call, SubmitReply ofCancelled) {
    CallRow row = call.row();
    boolean open = row.total() < 0 && !row.cancelled();
    boolean unfinished = call.finished() < (row.cancelled() ? call.known() : row.total());
    if (open || unfinished) {
      return new SubmitReply.Moved();
    }
    return row.cancelled() ? ofCancelled : new SubmitReply.Accepted(row.call());
  }

  private List<Input> take(Call call, List<NewInput> inputs, Instant now) {
    List<Input> taken = new ArrayList<>(inputs.size());
    for (NewInput input : inputs) {
      Input added = mailbox.add(call, input, now);
      if (added != null) {
        commits.fresh(added);
        taken.add(added);
      }
    }
    return taken;
  }

  /** The first write of these inputs is decided. */
  private void takenIn(Call call, List<Input> taken, Written written, Instant now) {
    if (!(written instanceof Written.Done)) {
      commits.forget(
          taken.stream().filter(Input::wasWrittenOf).map(Input::id).collect(Collectors.toSet()));
      taken.forEach(mailbox::withdraw);
      return;
    }
    boolean anyOutput = false;
    for (Input input : taken) {
      mailbox.committed(input);
      anyOutput |= input.output() != null;
    }
    if (anyOutput) {
      outputs.deliver(call, now);
    }
  }

  private boolean refuseOverload(int more, ActorRef<SubmitReply> replyTo) {
    if (mailbox.unfinished() + more <= settings.pendingLimit()) {
      return false;
    }
    replyTo.tell(
        new SubmitReply.Overloaded(
            RETRY_AFTER, "the function has %d unfinished inputs".formatted(mailbox.unfinished())));
    return true;
  }

  private static SubmitReply reply(CallId call, Written written) {
    return switch (written) {
      case Written.Done() -> new SubmitReply.Accepted(call);
      // Taken earlier: by an owner before this one, or so long ago that it is not at hand.
      case Written.Duplicate() -> new SubmitReply.Accepted(call);
      case Written.Fenced() -> new SubmitReply.Moved();
      case Written.Overloaded() ->
          new SubmitReply.Overloaded(RETRY_AFTER, "the store is behind with its commits");
      case Written.Failed(var why) ->
          new SubmitReply.Overloaded(RETRY_AFTER, "the store failed: " + why);
    };
  }

  /** Tells of a call at hand; of another the log is asked, as for its outputs. */
  void inspect(Inspect inspect) {
    Call call = mailbox.call(inspect.call());
    if (call != null) {
      inspect.replyTo().tell(new CallReply.Found(call.row(), call.known(), call.finishedCount()));
      return;
    }
    // Answered from the log's own thread: nothing here is touched. Where it can't be read, the
    // asker's patience is short, and it asks again.
    log.call(inspect.call())
        .thenAccept(
            found ->
                inspect
                    .replyTo()
                    .tell(
                        found
                            .<CallReply>map(
                                is -> new CallReply.Found(is.row(), is.known(), is.finished()))
                            .orElseGet(() -> new CallReply.Missing(inspect.call()))));
  }

  /** Tells repeats to ask again: the entity goes. */
  void moved() {
    repeats.values().forEach(list -> list.forEach(r -> r.tell(new SubmitReply.Moved())));
    repeats.clear();
  }
}
