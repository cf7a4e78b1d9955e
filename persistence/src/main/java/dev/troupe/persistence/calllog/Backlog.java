package dev.troupe.persistence.calllog;

import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.InputId;
import dev.troupe.persistence.calllog.GroupRows.Added;
import dev.troupe.persistence.calllog.MergedChanges.Touched;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * What this process has committed to the write-ahead log and not yet brought to the tables. Rows of
 * a function leave in the order they came in; while they stay, later ones merge into them. Times
 * are nanoseconds of one clock. Not thread-safe.
 */
final class Backlog {

  /**
   * When rows go to the tables.
   *
   * @param delayNanos how long they stay at least: the longer, the more merges
   * @param mostBytes of what stays; past this, rows go whatever their age
   * @param sliceChanges about how many changes one transaction takes along; fewer wait for as long
   *     again, since a transaction writes whole pages however few of their rows change
   */
  record Limits(long delayNanos, long mostBytes, int sliceChanges) {}

  /** One row of the write-ahead log. */
  static final class Entry {
    final FunctionId function;
    final long epoch;
    final long row;
    final long bytes;
    final long at;
    final Touched touched;
    private boolean gone;

    private Entry(FunctionId function, long epoch, long row, long bytes, long at, Touched touched) {
      this.function = function;
      this.epoch = epoch;
      this.row = row;
      this.bytes = bytes;
      this.at = at;
      this.touched = touched;
    }

    /** Whether it is in the tables. */
    boolean isGone() {
      return gone;
    }
  }

  /** What stays of one function. */
  private static final class OfFunction {
    final Deque<Entry> entries = new ArrayDeque<>();
    final MergedChanges merged;
    @Nullable Exception refusal;

    OfFunction(long owner, FunctionId function) {
      this.merged = new MergedChanges(owner, function);
    }
  }

  private final Limits limits;
  private final Deque<Entry> byAge = new ArrayDeque<>();
  private final Map<FunctionId, OfFunction> functions = new HashMap<>();
  private long bytes;

  Backlog(Limits limits) {
    this.limits = limits;
  }

  /** Adds a committed row. */
  void add(Added row, long at) {
    OfFunction of =
        functions.computeIfAbsent(row.function(), id -> new OfFunction(row.owner().id(), id));
    Entry entry =
        new Entry(
            row.function(),
            row.owner().epoch(),
            row.row(),
            row.bytes(),
            at,
            of.merged.add(row.changes()));
    of.entries.add(entry);
    byAge.add(entry);
    bytes += row.bytes();
  }

  /** Whether a new call of this id is among what stays; if so, so are all inputs that it has. */
  boolean bringsCall(FunctionId function, CallId call) {
    OfFunction of = functions.get(function);
    return of != null && of.merged.bringsCall(call);
  }

  /** Whether a new input of this id is among what stays. */
  boolean bringsInput(FunctionId function, InputId input) {
    OfFunction of = functions.get(function);
    return of != null && of.merged.bringsInput(input);
  }

  boolean has(FunctionId function) {
    return functions.containsKey(function);
  }

  /** When the oldest row is due; empty when none stays, or none that can go. */
  OptionalLong due() {
    Entry oldest = oldest();
    return oldest == null
        ? OptionalLong.empty()
        : OptionalLong.of(bytes > limits.mostBytes() ? oldest.at : latest(oldest));
  }

  /** The rows that are to go now, about as many as one transaction takes along, oldest first. */
  List<Entry> slice(long now) {
    List<Entry> slice = new ArrayList<>();
    int changes = 0;
    long left = bytes;
    for (Entry entry : byAge) {
      boolean crowded = left > limits.mostBytes();
      boolean ripe = entry.at + limits.delayNanos() <= now;
      if (!crowded && (!ripe || changes >= limits.sliceChanges())) {
        break;
      }
      if (!entry.gone && !refused(entry)) {
        slice.add(entry);
        changes += entry.touched.size();
        left -= entry.bytes;
      }
    }
    boolean worthIt =
        changes >= limits.sliceChanges()
            || bytes > limits.mostBytes()
            || (!slice.isEmpty() && latest(slice.getFirst()) <= now);
    return worthIt ? slice : List.of();
  }

  private long latest(Entry entry) {
    return entry.at + 2 * limits.delayNanos();
  }

  /** All rows of a function, oldest first. */
  List<Entry> of(FunctionId function) {
    OfFunction of = functions.get(function);
    return of == null ? List.of() : List.copyOf(of.entries);
  }

  /** These rows, the oldest of their functions, are in the tables. */
  void settled(List<Entry> slice) {
    for (Entry entry : slice) {
      OfFunction of = functions.get(entry.function);
      if (of != null && of.entries.remove(entry)) {
        of.merged.forget(entry.touched);
        leave(entry);
        if (of.entries.isEmpty()) {
          functions.remove(entry.function);
        }
      }
    }
  }

  /** Another owner has the function and has brought its rows to the tables. */
  void drop(FunctionId function) {
    OfFunction of = functions.remove(function);
    if (of != null) {
      of.entries.forEach(this::leave);
    }
  }

  /** The tables refuse this function's rows: they stay, and nothing can be added to them. */
  void refuse(FunctionId function, Exception why) {
    OfFunction of = functions.get(function);
    if (of != null) {
      of.refusal = why;
    }
  }

  /** Why the tables refuse this function's rows; null while they don't. */
  @Nullable Exception refusal(FunctionId function) {
    OfFunction of = functions.get(function);
    return of == null ? null : of.refusal;
  }

  private boolean refused(Entry entry) {
    return refusal(entry.function) != null;
  }

  private void leave(Entry entry) {
    entry.gone = true;
    bytes -= entry.bytes;
  }

  private @Nullable Entry oldest() {
    while (!byAge.isEmpty() && byAge.element().gone) {
      byAge.remove();
    }
    return byAge.stream().filter(entry -> !entry.gone && !refused(entry)).findFirst().orElse(null);
  }
}
