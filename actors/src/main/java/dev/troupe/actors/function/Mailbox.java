package dev.troupe.actors.function;

import dev.troupe.actors.calllog.CallRow;
import dev.troupe.actors.calllog.InputRow;
import dev.troupe.actors.calllog.LeaseMark;
import dev.troupe.actors.calllog.LeaseToken;
import dev.troupe.actors.calllog.OutputNumber;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.function.FunctionProtocol.NewInput;
import dev.troupe.actors.function.Input.Standing;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.InputId;
import dev.troupe.actors.id.TaskId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The calls and inputs of one function in the memory of its owner. Pure: no clock, no I/O, no
 * actor; what is to be durable the caller writes to the call log. Mutable, since it is neither
 * journaled nor shared, and one function takes thousands of inputs a second.
 *
 * <p>Only the head of a long mailbox is here. Once {@code headLimit} inputs wait, further ones stay
 * in the log alone (the <em>tail</em>) until {@link #wantsPage} asks for them; while there is a
 * tail every new input joins it, so that the order holds. The tail is what the log has waiting
 * behind {@code headEnd}, whatever of it is committed yet.
 */
final class Mailbox {

  /** Settled calls kept at hand for repeats and late readers; older ones are in the log. */
  static final int SETTLED_CALLS_KEPT = 10_000;

  /** Payload bytes in one lease: it must fit a cluster message. */
  static final int LEASE_BYTES = 384 << 10;

  // Inputs of other methods that a batch looks past for more of its own.
  private static final int BATCH_REACH = 1_000;

  private final long epoch;
  private final int headLimit;
  private long lastPosition;
  private long lastToken;
  private long lastOutput;

  private final Map<CallId, Call> calls = new HashMap<>();
  private final LinkedHashMap<CallId, Call> settledCalls = new LinkedHashMap<>();
  private final Map<InputId, Input> inputs = new HashMap<>();
  private final TreeMap<Long, Input> ready = new TreeMap<>();
  private final PriorityQueue<Input> delayed =
      new PriorityQueue<>(Comparator.comparing(Input::notBefore));
  private long headEnd;
  private int tail;
  // Positions behind the head's end of inputs that are at hand all the same: those found leased.
  private final Set<Long> ahead = new HashSet<>();
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

  /** Forgets a call that was never taken in. */
  void withdraw(Call call) {
    calls.remove(call.id(), call);
    settledCalls.remove(call.id(), call);
  }

  Collection<Call> calls() {
    return calls.values();
  }

  /** Calls that are done and durable stay a while; those that fall out are in the log. */
  void settle(Call call) {
    if (!call.settled() || !calls.containsKey(call.id())) {
      return;
    }
    settledCalls.putIfAbsent(call.id(), call);
    while (settledCalls.size() > SETTLED_CALLS_KEPT) {
      Call oldest = settledCalls.pollFirstEntry().getValue();
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

  // ---- inputs that come

  /**
   * Adds an input; null where its index is known to have come before. One that joins the tail is
   * given to be written and is not kept. One of a call found in the log may be a repeat that only
   * the log can tell: it waits for its commit before it may run.
   */
  @Nullable Input add(Call call, NewInput input, Instant now) {
    InputId id = InputId.of(call.id(), input.index());
    if (inputs.containsKey(id) || !call.learn(input.index())) {
      return null;
    }
    lastPosition++;
    InputRow row =
        new InputRow(id, lastPosition, input.methodName(), input.payload(), 0, 0, null, now);
    Input added = new Input(call, row);
    if (tail > 0 || ready.size() >= headLimit) {
      added.stands(Standing.TAIL);
      tail++;
      return added;
    }
    headEnd = lastPosition;
    inputs.put(id, added);
    if (!call.wasLoaded()) {
      ready(added);
    }
    return added;
  }

  /** The first write of an input is through. */
  void committed(Input input) {
    input.committed();
    Call.Output output = input.output();
    if (output != null) {
      output.inputCommitted();
    } else if (input.standing() == Standing.PARKED) {
      ready(input);
    }
  }

  /** Forgets an input whose first write was refused, whatever it has come to. */
  void withdraw(Input input) {
    Call.Output output = input.output();
    if (output != null) {
      outputBytes -= Call.bytes(output.row());
      input.call().takeBack(output);
    }
    drop(input);
    input.call().unlearn(input.id().index());
  }

  /** Takes in an input found in the log; null where it is at hand, or of no call. */
  @Nullable Input adopt(InputRow row) {
    Call call = calls.get(row.input().call());
    if (call == null || inputs.containsKey(row.input())) {
      return null;
    }
    Input input = new Input(call, row);
    input.committed();
    inputs.put(input.id(), input);
    if (row.lease() == null) {
      ready(input);
    } else {
      input.stands(Standing.LEASED);
      running++;
    }
    return input;
  }

  /** Says that {@code count} waiting inputs are in the log behind {@code headEndsAt}. */
  void tail(int count, long headEndsAt) {
    tail = count;
    headEnd = headEndsAt;
    for (Input input : inputs.values()) {
      if (input.position() > headEndsAt) {
        ahead.add(input.position());
      }
    }
  }

  /** Whether the next page of the tail should be read now. */
  boolean wantsPage() {
    return tail > 0 && ready.size() < Math.max(1, headLimit / 4);
  }

  /** The position behind which the tail begins. */
  long headEnd() {
    return headEnd;
  }

  int tail() {
    return tail;
  }

  /** Takes in a page of the tail; gives the inputs that are at hand now. */
  List<Input> page(List<InputRow> rows) {
    List<Input> paged = new ArrayList<>(rows.size());
    for (InputRow row : rows) {
      if (row.position() <= headEnd) {
        continue;
      }
      headEnd = row.position();
      if (!ahead.remove(row.position())) {
        tail = Math.max(0, tail - 1);
        Input input = adopt(row);
        if (input != null) {
          paged.add(input);
        }
      }
    }
    return paged;
  }

  // ---- inputs at hand

  @Nullable Input input(InputId id) {
    return inputs.get(id);
  }

  List<Input> inputsOf(Call call) {
    List<Input> found = new ArrayList<>();
    if (call.row().kind() == CallRow.Kind.UNARY && call.known() == 1) {
      Input only = inputs.get(InputId.of(call.id(), 0));
      if (only != null) {
        found.add(only);
        return found;
      }
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

  /** Whether a container could be given an input. */
  boolean hasReady() {
    return !ready.isEmpty();
  }

  /** Inputs that could run now; those of the tail included. */
  int waiting() {
    return ready.size() + tail;
  }

  /** How long the first of those that could run has waited; zero where there is none. */
  Duration longestWait(Instant now) {
    if (ready.isEmpty()) {
      return Duration.ZERO;
    }
    Duration waited = Duration.between(ready.firstEntry().getValue().notBefore(), now);
    return waited.isNegative() ? Duration.ZERO : waited;
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
      ready(delayed.poll());
    }
  }

  /** Leases up to {@code most} waiting inputs of one method, in order, to a container. */
  List<Input> lease(TaskId task, int most, Instant now) {
    List<Input> taken = new ArrayList<>();
    int bytes = 0;
    int seen = 0;
    for (Input input : ready.values()) {
      bytes += input.payload().sizeBytes();
      if (taken.size() >= most || seen > BATCH_REACH || (seen > 0 && bytes > LEASE_BYTES)) {
        break;
      }
      seen++;
      if (taken.isEmpty() || taken.getFirst().methodName().equals(input.methodName())) {
        taken.add(input);
      } else {
        bytes -= input.payload().sizeBytes();
      }
    }
    for (Input input : taken) {
      ready.remove(input.position());
      lastToken++;
      input.leased(new LeaseMark(new LeaseToken(epoch, lastToken), task, now));
      input.stands(Standing.LEASED);
      running++;
    }
    return taken;
  }

  /** Takes an input from its container: its run is over, the counts are as given. */
  void spend(Input input, int attempts, int lost) {
    if (input.standing() == Standing.LEASED) {
      running--;
      input.spent(attempts, lost);
      input.stands(Standing.SPENT);
    }
  }

  /** Lets a spent input run again, not before {@code notBefore}. */
  void again(Input input, Instant notBefore, Instant now) {
    if (input.standing() != Standing.SPENT) {
      return;
    }
    input.runsNotBefore(notBefore);
    if (notBefore.isAfter(now)) {
      input.stands(Standing.DELAYED);
      delayed.add(input);
    } else {
      ready(input);
    }
  }

  /** Ends an input. */
  Call.Output finish(Input input, OutputRow output) {
    drop(input);
    Call.Output entry = input.call().finish(output, input.durable());
    input.output(entry);
    outputBytes += Call.bytes(output);
    return entry;
  }

  private void ready(Input input) {
    input.stands(Standing.READY);
    ready.put(input.position(), input);
  }

  private void drop(Input input) {
    switch (input.standing()) {
      case LEASED -> running--;
      case READY -> ready.remove(input.position());
      case DELAYED -> delayed.remove(input);
      case TAIL -> tail--;
      case PARKED, SPENT, GONE -> {}
    }
    input.stands(Standing.GONE);
    inputs.remove(input.id(), input);
  }

  /** The number of the next output: greater than any given in this epoch. */
  OutputNumber nextOutput() {
    lastOutput++;
    return new OutputNumber(epoch, lastOutput);
  }
}
