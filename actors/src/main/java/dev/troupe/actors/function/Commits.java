package dev.troupe.actors.function;

import dev.troupe.actors.calllog.CallLog;
import dev.troupe.actors.calllog.CallLog.Written;
import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.actors.id.FunctionId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * Gathers what one command writes, gives it to the call log as one write when the command is done,
 * and does what waits for its commit. New inputs are turned into rows last, so that an input leased
 * by the command that brought it needs no second write.
 */
final class Commits {

  private final FunctionId function;
  private final long epoch;
  private final CallLog log;
  private final BiConsumer<Long, CompletionStage<Written>> pipe;

  private List<LogWrite> writes = new ArrayList<>();
  private List<Input> fresh = new ArrayList<>();
  private List<Consumer<Written>> then = new ArrayList<>();
  private boolean refusable;

  private final Map<Long, Pending> pending = new HashMap<>();
  private long lastTicket;

  /** A write under way: kept whole, since one that must not fail is given again. */
  private record Pending(
      List<LogWrite> writes, List<Consumer<Written>> then, boolean refusable, int tries) {}

  // A store that fails for good fails the same write again at once; one that stumbled does not.
  private static final int MOST_FAILED_TRIES = 5;

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
    writes.add(write);
  }

  void fresh(Input input) {
    fresh.add(input);
  }

  /** Whether this input's row is still to be written by the command under way. */
  boolean isFresh(Input input) {
    // Few are: those of one request, and only while it is handled.
    return fresh.contains(input);
  }

  /**
   * What to do with the result. A {@code mayRefuse} command is told of every refusal and undoes
   * what it did; others are written until they are through or fenced.
   */
  void then(boolean mayRefuse, Consumer<Written> action) {
    refusable |= mayRefuse;
    then.add(action);
  }

  /** Gives what was gathered to the log. To be called at the end of every command. */
  void flush() {
    if (writes.isEmpty() && fresh.isEmpty()) {
      List<Consumer<Written>> actions = then;
      then = new ArrayList<>();
      refusable = false;
      // Nothing to wait for.
      actions.forEach(action -> action.accept(new Written.Done()));
      return;
    }
    for (Input input : fresh) {
      writes.add(new LogWrite.NewInput(input.row()));
    }
    lastTicket++;
    pending.put(lastTicket, new Pending(writes, then, refusable, 0));
    pipe.accept(lastTicket, log.write(function, epoch, writes));
    writes = new ArrayList<>();
    fresh = new ArrayList<>();
    then = new ArrayList<>();
    refusable = false;
  }

  /** Writes under way. */
  int underWay() {
    return pending.size();
  }

  /** Whether this write must be given again: it may not be refused, and was only put off. */
  boolean putOff(long ticket, Written written) {
    Pending write = pending.get(ticket);
    return write != null
        && !write.refusable()
        && (written instanceof Written.Overloaded
            || (written instanceof Written.Failed && write.tries() < MOST_FAILED_TRIES));
  }

  /** Gives a write that was put off to the log again. */
  void again(long ticket) {
    Pending write = pending.get(ticket);
    if (write != null) {
      pending.put(
          ticket, new Pending(write.writes(), write.then(), write.refusable(), write.tries() + 1));
      pipe.accept(ticket, log.write(function, epoch, write.writes()));
    }
  }

  /** A write is decided: does what waited for it. */
  void decided(long ticket, Written written) {
    Pending write = pending.remove(ticket);
    if (write != null) {
      write.then().forEach(action -> action.accept(written));
    }
  }
}
