package dev.troupe.actors.function;

import dev.troupe.actors.calllog.CallLog;
import dev.troupe.actors.calllog.CallLog.Written;
import dev.troupe.actors.calllog.CallRow;
import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.InputId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;

/**
 * Gathers what one command writes, gives it to the call log as one write when the command is done,
 * and does what waits for its commit. New inputs are turned into rows last, so that an input leased
 * by the command that brought it needs no second write; they are written before anything that
 * became of them.
 */
final class Commits {

  /** What waits for a commit. */
  interface Then {
    void decided(Written written, Instant now);
  }

  // A store that fails for good fails the same write again at once; one that stumbled does not.
  private static final int MOST_FAILED_TRIES = 5;

  private final FunctionId function;
  private final long epoch;
  private final CallLog log;
  private final BiConsumer<Long, CompletionStage<Written>> pipe;

  private final List<LogWrite> opened = new ArrayList<>();
  private final List<Input> fresh = new ArrayList<>();
  private final List<LogWrite> changes = new ArrayList<>();
  private final List<Then> afterwards = new ArrayList<>();
  private List<Then> then = new ArrayList<>();
  private boolean refusable;

  private final Map<Long, Pending> pending = new LinkedHashMap<>();
  private long lastTicket;

  /** A write under way: kept whole, since one that must not fail is given again. */
  private record Pending(
      List<LogWrite> writes, List<Then> then, boolean refusable, int failedTries) {

    Pending without(Set<InputId> inputs) {
      List<LogWrite> left = writes.stream().filter(write -> !isAbout(write, inputs)).toList();
      return left.size() == writes.size() ? this : new Pending(left, then, refusable, failedTries);
    }
  }

  /** Waits for several writes; hears of a refusal if there is one. */
  private static final class Barrier implements Then {
    private final Then action;
    private int left;
    private Written worst = new Written.Done();

    Barrier(Then action, int left) {
      this.action = action;
      this.left = left;
    }

    @Override
    public void decided(Written written, Instant now) {
      if (!(written instanceof Written.Done || written instanceof Written.Duplicate)) {
        worst = written;
      }
      left--;
      if (left == 0) {
        action.decided(worst, now);
      }
    }
  }

  /** {@code pipe} brings the result of a write back to the actor, under its ticket. */
  Commits(
      FunctionId function,
      long epoch,
      CallLog log,
      BiConsumer<Long, CompletionStage<Written>> pipe) {
    this.function = function;
    this.epoch = epoch;
    this.log = log;
    this.pipe = pipe;
  }

  void add(LogWrite write) {
    changes.add(write);
  }

  /** A new call, written before its inputs. */
  void open(CallRow row) {
    opened.add(new LogWrite.NewCall(row));
  }

  /** A new input, written as it is at the end of the command. */
  void fresh(Input input) {
    input.fresh(true);
    fresh.add(input);
  }

  /**
   * What to do with the result. A {@code mayRefuse} command is told of every refusal and undoes
   * what it did; others are written until they are through or fenced.
   */
  void then(boolean mayRefuse, Then action) {
    refusable |= mayRefuse;
    then.add(action);
  }

  /**
   * What to do once all is decided that was given to the log so far, and by this command. A command
   * that repeats an earlier one must not be answered before that one is durable.
   */
  void afterAll(Then action) {
    afterwards.add(action);
  }

  /** Gives what was gathered to the log. To be called at the end of every command. */
  void flush(Instant now) {
    List<Then> actions = then;
    boolean mayRefuse = refusable;
    then = new ArrayList<>();
    refusable = false;
    List<LogWrite> writes = gathered();
    if (!writes.isEmpty()) {
      lastTicket++;
      pending.put(lastTicket, new Pending(writes, actions, mayRefuse, 0));
    }
    List<Then> last = List.copyOf(afterwards);
    afterwards.clear();
    last.forEach(action -> await(action, now));
    if (writes.isEmpty()) {
      // Nothing to wait for.
      actions.forEach(action -> action.decided(new Written.Done(), now));
    } else {
      pipe.accept(lastTicket, log.write(function, epoch, writes));
    }
  }

  private List<LogWrite> gathered() {
    List<LogWrite> writes = new ArrayList<>(opened.size() + fresh.size() + changes.size());
    writes.addAll(opened);
    for (Input input : fresh) {
      input.fresh(false);
      writes.add(new LogWrite.NewInput(input.row()));
    }
    writes.addAll(changes);
    opened.clear();
    fresh.clear();
    changes.clear();
    return writes;
  }

  private void await(Then action, Instant now) {
    if (pending.isEmpty()) {
      action.decided(new Written.Done(), now);
      return;
    }
    Barrier barrier = new Barrier(action, pending.size());
    pending.values().forEach(write -> write.then().add(barrier));
  }

  /** Writes under way. */
  int underWay() {
    return pending.size();
  }

  /** Whether this write must be given again: it may not be refused, and was only put off. */
  boolean putOff(long ticket, Written written) {
    Pending write = pending.get(ticket);
    if (write == null || write.refusable()) {
      return false;
    }
    if (written instanceof Written.Failed && write.failedTries() < MOST_FAILED_TRIES) {
      pending.replace(
          ticket, new Pending(write.writes(), write.then(), false, write.failedTries() + 1));
      return true;
    }
    return written instanceof Written.Overloaded;
  }

  /** Gives a write that was put off to the log again. */
  void again(long ticket) {
    Pending write = pending.get(ticket);
    if (write != null) {
      pipe.accept(ticket, log.write(function, epoch, write.writes()));
    }
  }

  /**
   * Forgets what is still to be written about inputs that were never taken in. They may come again,
   * and what is put off from before must not be taken for theirs.
   */
  void forget(Set<InputId> inputs) {
    if (!inputs.isEmpty()) {
      changes.removeIf(write -> isAbout(write, inputs));
      pending.replaceAll((_, write) -> write.without(inputs));
    }
  }

  private static boolean isAbout(LogWrite write, Set<InputId> inputs) {
    return switch (write) {
      case LogWrite.Leased(var input, _) -> inputs.contains(input);
      case LogWrite.Spent(var input, _, _) -> inputs.contains(input);
      case LogWrite.Finished(var output) -> inputs.contains(output.input());
      case LogWrite.Cleared(var cleared, _) -> inputs.containsAll(cleared);
      case LogWrite.NewInput _, LogWrite.NewCall _, LogWrite.Total _, LogWrite.Cancelled _ -> false;
    };
  }

  /** A write is decided: does what waited for it. */
  void decided(long ticket, Written written, Instant now) {
    Pending write = pending.remove(ticket);
    if (write == null) {
      return;
    }
    if (write.refusable() && !(written instanceof Written.Done)) {
      // Inputs that were at hand before the command may have been leased by it.
      write.writes().stream().filter(LogWrite.Leased.class::isInstance).forEach(changes::add);
    }
    write.then().forEach(action -> action.decided(written, now));
  }

  /** Nothing of this owner is written any more: whoever waits for a commit is told so. */
  void fenced(Instant now) {
    List.copyOf(pending.keySet()).forEach(ticket -> decided(ticket, new Written.Fenced(), now));
    changes.clear();
  }
}
