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
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The rows one transaction touches, made from the changes of a group in the order they were given.
 * Changes of one input or call that met in a group become one: under load an input is often leased
 * in the group it arrived with, and is then written once. Pure; a repeated key is not looked for
 * here, the database refuses it.
 */
final class GroupPlan {

  private final List<CallChange> calls = new ArrayList<>();
  private final Map<CallId, CallChange> callById = new LinkedHashMap<>();
  private final List<InputChange> inputs = new ArrayList<>();
  private final Map<InputId, InputChange> inputById = new LinkedHashMap<>();

  /** Adds the changes of one writer. */
  void add(long owner, FunctionId function, Collection<LogWrite> changes) {
    for (LogWrite change : changes) {
      switch (change) {
        case LogWrite.NewCall(var row) -> newCall(owner, function, row);
        case LogWrite.Total(var id, var total) -> call(owner, function, id).total = total;
        case LogWrite.Cancelled(var id) -> call(owner, function, id).cancelled = true;
        case LogWrite.NewInput(var row) -> newInput(owner, function, row);
        case LogWrite.Leased(var id, var mark) -> input(owner, function, id).leased(mark);
        case LogWrite.Spent spent -> input(owner, function, spent.input()).spent(spent);
        case LogWrite.Finished(var output) ->
            input(owner, function, output.input()).finished(output);
        case LogWrite.Cleared(var ids, var at) -> {
          for (InputId id : ids) {
            input(owner, function, id).clearedAt = at;
          }
        }
      }
    }
  }

  /** In the order in which their calls were first named. */
  List<CallChange> calls() {
    return calls;
  }

  /** In the order in which they were first named. */
  List<InputChange> inputs() {
    return inputs;
  }

  private void newCall(long owner, FunctionId function, CallRow row) {
    CallChange change = new CallChange(owner, Columns.callKey(row.call(), function), row);
    calls.add(change);
    callById.put(row.call(), change);
  }

  private CallChange call(long owner, FunctionId function, CallId id) {
    return callById.computeIfAbsent(
        id,
        _ -> {
          CallChange change = new CallChange(owner, Columns.callKey(id, function), null);
          calls.add(change);
          return change;
        });
  }

  private void newInput(long owner, FunctionId function, InputRow row) {
    InputChange change = new InputChange(owner, function, row.input(), row);
    inputs.add(change);
    inputById.put(row.input(), change);
  }

  private InputChange input(long owner, FunctionId function, InputId id) {
    return inputById.computeIfAbsent(
        id,
        _ -> {
          InputChange change = new InputChange(owner, function, id, null);
          inputs.add(change);
          return change;
        });
  }

  /** What happens to one call. */
  static final class CallChange {
    final long owner;
    final String key;
    final @Nullable CallRow insert;
    @Nullable Integer total;
    boolean cancelled;

    CallChange(long owner, String key, @Nullable CallRow insert) {
      this.owner = owner;
      this.key = key;
      this.insert = insert;
    }
  }

  /**
   * What happens to one input, in this order: it is written, a run of it is spent, it is leased, it
   * ends, its output is cleared.
   */
  static final class InputChange {
    final long owner;
    final String callKey;
    final int index;
    final @Nullable InputRow insert;
    LogWrite.@Nullable Spent spent;
    @Nullable LeaseMark lease;
    @Nullable OutputRow output;
    @Nullable Instant clearedAt;

    InputChange(long owner, FunctionId function, InputId id, @Nullable InputRow insert) {
      this.owner = owner;
      this.callKey = Columns.callKey(id, function);
      this.index = Columns.index(id);
      this.insert = insert;
      this.lease = insert == null ? null : insert.lease();
    }

    void leased(LeaseMark mark) {
      if (output == null) {
        lease = mark;
      }
    }

    void spent(LogWrite.Spent last) {
      if (output == null) {
        spent = last;
        lease = null;
      }
    }

    /** The first output stands; marks and counts of the runs before it mean nothing any more. */
    void finished(OutputRow first) {
      if (output == null) {
        output = first;
        spent = null;
        lease = null;
      }
    }
  }
}
