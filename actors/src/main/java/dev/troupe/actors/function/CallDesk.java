package dev.troupe.actors.function;

import dev.troupe.actors.calllog.CallLog;
import dev.troupe.actors.calllog.CallLog.CallSummary;
import dev.troupe.actors.calllog.CallLog.Written;
import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.actors.calllog.OutputNumber;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.function.FunctionProtocol.Await;
import dev.troupe.actors.function.FunctionProtocol.AwaitReply;
import dev.troupe.actors.function.FunctionProtocol.CallReply;
import dev.troupe.actors.function.FunctionProtocol.FinishInputs;
import dev.troupe.actors.function.FunctionProtocol.Inspect;
import dev.troupe.actors.function.FunctionProtocol.NewInput;
import dev.troupe.actors.function.FunctionProtocol.PutInputs;
import dev.troupe.actors.function.FunctionProtocol.Submit;
import dev.troupe.actors.function.FunctionProtocol.SubmitReply;
import dev.troupe.actors.function.FunctionProtocol.Wanted;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.InputId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * The callers' side of a function: takes calls and inputs in, gives outputs out. Part of {@link
 * FunctionActor}, which calls it from its own thread alone.
 */
final class CallDesk {

  // Long enough to drain part of what waits, short enough that a caller still waits for it.
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  // One answer must fit a cluster message; most results are inline and small.
  private static final int ANSWER_BYTES = 512 << 10;

  // Outputs at hand before the durable ones are left to the log.
  private static final long OUTPUT_BYTES_KEPT = 64L << 20;

  private final Mailbox mailbox;
  private final Commits commits;
  private final CallLog log;
  private final FunctionSettings settings;
  private final BiConsumer<Await, CompletionStage<Recall>> recall;

  private final Map<CallId, List<Waiter>> waiters = new HashMap<>();
  private final Map<CallId, List<ActorRef<SubmitReply>>> repeats = new HashMap<>();

  /** A held {@link Await}. */
  private record Waiter(Await await, Instant until) {}

  /** What the log said about a call that is not, or not whole, in memory. */
  record Recall(Optional<CallSummary> call, List<OutputRow> outputs, boolean failed) {

    /** The log could not be read: whoever asked shall ask again. */
    static final Recall FAILED = new Recall(Optional.empty(), List.of(), true);
  }

  /** {@code recall} brings what was read from the log back to the actor, with the request. */
  CallDesk(
      Mailbox mailbox,
      Commits commits,
      CallLog log,
      FunctionSettings settings,
      BiConsumer<Await, CompletionStage<Recall>> recall) {
    this.mailbox = mailbox;
    this.commits = commits;
    this.log = log;
    this.settings = settings;
    this.recall = recall;
  }

  // ---- taking in

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
    commits.add(new LogWrite.NewCall(submit.call()));
    take(call, submit.inputs(), now);
    commits.then(
        true,
        written -> {
          if (written instanceof Written.Done) {
            call.committed();
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
      put.replyTo().tell(new SubmitReply.NoCall(put.call()));
      return;
    }
    if (refuseOverload(put.inputs().size(), put.replyTo())) {
      return;
    }
    List<Input> taken = take(call, put.inputs(), now);
    commits.then(
        true,
        written -> {
          if (!(written instanceof Written.Done)) {
            taken.forEach(mailbox::withdraw);
          }
          put.replyTo().tell(reply(put.call(), written));
        });
  }

  void finishInputs(FinishInputs finish) {
    Call call = mailbox.call(finish.call());
    if (call == null) {
      finish.replyTo().tell(new SubmitReply.NoCall(finish.call()));
      return;
    }
    call.total(finish.total());
    commits.add(new LogWrite.Total(finish.call(), finish.total()));
    commits.then(false, written -> finish.replyTo().tell(reply(finish.call(), written)));
    mailbox.settle(call);
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

  // ---- giving out

  /** Ends an input: its output goes to a reader who may have it, and into the log. */
  void finish(Input input, OutputRow output, Instant now) {
    Call call = input.call();
    Call.Output entry = mailbox.finish(input, output);
    if (call.row().invocation().singleReader()) {
      deliver(call, now);
    }
    store(call, entry, now);
  }

  private void store(Call call, Call.Output entry, Instant now) {
    commits.add(new LogWrite.Finished(entry.rowToWrite()));
    commits.then(
        false,
        written -> {
          if (written instanceof Written.Done) {
            entry.committed();
            if (!call.row().invocation().singleReader()) {
              deliver(call, now);
            }
            mailbox.trimOutputs(OUTPUT_BYTES_KEPT);
          } else if (written instanceof Written.Failed(var why) && entry.row().result() != null) {
            entry.replaceRow(notStored(entry.row(), why));
            store(call, entry, now);
          }
        });
  }

  private static OutputRow notStored(OutputRow row, String why) {
    return new OutputRow(
        row.input(),
        row.number(),
        Status.INTERNAL_FAILURE,
        null,
        "The result could not be stored: " + why,
        0,
        row.task(),
        row.startedAt(),
        row.createdAt(),
        row.clearedAt());
  }

  void await(Await await, Instant now) {
    Call call = mailbox.call(await.call());
    if (call == null) {
      recallFromLog(await);
    } else if (!answer(call, await, now)) {
      if (behind(call, await.wanted())) {
        recallFromLog(await);
      } else {
        hold(await, now);
      }
    }
  }

  /** The log was asked for what is not at hand. */
  void recalled(Await await, Recall found, Instant now) {
    if (found.failed()) {
      await.replyTo().tell(new AwaitReply.Away());
      return;
    }
    Call call = mailbox.call(await.call());
    if (!found.outputs().isEmpty()) {
      List<OutputRow> outputs = bounded(found.outputs());
      if (await.clear()) {
        clear(outputs, now);
      }
      int unfinished = call == null ? 0 : call.unfinished();
      await
          .replyTo()
          .tell(new AwaitReply.Outputs(outputs, last(await.wanted(), outputs), unfinished));
    } else if (call != null) {
      if (!answer(call, await, now)) {
        hold(await, now);
      }
    } else if (found.call().isPresent()) {
      await.replyTo().tell(new AwaitReply.Outputs(List.of(), last(await.wanted(), List.of()), 0));
    } else {
      await.replyTo().tell(new AwaitReply.Unknown(await.call()));
    }
  }

  /** Tells of a call at hand; of another the log is asked, as for its outputs. */
  void inspect(Inspect inspect) {
    Call call = mailbox.call(inspect.call());
    if (call != null) {
      inspect.replyTo().tell(new CallReply.Found(call.row(), call.known(), call.finishedCount()));
      return;
    }
    // Answered from the log's own thread: nothing here is touched.
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

  private void recallFromLog(Await await) {
    CompletionStage<List<OutputRow>> outputs =
        switch (await.wanted()) {
          case Wanted.After(var number) -> log.outputsAfter(await.call(), number, await.most());
          case Wanted.Range(var first, var last) -> log.outputsOf(await.call(), first, last);
        };
    recall.accept(
        await,
        log.call(await.call()).thenCombine(outputs, (call, rows) -> new Recall(call, rows, false)));
  }

  private void hold(Await await, Instant now) {
    Call call = mailbox.call(await.call());
    if (await.patience().isZero() || await.patience().isNegative() || call == null) {
      nothing(await);
    } else {
      waiters
          .computeIfAbsent(await.call(), _ -> new ArrayList<>(1))
          .add(new Waiter(await, now.plus(await.patience())));
    }
  }

  private void nothing(Await await) {
    Call call = mailbox.call(await.call());
    int unfinished = call == null ? 0 : call.unfinished();
    await
        .replyTo()
        .tell(new AwaitReply.Outputs(List.of(), last(await.wanted(), List.of()), unfinished));
  }

  /** Answers from memory; false where there is nothing to say yet. */
  private boolean answer(Call call, Await await, Instant now) {
    List<Call.Output> found =
        switch (await.wanted()) {
          case Wanted.After(var number) ->
              call.mayBeForgotten(number)
                  ? List.<Call.Output>of()
                  : call.readableAfter(number, await.most());
          case Wanted.Range(var first, var last) -> call.readableOf(first, last, await.most());
        };
    if (found.isEmpty()) {
      if (call.complete() && !behind(call, await.wanted())) {
        nothing(await);
        return true;
      }
      return false;
    }
    List<OutputRow> outputs = bounded(found.stream().map(Call.Output::row).toList());
    if (await.clear()) {
      take(found.subList(0, outputs.size()), now);
      outputs = found.subList(0, outputs.size()).stream().map(Call.Output::row).toList();
    }
    await
        .replyTo()
        .tell(new AwaitReply.Outputs(outputs, last(await.wanted(), outputs), call.unfinished()));
    return true;
  }

  private static boolean behind(Call call, Wanted wanted) {
    return switch (wanted) {
      case Wanted.After(var number) -> call.mayBeForgotten(number);
      case Wanted.Range _ -> call.forgotSome();
    };
  }

  /** As many as fit one answer, at least one. */
  private static List<OutputRow> bounded(List<OutputRow> outputs) {
    long bytes = 0;
    for (int i = 0; i < outputs.size(); i++) {
      bytes += Call.bytes(outputs.get(i));
      if (i > 0 && bytes > ANSWER_BYTES) {
        return outputs.subList(0, i);
      }
    }
    return outputs;
  }

  private static OutputNumber last(Wanted wanted, List<OutputRow> outputs) {
    OutputNumber last =
        switch (wanted) {
          case Wanted.After(var number) -> number;
          case Wanted.Range _ -> OutputNumber.START;
        };
    for (OutputRow output : outputs) {
      if (output.number().compareTo(last) > 0) {
        last = output.number();
      }
    }
    return last;
  }

  /** Marks outputs as taken. One whose own write is still to come carries the mark there. */
  private void take(List<Call.Output> taken, Instant now) {
    List<InputId> written = new ArrayList<>();
    for (Call.Output output : taken) {
      OutputRow row = output.row();
      if (row.clearedAt() == null) {
        output.replaceRow(cleared(row, now));
        if (output.written()) {
          written.add(row.input());
        }
      }
    }
    if (!written.isEmpty()) {
      commits.add(new LogWrite.Cleared(written, now));
    }
  }

  private void clear(List<OutputRow> rows, Instant now) {
    List<InputId> inputs =
        rows.stream().filter(row -> row.clearedAt() == null).map(OutputRow::input).toList();
    if (!inputs.isEmpty()) {
      commits.add(new LogWrite.Cleared(inputs, now));
    }
  }

  private static OutputRow cleared(OutputRow row, Instant now) {
    return new OutputRow(
        row.input(),
        row.number(),
        row.status(),
        row.result(),
        row.message(),
        row.dataFormat(),
        row.task(),
        row.startedAt(),
        row.createdAt(),
        now);
  }

  private void deliver(Call call, Instant now) {
    List<Waiter> waiting = waiters.get(call.id());
    if (waiting == null) {
      return;
    }
    waiting.removeIf(waiter -> answer(call, waiter.await(), now));
    if (waiting.isEmpty()) {
      waiters.remove(call.id());
    }
  }

  /** Answers those whose patience is over. */
  void tick(Instant now) {
    Iterator<List<Waiter>> lists = waiters.values().iterator();
    while (lists.hasNext()) {
      List<Waiter> waiting = lists.next();
      waiting.removeIf(
          waiter -> {
            boolean over = !waiter.until().isAfter(now);
            if (over) {
              nothing(waiter.await());
            }
            return over;
          });
      if (waiting.isEmpty()) {
        lists.remove();
      }
    }
  }

  /** A call has come to its end without an output for everyone who waits. */
  void wakeWaiters(Call call, Instant now) {
    deliver(call, now);
  }

  /** Tells everybody who waits to ask again: the entity goes. */
  void moved() {
    waiters.values().forEach(list -> list.forEach(CallDesk::away));
    waiters.clear();
    repeats.values().forEach(list -> list.forEach(r -> r.tell(new SubmitReply.Moved())));
    repeats.clear();
  }

  private static void away(Waiter waiter) {
    waiter.await().replyTo().tell(new AwaitReply.Away());
  }

  boolean hasWaiters() {
    return !waiters.isEmpty();
  }
}
