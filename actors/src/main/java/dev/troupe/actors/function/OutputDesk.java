package dev.troupe.actors.function;

import dev.troupe.actors.calllog.CallLog;
import dev.troupe.actors.calllog.CallLog.CallSummary;
import dev.troupe.actors.calllog.CallLog.Written;
import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.actors.calllog.OutputNumber;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.function.FunctionProtocol.Await;
import dev.troupe.actors.function.FunctionProtocol.AwaitReply;
import dev.troupe.actors.function.FunctionProtocol.Wanted;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.InputId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Where callers fetch: ends inputs, gives their outputs to whoever may have them, from memory or
 * from the log, and holds those who wait. Part of {@link FunctionActor}, which calls it from its
 * own thread alone.
 */
final class OutputDesk {

  // One answer must fit a cluster message; most results are inline and small.
  private static final int ANSWER_BYTES = 384 << 10;

  // Outputs at hand before the durable ones are left to the log.
  private static final long OUTPUT_BYTES_KEPT = 64L << 20;

  private final Mailbox mailbox;
  private final Commits commits;
  private final CallLog log;
  private final BiConsumer<Await, CompletionStage<Recall>> recall;

  private final Map<CallId, List<Waiter>> waiters = new HashMap<>();

  /** A held {@link Await}. */
  private record Waiter(Await await, Instant until) {}

  /**
   * What the log said about a call that is not, or not whole, in memory.
   *
   * @param upTo how far outputs were in the log alone when it was asked
   */
  record Recall(
      Optional<CallSummary> call, List<OutputRow> outputs, OutputNumber upTo, boolean failed) {

    /** The log could not be read: whoever asked shall ask again. */
    static final Recall FAILED = new Recall(Optional.empty(), List.of(), OutputNumber.START, true);
  }

  /** {@code recall} brings what was read from the log back to the actor, with the request. */
  OutputDesk(
      Mailbox mailbox,
      Commits commits,
      CallLog log,
      BiConsumer<Await, CompletionStage<Recall>> recall) {
    this.mailbox = mailbox;
    this.commits = commits;
    this.log = log;
    this.recall = recall;
  }

  /** Ends an input by a word of the platform; {@code task} is empty where no container had it. */
  void end(Input input, int status, String message, String task, Instant now) {
    finish(
        input,
        new OutputRow(
            input.id(), mailbox.nextOutput(), status, null, message, 0, task, null, now, null),
        now);
  }

  /** Ends an input: its output goes to a reader who may have it, and into the log. */
  void finish(Input input, OutputRow output, Instant now) {
    Call call = input.call();
    Call.Output entry = mailbox.finish(input, output);
    if (call.row().invocation().singleReader()) {
      deliver(call, now);
    }
    store(call, entry);
  }

  private void store(Call call, Call.Output entry) {
    commits.add(new LogWrite.Finished(entry.rowToWrite()));
    commits.then(
        false,
        (written, now) -> {
          if (written instanceof Written.Done) {
            call.committed(entry);
            deliver(call, now);
            mailbox.settle(call);
            mailbox.trimOutputs(OUTPUT_BYTES_KEPT);
          } else if (written instanceof Written.Failed(var why)
              && entry.row().result() != null
              && !entry.takenBack()) {
            entry.replaceRow(notStored(entry.row(), why));
            store(call, entry);
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
    if (call == null || !answer(call, await, false, now)) {
      if (call == null || behind(call, await.wanted())) {
        recallFromLog(await, call);
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
    List<OutputRow> outputs = bounded(inReach(await, found, call));
    if (!outputs.isEmpty()) {
      if (await.clear()) {
        clear(outputs, now);
      }
      int unfinished = call == null ? 0 : call.outstanding();
      await
          .replyTo()
          .tell(new AwaitReply.Outputs(outputs, last(await.wanted(), outputs), unfinished));
    } else if (call != null) {
      await(past(await, found), found, call, now);
    } else {
      await
          .replyTo()
          .tell(
              found
                  .call()
                  .map(at -> ofNone(await, at))
                  .orElse(new AwaitReply.Unknown(await.call())));
    }
  }

  /** There is none of what is asked for, of a call that is not at hand. */
  private static AwaitReply ofNone(Await await, CallSummary call) {
    // What is unfinished is at hand of its owner: another one has it by now.
    return call.finished() < Math.max(call.known(), call.row().total()) && !call.row().cancelled()
        ? new AwaitReply.Away()
        : new AwaitReply.Outputs(List.of(), last(await.wanted(), List.of()), 0);
  }

  /** The log has nothing that was asked for: goes on with what is at hand. */
  private void await(Await await, Recall found, Call call, Instant now) {
    if (call.forgottenUpTo().compareTo(found.upTo()) > 0) {
      // More was left to the log while it was asked.
      recallFromLog(await, call);
    } else if (!answer(call, await, true, now)) {
      hold(await, now);
    }
  }

  /** Of what the log gave, as much as was asked for and nothing that may leave a gap before it. */
  private static List<OutputRow> inReach(Await await, Recall found, @Nullable Call call) {
    boolean cursor = await.wanted() instanceof Wanted.After;
    return found.outputs().stream()
        .filter(row -> !cursor || call == null || row.number().compareTo(found.upTo()) <= 0)
        .limit(Math.max(1, await.most()))
        .toList();
  }

  /** The same question, with the cursor behind what the log was asked for in vain. */
  private static Await past(Await await, Recall found) {
    return await.wanted() instanceof Wanted.After(var number) && number.compareTo(found.upTo()) < 0
        ? new Await(
            await.call(),
            new Wanted.After(found.upTo()),
            await.most(),
            await.clear(),
            await.patience(),
            await.replyTo())
        : await;
  }

  private void recallFromLog(Await await, @Nullable Call call) {
    OutputNumber upTo = call == null ? OutputNumber.START : call.forgottenUpTo();
    // The call before its outputs: whatever it counts as finished is then among them.
    recall.accept(
        await,
        log.call(await.call())
            .thenCompose(
                summary ->
                    outputsFromLog(await)
                        .thenApply(rows -> new Recall(summary, rows, upTo, false))));
  }

  private CompletionStage<List<OutputRow>> outputsFromLog(Await await) {
    return switch (await.wanted()) {
      case Wanted.After(var number) ->
          log.outputsAfter(await.call(), number, Math.max(1, await.most()));
      case Wanted.Range(var first, var last) -> log.outputsOf(await.call(), first, last);
    };
  }

  private void hold(Await await, Instant now) {
    if (await.patience().isZero() || await.patience().isNegative()) {
      nothing(await);
    } else {
      waiters
          .computeIfAbsent(await.call(), _ -> new ArrayList<>(1))
          .add(new Waiter(await, now.plus(await.patience())));
    }
  }

  private void nothing(Await await) {
    Call call = mailbox.call(await.call());
    int unfinished = call == null ? 0 : call.outstanding();
    await
        .replyTo()
        .tell(new AwaitReply.Outputs(List.of(), last(await.wanted(), List.of()), unfinished));
  }

  /**
   * Answers from memory; false where there is nothing to say yet.
   *
   * @param logRead what is in the log alone was looked for there
   */
  private boolean answer(Call call, Await await, boolean logRead, Instant now) {
    int most = Math.max(1, await.most());
    List<Call.Output> found =
        switch (await.wanted()) {
          case Wanted.After(var number) ->
              behind(call, await.wanted())
                  ? List.<Call.Output>of()
                  : call.readableAfter(number, most);
          case Wanted.Range(var first, var last) -> call.readableOf(first, last, most);
        };
    if (found.isEmpty()) {
      if (call.complete() && (logRead || !behind(call, await.wanted())) && !pending(call, await)) {
        nothing(await);
        return true;
      }
      return false;
    }
    List<OutputRow> outputs = bounded(found.stream().map(Call.Output::row).toList());
    if (await.clear()) {
      take(found.subList(0, outputs.size()), now);
    }
    await
        .replyTo()
        .tell(new AwaitReply.Outputs(outputs, last(await.wanted(), outputs), call.outstanding()));
    return true;
  }

  /** Whether an output that is wanted is there, and only waits for its commit. */
  private static boolean pending(Call call, Await await) {
    return switch (await.wanted()) {
      case Wanted.After(var number) -> call.anyAfter(number);
      case Wanted.Range(var first, var last) -> call.anyOf(first, last);
    };
  }

  private static boolean behind(Call call, Wanted wanted) {
    return switch (wanted) {
      case Wanted.After(var number) -> number.compareTo(call.forgottenUpTo()) < 0;
      case Wanted.Range _ -> call.forgottenUpTo().compareTo(OutputNumber.START) > 0;
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

  /** Something of a call has changed: those who wait are answered where there is an answer. */
  void deliver(Call call, Instant now) {
    List<Waiter> waiting = waiters.get(call.id());
    if (waiting == null) {
      return;
    }
    waiting.removeIf(waiter -> answer(call, waiter.await(), true, now));
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

  /** Tells everybody who waits to ask again: the entity goes. */
  void moved() {
    waiters
        .values()
        .forEach(list -> list.forEach(at -> at.await().replyTo().tell(new AwaitReply.Away())));
    waiters.clear();
  }

  boolean hasWaiters() {
    return !waiters.isEmpty();
  }
}
