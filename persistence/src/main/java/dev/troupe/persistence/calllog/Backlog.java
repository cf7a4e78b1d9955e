package dev.troupe.persistence.calllog;

import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.InputId;
import dev.troupe.persistence.calllog.GroupRows.Added;
import dev.troupe.persistence.calllog.MergedChanges.Touched;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What this process has committed to the write-ahead log and not yet brought to the tables. Rows of
 * a function leave in the order they came in; while they stay, later ones merge into them. Times
 * are nanoseconds of one clock. Not thread-safe.
 */
final class Backlog {

  private static final Logger log = LoggerFactory.getLogger(Backlog.class);

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
    private boolean started;
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

  /** Whether a new call of this id is among what stays, or was when what stays began. */
  boolean bringsCall(FunctionId function, CallId call) {
    OfFunction of = functions.get(function);
    return of != null && of.merged.bringsCall(call);
  }

  /** Whether a new call of this id is among what stays, and with it all inputs that it has. */
  boolean bringsAllOf(FunctionId function, CallId call) {
    OfFunction of = functions.get(function);
    return of != null && of.merged.bringsAllOf(call);
  }

  /** Whether a new input of this id is among what stays, or was when what stays began. */
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
      if (isToGo(entry)) {
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

  /** The rows of a function that are not on their way yet, oldest first. */
  List<Entry> of(FunctionId function) {
    OfFunction of = functions.get(function);
    return of == null ? List.of() : of.entries.stream().filter(entry -> !entry.started).toList();
  }

  /** The rows of functions that can go and are not on their way yet, of each oldest first. */
  List<Entry> toGo(Collection<FunctionId> wanted) {
    return wanted.stream()
        .distinct()
        .flatMap(function -> of(function).stream())
        .filter(this::isToGo)
        .toList();
  }

  /**
   * These rows are on their way to the tables by another thread: nothing merges into them any more,
   * and no later slice has them.
   */
  void start(List<Entry> slice) {
    for (Entry entry : slice) {
      entry.started = true;
      entry.touched.freeze();
    }
  }

  /** The bytes of what stays. */
  long bytes() {
    return bytes;
  }

  /** The number of the oldest row that stays; empty when none does. */
  OptionalLong oldestRow() {
    dropGone();
    return byAge.isEmpty() ? OptionalLong.empty() : OptionalLong.of(byAge.element().row);
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

  /**
   * The same, and says so. Only a bug brings us here: what doesn't fit is refused before it is
   * committed.
   */
  void refuseLoudly(FunctionId function, Exception cause) {
    log.error(
        "The tables refuse what is committed of {}; it stays in the write-ahead log, and nothing"
            + " can be written for this function",
        function,
        cause);
    refuse(function, new IllegalStateException("the store refuses changes of " + function, cause));
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

  private boolean isToGo(Entry entry) {
    return !entry.gone && !entry.started && !refused(entry);
  }

  private @Nullable Entry oldest() {
    dropGone();
    return byAge.stream().filter(this::isToGo).findFirst().orElse(null);
  }

  private void dropGone() {
    while (!byAge.isEmpty() && byAge.element().gone) {
      byAge.remove();
    }
  }
}
