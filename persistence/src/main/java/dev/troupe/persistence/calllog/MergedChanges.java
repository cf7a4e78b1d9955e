package dev.troupe.persistence.calllog;

import dev.troupe.actors.calllog.CallRow;
import dev.troupe.actors.calllog.InputRow;
import dev.troupe.actors.calllog.LeaseMark;
import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.InputId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Changes of one function on their way to its tables. Those of one input or call become one: most
 * inputs come, are leased, end and are cleared within a second, and are then written once. Pure.
 *
 * <p>Merging takes changes forward: what is written for an input that was named first in one row of
 * the write-ahead log holds also what later rows say of it. To write those rows again, in their
 * order, ends in the same: counts and marks are whole values, and an output that is there stands.
 */
final class MergedChanges {

  /** What changes that came together named first, in that order. */
  static final class Touched {
    final List<CallChange> calls = new ArrayList<>();
    final List<InputChange> inputs = new ArrayList<>();

    int size() {
      return calls.size() + inputs.size();
    }

    /** Nothing merges into them from now on: they are being written, by another thread perhaps. */
    void freeze() {
      calls.forEach(change -> change.frozen = true);
      inputs.forEach(change -> change.frozen = true);
    }
  }

  private final long owner;
  private final FunctionId function;
  private final Map<CallId, CallChange> calls = new HashMap<>();
  private final Map<InputId, InputChange> inputs = new HashMap<>();

  /** For a function, and the key of its owner's row. */
  MergedChanges(long owner, FunctionId function) {
    this.owner = owner;
    this.function = function;
  }

  /** Adds changes in their order. */
  Touched add(List<LogWrite> changes) {
    Touched touched = new Touched();
    for (LogWrite change : changes) {
      switch (change) {
        case LogWrite.NewCall(var row) -> newCall(row, touched);
        case LogWrite.Total(var id, var total) -> call(id, touched).total = total;
        case LogWrite.Cancelled(var id) -> call(id, touched).cancelled = true;
        case LogWrite.NewInput(var row) -> newInput(row, touched);
        case LogWrite.Leased(var id, var mark) -> input(id, touched).leased(mark);
        case LogWrite.Spent spent -> input(spent.input(), touched).spent(spent);
        case LogWrite.Finished(var output) -> input(output.input(), touched).finished(output);
        case LogWrite.Cleared(var ids, var at) -> {
          for (InputId id : ids) {
            input(id, touched).cleared(at);
          }
        }
      }
    }
    return touched;
  }

  /** Forgets what was written: a later change of the same input begins anew. */
  void forget(Touched written) {
    written.calls.forEach(change -> calls.remove(change.id, change));
    written.inputs.forEach(change -> inputs.remove(change.id, change));
  }

  /** Whether a new call of this id is on its way, or was when what is on its way began. */
  boolean bringsCall(CallId id) {
    CallChange change = calls.get(id);
    return change != null && (change.insert != null || change.isBehindInsert);
  }

  /** Whether a new call of this id is on its way, and with it all inputs that it has. */
  boolean bringsAllOf(CallId id) {
    CallChange change = calls.get(id);
    return change != null && change.insert != null;
  }

  /** Whether a new input of this id is on its way, or was when what is on its way began. */
  boolean bringsInput(InputId id) {
    InputChange change = inputs.get(id);
    return change != null && (change.insert != null || change.isBehindInsert);
  }

  private void newCall(CallRow row, Touched touched) {
    CallChange change = new CallChange(owner, function, row.call(), row);
    calls.put(row.call(), change);
    touched.calls.add(change);
  }

  private CallChange call(CallId id, Touched touched) {
    CallChange before = calls.get(id);
    if (before != null && !before.frozen) {
      return before;
    }
    CallChange change = new CallChange(owner, function, id, null);
    change.isBehindInsert = before != null && (before.insert != null || before.isBehindInsert);
    calls.put(id, change);
    touched.calls.add(change);
    return change;
  }

  private void newInput(InputRow row, Touched touched) {
    InputChange change = new InputChange(owner, function, row.input(), row);
    inputs.put(row.input(), change);
    touched.inputs.add(change);
  }

  private InputChange input(InputId id, Touched touched) {
    InputChange before = inputs.get(id);
    if (before != null && !before.frozen) {
      return before;
    }
    InputChange change = new InputChange(owner, function, id, null);
    change.isBehindInsert = before != null && (before.insert != null || before.isBehindInsert);
    inputs.put(id, change);
    touched.inputs.add(change);
    return change;
  }

  /** What happens to one call. */
  static final class CallChange {
    final long owner;
    final CallId id;
    final String key;
    final @Nullable CallRow insert;
    @Nullable Integer total;
    boolean cancelled;
    private boolean frozen;
    private boolean isBehindInsert;

    CallChange(long owner, FunctionId function, CallId id, @Nullable CallRow insert) {
      this.owner = owner;
      this.id = id;
      this.key = Columns.callKey(id, function);
      this.insert = insert;
    }
  }

  /**
   * What happens to one input, in this order: it is written, a run of it is spent, it is leased, it
   * ends, its output is cleared.
   */
  static final class InputChange {
    final long owner;
    final InputId id;
    final String callKey;
    final int index;
    final @Nullable InputRow insert;
    LogWrite.@Nullable Spent spent;
    @Nullable LeaseMark lease;
    @Nullable OutputRow output;
    @Nullable Instant clearedAt;
    private boolean frozen;
    private boolean isBehindInsert;

    InputChange(long owner, FunctionId function, InputId id, @Nullable InputRow insert) {
      this.owner = owner;
      this.id = id;
      this.callKey = Columns.callKey(id, function);
      this.index = Columns.index(id);
      this.insert = insert;
      this.lease = insert == null ? null : insert.lease();
    }

    private void leased(LeaseMark mark) {
      if (output == null) {
        lease = mark;
      }
    }

    private void spent(LogWrite.Spent last) {
      if (output == null) {
        spent = last;
        lease = null;
      }
    }

    /** The first output stands; marks and counts of the runs before it mean nothing any more. */
    private void finished(OutputRow first) {
      if (output == null) {
        output = first;
        spent = null;
        lease = null;
        if (first.clearedAt() != null) {
          cleared(first.clearedAt());
        }
      }
    }

    /** Like the first output, the first clear stands; of an input without output it means none. */
    private void cleared(Instant at) {
      if (clearedAt == null && (insert == null || output != null)) {
        clearedAt = at;
      }
    }
  }
}
