package dev.troupe.actors.function;

import dev.troupe.actors.calllog.CallRow;
import dev.troupe.actors.calllog.InputRow;
import dev.troupe.actors.calllog.LeaseMark;
import dev.troupe.actors.calllog.LeaseToken;
import dev.troupe.actors.calllog.OutputNumber;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.function.FunctionProtocol.NewInput;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.InputId;
import dev.troupe.actors.id.TaskId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The calls and inputs of one function in the memory of its owner. Pure: no clock, no I/O, no
 * actor; what is to be durable the caller writes to the call log. Mutable, since it is neither
 * journaled nor shared, and one function takes thousands of inputs a second.
 *
 * <p>Only the head of a long mailbox is here. Once {@code headLimit} inputs wait, further ones stay
 * in the log alone (the <em>tail</em>) until {@link #wantsPage} asks for them; while there is a
 * tail every new input joins it, so that the order holds.
 */
final class Mailbox {

  /** Finished calls kept at hand for repeats and late readers; older ones are in the log. */
  static final int FINISHED_CALLS_KEPT = 10_000;

  private final long epoch;
  private final int headLimit;
  private long lastPosition;
  private long lastToken;
  private long lastOutput;

  private final Map<CallId, Call> calls = new HashMap<>();
  private final LinkedHashMap<CallId, Call> finishedCalls = new LinkedHashMap<>();
  private final Map<InputId, Input> inputs = new HashMap<>();
  private final TreeMap<Long, Input> ready = new TreeMap<>();
  private final PriorityQueue<Input> delayed =
      new PriorityQueue<>(Comparator.comparing(Input::notBefore));
  private long headEnd;
  private int tail;
  private int running;
  private long outputBytes;

  Mailbox(long epoch, long lastPosition, int headLimit) {
    this.epoch = epoch;
    this.lastPosition = lastPosition;
    this.headEnd = lastPosition;
    this.headLimit = headLimit;
  }

  long epoch() {
    return epoch;
  }

  // ---- calls

  @Nullable Call call(CallId id) {
    return calls.get(id);
  }

  Call open(CallRow row) {
    Call call = Call.fresh(row);
    calls.put(row.call(), call);
    return call;
  }

  /** Takes in a call found in the log. */
  Call adopt(CallRow row, int known, int finished) {
    return calls.computeIfAbsent(row.call(), _ -> Call.loaded(row, known, finished, epoch));
  }

  /** Forgets a call whose first write failed, and its inputs. */
  void withdraw(Call call) {
    calls.remove(call.id());
    finishedCalls.remove(call.id());
    for (Input input : inputsOf(call)) {
      drop(input);
    }
  }

  /** Forgets an input whose first write failed. */
  void withdraw(Input input) {
    if (inputs.containsKey(input.id())) {
      drop(input);
    } else {
      tail = Math.max(0, tail - 1);
    }
    input.call().unlearn(input.id().index());
  }

  Collection<Call> calls() {
    return calls.values();
  }

  /** Calls that are complete stay a while; those that fall out are in the log. */
  void settle(Call call) {
    if (!call.complete()) {
      return;
    }
    finishedCalls.put(call.id(), call);
    while (finishedCalls.size() > FINISHED_CALLS_KEPT) {
      Call oldest = finishedCalls.pollFirstEntry().getValue();
      calls.remove(oldest.id());
      outputBytes -= oldest.bytesAtHand();
    }
  }

  /** Leaves durable outputs to the log once more than {@code limit} bytes of them are at hand. */
  void trimOutputs(long limit) {
    if (outputBytes <= limit) {
      return;
    }
    for (Call call : calls.values()) {
      outputBytes -= call.forgetDurable();
      if (outputBytes <= limit / 2) {
        return;
      }
    }
  }

  int unfinishedCalls() {
    return calls.size() - finishedCalls.size();
  }

  // ---- inputs

  /**
   * Adds an input; null where its index came before. One that joins the tail is given to be written
   * and is not kept.
   */
  @Nullable Input add(Call call, NewInput input, Instant now) {
    if (!call.learn(input.index())) {
      return null;
    }
    lastPosition++;
    Input added =
        new Input(
            call,
            new InputRow(
                InputId.of(call.id(), input.index()),
                lastPosition,
                input.methodName(),
                input.payload(),
                0,
                0,
                null,
                now));
    if (tail > 0 || ready.size() >= headLimit) {
      tail++;
    } else {
      headEnd = lastPosition;
      inputs.put(added.id(), added);
      ready.put(added.position(), added);
    }
    return added;
  }

  /** Takes in an input found in the log: leased where it has a mark, else waiting. */
  void adopt(InputRow row) {
    Call call = calls.get(row.input().call());
    if (call == null || inputs.containsKey(row.input())) {
      return;
    }
    Input input = new Input(call, row);
    inputs.put(input.id(), input);
    if (row.lease() == null) {
      ready.put(input.position(), input);
      headEnd = Math.max(headEnd, input.position());
    } else {
      running++;
    }
  }

  /** Says how many inputs are in the log behind those adopted. */
  void tail(int count, long headEndsAt) {
    tail = count;
    headEnd = headEndsAt;
  }

  /** Whether the next page of the tail should be read now. */
  boolean wantsPage() {
    return tail > 0 && ready.size() < headLimit / 4;
  }

  /** The position behind which the tail begins. */
  long headEnd() {
    return headEnd;
  }

  int tail() {
    return tail;
  }

  /** Takes in a page of the tail. */
  void page(List<InputRow> rows) {
    for (InputRow row : rows) {
      if (row.position() > headEnd) {
        tail--;
        headEnd = row.position();
        adopt(row);
      }
    }
  }

  @Nullable Input input(InputId id) {
    return inputs.get(id);
  }

  List<Input> inputsOf(Call call) {
    List<Input> found = new ArrayList<>();
    if (call.row().kind() == CallRow.Kind.UNARY) {
      Input only = inputs.get(InputId.of(call.id(), 0));
      if (only != null) {
        found.add(only);
      }
      return found;
    }
    for (Input input : inputs.values()) {
      if (input.call() == call) {
        found.add(input);
      }
    }
    return found;
  }

  Collection<Input> inputs() {
    return inputs.values();
  }

  /** Inputs that could run now; those of the tail included. */
  int waiting() {
    return ready.size() + tail;
  }

  int running() {
    return running;
  }

  /** Any input that is not finished. */
  int unfinished() {
    return inputs.size() + tail;
  }

  /** Inputs whose wait before the next run is over are ready again. */
  void wake(Instant now) {
    while (!delayed.isEmpty() && !delayed.peek().notBefore().isAfter(now)) {
      Input due = delayed.poll();
      ready.put(due.position(), due);
    }
  }

  /** When the next delayed input is due; null when none waits. */
  @Nullable Instant nextDue() {
    Input next = delayed.peek();
    return next == null ? null : next.notBefore();
  }

  /** Leases up to {@code most} waiting inputs of one method, in order, to a container. */
  List<Input> lease(TaskId task, int most, Instant now) {
    List<Input> taken = new ArrayList<>();
    for (Input input : ready.values()) {
      if (taken.size() == most) {
        break;
      }
      if (taken.isEmpty() || taken.getFirst().methodName().equals(input.methodName())) {
        taken.add(input);
      }
    }
    for (Input input : taken) {
      ready.remove(input.position());
      lastToken++;
      input.leased(new LeaseMark(new LeaseToken(epoch, lastToken), task, now));
      running++;
    }
    return taken;
  }

  /** Takes an input from its container: its run is over, the counts are as given. */
  void spend(Input input, int attempts, int lost) {
    if (input.lease() != null) {
      running--;
    }
    input.spent(attempts, lost, Instant.MAX);
  }

  /** Lets a spent input run again, not before {@code notBefore}. */
  void again(Input input, Instant notBefore, Instant now) {
    if (!inputs.containsKey(input.id()) || input.lease() != null) {
      return;
    }
    input.runsNotBefore(notBefore);
    if (notBefore.isAfter(now)) {
      delayed.add(input);
    } else {
      ready.put(input.position(), input);
    }
  }

  /** Ends an input. */
  Call.Output finish(Input input, OutputRow output) {
    drop(input);
    Call.Output entry = input.call().finish(output);
    outputBytes += Call.bytes(output);
    settle(input.call());
    return entry;
  }

  private void drop(Input input) {
    if (inputs.remove(input.id()) == null) {
      return;
    }
    if (input.lease() != null) {
      running--;
    } else if (ready.remove(input.position()) == null) {
      delayed.remove(input);
    }
  }

  /** The number of the next output: greater than any given in this epoch. */
  OutputNumber nextOutput() {
    lastOutput++;
    return new OutputNumber(epoch, lastOutput);
  }
}
