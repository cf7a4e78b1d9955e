package dev.troupe.actors.testing;

import dev.troupe.actors.blob.Payload;
import dev.troupe.actors.calllog.CallLog.CallSummary;
import dev.troupe.actors.calllog.CallLog.Loaded;
import dev.troupe.actors.calllog.CallLog.Written;
import dev.troupe.actors.calllog.CallRow;
import dev.troupe.actors.calllog.InputRow;
import dev.troupe.actors.calllog.LeaseMark;
import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.actors.calllog.OutputNumber;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.id.BlobId;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.InputId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The rows of one function in an {@link InMemoryCallLog}, which guards them. */
final class FunctionRows {

  private final FunctionId function;
  private long epoch;
  private final Map<CallId, CallRows> calls = new LinkedHashMap<>();
  private final TreeMap<Long, InputRow> waiting = new TreeMap<>();
  private final TreeMap<Long, InputRow> marked = new TreeMap<>();

  private static final class CallRows {
    private CallRow row;
    private int forgotten;
    private final Map<Integer, InputRow> unfinished = new HashMap<>();
    private final TreeMap<OutputNumber, OutputRow> outputs = new TreeMap<>();
    private final TreeMap<Integer, OutputRow> byIndex = new TreeMap<>();

    // Payloads of inputs that ended: their blobs are the next sweep's.
    private final List<BlobId> spentBlobs = new ArrayList<>();

    CallRows(CallRow row) {
      this.row = row;
    }

    boolean knows(int index) {
      return unfinished.containsKey(index) || byIndex.containsKey(index);
    }

    CallSummary summary() {
      int finished = forgotten + byIndex.size();
      return new CallSummary(row, finished + unfinished.size(), finished);
    }

    boolean open() {
      return row.total() < 0 && !row.cancelled();
    }
  }

  FunctionRows(FunctionId function) {
    this.function = function;
  }

  FunctionId function() {
    return function;
  }

  long epoch() {
    return epoch;
  }

  long raiseEpoch() {
    epoch++;
    return epoch;
  }

  // ---- writing

  /** Writes all, or nothing. */
  Written write(List<LogWrite> writes) {
    Set<Object> made = new HashSet<>();
    for (LogWrite write : writes) {
      CallId call = callOf(write);
      if (call != null && !call.function().equals(function)) {
        return new Written.Failed("a change of another function");
      }
      boolean duplicate =
          switch (write) {
            case LogWrite.NewCall(var row) ->
                calls.containsKey(row.call()) || !made.add(row.call());
            case LogWrite.NewInput(var row) -> knows(row.input()) || !made.add(row.input());
            case LogWrite.Total _,
                LogWrite.Cancelled _,
                LogWrite.Leased _,
                LogWrite.Spent _,
                LogWrite.Finished _,
                LogWrite.Cleared _ ->
                false;
          };
      if (duplicate) {
        return new Written.Duplicate();
      }
    }
    writes.forEach(this::apply);
    return new Written.Done();
  }

  private static @Nullable CallId callOf(LogWrite write) {
    return switch (write) {
      case LogWrite.NewCall(var row) -> row.call();
      case LogWrite.NewInput(var row) -> row.input().call();
      case LogWrite.Total(var call, _) -> call;
      case LogWrite.Cancelled(var call) -> call;
      case LogWrite.Leased(var input, _) -> input.call();
      case LogWrite.Spent(var input, _, _) -> input.call();
      case LogWrite.Finished(var output) -> output.input().call();
      case LogWrite.Cleared(var inputs, _) -> inputs.isEmpty() ? null : inputs.getFirst().call();
    };
  }

  private boolean knows(InputId input) {
    CallRows call = calls.get(input.call());
    return call != null && call.knows(input.index());
  }

  private void apply(LogWrite write) {
    switch (write) {
      case LogWrite.NewCall(var row) -> calls.put(row.call(), new CallRows(row));
      case LogWrite.NewInput(var row) -> newInput(row);
      case LogWrite.Total(var id, var total) -> {
        CallRows call = calls.get(id);
        if (call != null) {
          call.row = with(call.row, total, call.row.cancelled());
        }
      }
      case LogWrite.Cancelled(var id) -> {
        CallRows call = calls.get(id);
        if (call != null) {
          call.row = with(call.row, call.row.total(), true);
        }
      }
      case LogWrite.Leased(var input, var mark) -> leased(input, mark);
      case LogWrite.Spent(var input, var attempts, var lost) -> spent(input, attempts, lost);
      case LogWrite.Finished(var output) -> finished(output);
      case LogWrite.Cleared(var inputs, var at) -> inputs.forEach(input -> cleared(input, at));
    }
  }

  private static CallRow with(CallRow row, int total, boolean cancelled) {
    return new CallRow(row.call(), row.kind(), row.invocation(), total, cancelled, row.createdAt());
  }

  private void newInput(InputRow row) {
    CallRows call = calls.get(row.input().call());
    if (call == null) {
      throw new IllegalStateException("an input of no call: " + row.input());
    }
    call.unfinished.put(row.input().index(), row);
    place(row);
  }

  private void place(InputRow row) {
    TreeMap<Long, InputRow> to = row.lease() == null ? waiting : marked;
    InputRow other = to.put(row.position(), row);
    if (other != null) {
      throw new IllegalStateException("two inputs at one position: " + other + ", " + row);
    }
  }

  private void replace(@Nullable InputRow before, InputRow after) {
    CallRows call = calls.get(after.input().call());
    if (before != null && call != null) {
      (before.lease() == null ? waiting : marked).remove(before.position());
      call.unfinished.put(after.input().index(), after);
      place(after);
    }
  }

  private void leased(InputId id, LeaseMark mark) {
    input(id).ifPresent(at -> replace(at, changed(at, at.attempts(), at.lost(), mark)));
  }

  private void spent(InputId id, int attempts, int lost) {
    input(id).ifPresent(at -> replace(at, changed(at, attempts, lost, null)));
  }

  private static InputRow changed(InputRow at, int attempts, int lost, @Nullable LeaseMark lease) {
    return new InputRow(
        at.input(),
        at.position(),
        at.methodName(),
        at.payload(),
        attempts,
        lost,
        lease,
        at.createdAt());
  }

  /** The first output stands; of an input that is not there nothing is kept. */
  private void finished(OutputRow output) {
    CallRows call = calls.get(output.input().call());
    InputRow row = call == null ? null : call.unfinished.remove(output.input().index());
    if (call == null || row == null) {
      return;
    }
    (row.lease() == null ? waiting : marked).remove(row.position());
    call.outputs.put(output.number(), output);
    call.byIndex.put(output.input().index(), output);
    addBlobs(row.payload(), call.spentBlobs);
  }

  private void cleared(InputId input, Instant at) {
    CallRows call = calls.get(input.call());
    OutputRow row = call == null ? null : call.byIndex.get(input.index());
    if (call == null || row == null || row.clearedAt() != null) {
      return;
    }
    OutputRow after =
        new OutputRow(
            row.input(),
            row.number(),
            row.status(),
            row.result(),
            row.message(),
            row.dataFormat(),
            row.task(),
            row.startedAt(),
            row.createdAt(),
            at);
    call.outputs.put(row.number(), after);
    call.byIndex.put(input.index(), after);
  }

  // ---- reading

  Optional<InputRow> input(InputId id) {
    CallRows call = calls.get(id.call());
    return call == null ? Optional.empty() : Optional.ofNullable(call.unfinished.get(id.index()));
  }

  Loaded load(Instant recentSince, int limit) {
    List<CallSummary> found =
        calls.values().stream()
            .filter(
                call ->
                    call.open()
                        || !call.unfinished.isEmpty()
                        || !call.row.createdAt().isBefore(recentSince))
            .map(CallRows::summary)
            .toList();
    long last =
        Math.max(
            waiting.isEmpty() ? 0 : waiting.lastKey(), marked.isEmpty() ? 0 : marked.lastKey());
    return new Loaded(
        found, List.copyOf(marked.values()), waiting.values().stream().limit(limit).toList(), last);
  }

  List<InputRow> waitingAfter(long position, int limit) {
    return waiting.tailMap(position, false).values().stream().limit(limit).toList();
  }

  Optional<CallSummary> summary(CallId id) {
    return Optional.ofNullable(calls.get(id)).map(CallRows::summary);
  }

  List<OutputRow> outputsAfter(CallId id, OutputNumber after, int limit) {
    CallRows call = calls.get(id);
    return call == null
        ? List.of()
        : call.outputs.tailMap(after, false).values().stream().limit(limit).toList();
  }

  List<OutputRow> outputsOf(CallId id, int first, int last) {
    CallRows call = calls.get(id);
    return call == null
        ? List.of()
        : List.copyOf(call.byIndex.subMap(first, true, last, true).values());
  }

  boolean anyUnfinished() {
    return !waiting.isEmpty() || !marked.isEmpty();
  }

  // ---- sweeping

  void sweep(Instant clearedBefore, Instant finishedBefore, Set<BlobId> given) {
    calls.values().removeIf(call -> sweep(call, clearedBefore, finishedBefore, given));
  }

  /** True where nothing of the call is left to ask for. */
  private static boolean sweep(
      CallRows call, Instant clearedBefore, Instant finishedBefore, Set<BlobId> given) {
    given.addAll(call.spentBlobs);
    call.spentBlobs.clear();
    for (OutputRow row : List.copyOf(call.outputs.values())) {
      if (row.clearedAt() != null && row.clearedAt().isBefore(clearedBefore)) {
        call.outputs.remove(row.number());
        call.byIndex.remove(row.input().index());
        call.forgotten++;
        addBlobs(row.result(), given);
      }
    }
    boolean collected = call.row.total() >= 0 && call.forgotten >= call.row.total();
    boolean old =
        call.unfinished.isEmpty()
            && call.row.createdAt().isBefore(finishedBefore)
            && call.outputs.values().stream()
                .allMatch(row -> row.createdAt().isBefore(finishedBefore));
    if (old) {
      call.outputs.values().forEach(row -> addBlobs(row.result(), given));
    }
    return (collected && call.forgotten > 0) || old;
  }

  Set<BlobId> owned() {
    Set<BlobId> owned = new LinkedHashSet<>();
    for (CallRows call : calls.values()) {
      owned.addAll(call.spentBlobs);
      call.unfinished.values().forEach(row -> addBlobs(row.payload(), owned));
      call.outputs.values().forEach(row -> addBlobs(row.result(), owned));
    }
    return owned;
  }

  private static void addBlobs(@Nullable Payload payload, Collection<BlobId> blobs) {
    if (payload != null && payload.stored() != null) {
      blobs.add(payload.stored());
    }
    if (payload != null && payload.attached() != null) {
      blobs.add(payload.attached());
    }
  }
}
