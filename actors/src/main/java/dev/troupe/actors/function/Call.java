package dev.troupe.actors.function;

import dev.troupe.actors.calllog.CallRow;
import dev.troupe.actors.calllog.OutputNumber;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.id.CallId;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A call in memory: its counts, and those of its outputs that are kept at hand. */
final class Call {

  private CallRow row;
  private int known;
  private int finished;
  private boolean durable;

  // Which indexes came; only for a call made by this owner. One loaded from the log relies on the
  // log's primary key.
  private final @Nullable BitSet indexes;

  private final NavigableMap<OutputNumber, Output> outputs = new TreeMap<>();
  private final Map<Integer, Output> byIndex = new HashMap<>();
  private OutputNumber forgottenUpTo = OutputNumber.START;
  private int forgotten;

  /**
   * An output at hand: {@code written} once it was given to the log, {@code durable} once its
   * commit is through.
   */
  static final class Output {
    private OutputRow row;
    private boolean written;
    private boolean durable;

    private Output(OutputRow row, boolean durable) {
      this.row = row;
      this.durable = durable;
    }

    OutputRow row() {
      return row;
    }

    boolean durable() {
      return durable;
    }

    boolean written() {
      return written;
    }

    /** The row as it goes to the log; later changes need a write of their own. */
    OutputRow rowToWrite() {
      written = true;
      return row;
    }

    void committed() {
      durable = true;
    }

    void replaceRow(OutputRow newRow) {
      row = newRow;
    }
  }

  private Call(CallRow row, int known, int finished, boolean durable, @Nullable BitSet indexes) {
    this.row = row;
    this.known = known;
    this.finished = finished;
    this.durable = durable;
    this.indexes = indexes;
  }

  /** A call that has just come. */
  static Call fresh(CallRow row) {
    return new Call(row, 0, 0, false, new BitSet());
  }

  /** A call found in the log by the owner of {@code epoch}; outputs of earlier ones are there. */
  static Call loaded(CallRow row, int known, int finished, long epoch) {
    Call call = new Call(row, known, finished, true, null);
    call.forgotten = finished;
    call.forgottenUpTo = new OutputNumber(epoch, 0);
    return call;
  }

  CallId id() {
    return row.call();
  }

  CallRow row() {
    return row;
  }

  int known() {
    return known;
  }

  int finishedCount() {
    return finished;
  }

  boolean durable() {
    return durable;
  }

  void committed() {
    durable = true;
  }

  boolean cancelled() {
    return row.cancelled();
  }

  /** Takes note of an input; false where its index came before. */
  boolean learn(int index) {
    if (indexes != null) {
      if (indexes.get(index)) {
        return false;
      }
      indexes.set(index);
    }
    known++;
    return true;
  }

  /** Takes back what {@link #learn} noted. */
  void unlearn(int index) {
    if (indexes != null) {
      indexes.clear(index);
    }
    known--;
  }

  void total(int total) {
    row =
        new CallRow(
            row.call(), row.kind(), row.invocation(), total, row.cancelled(), row.createdAt());
  }

  void cancel() {
    row = new CallRow(row.call(), row.kind(), row.invocation(), row.total(), true, row.createdAt());
  }

  /** Inputs that have no output yet, those that are known to come included. */
  int unfinished() {
    return Math.max(known, Math.max(row.total(), 0)) - finished;
  }

  /** No further output will come. */
  boolean complete() {
    return row.total() >= 0 ? finished >= row.total() : finished >= known && cancelled();
  }

  Output finish(OutputRow output) {
    Output entry = new Output(output, false);
    outputs.put(output.number(), entry);
    byIndex.put(output.input().index(), entry);
    finished++;
    return entry;
  }

  /** Outputs at hand that a reader of this call may have, wanted by index. */
  List<Output> readableOf(int first, int last, int most) {
    List<Output> found = new ArrayList<>();
    // Few at hand, or few wanted: walk the smaller side.
    if ((long) last - first < byIndex.size()) {
      for (int index = first; index <= last && found.size() < most; index++) {
        Output output = byIndex.get(index);
        if (output != null && readable(output)) {
          found.add(output);
        }
      }
    } else {
      for (Output output : outputs.values()) {
        int index = output.row().input().index();
        if (index >= first && index <= last && readable(output) && found.size() < most) {
          found.add(output);
        }
      }
    }
    return found;
  }

  /** Outputs at hand that a reader of this call may have, behind a cursor. */
  List<Output> readableAfter(OutputNumber number, int most) {
    List<Output> found = new ArrayList<>();
    for (Output output : outputs.tailMap(number, false).values()) {
      if (!readable(output) || found.size() == most) {
        break;
      }
      found.add(output);
    }
    return found;
  }

  private boolean readable(Output output) {
    return output.durable() || row.invocation().singleReader();
  }

  /** Whether outputs behind {@code number} may be in the log alone. */
  boolean mayBeForgotten(OutputNumber number) {
    return forgotten > 0 && number.compareTo(forgottenUpTo) < 0;
  }

  /** Whether outputs are in the log alone. */
  boolean forgotSome() {
    return forgotten > 0;
  }

  /** Lets go of durable outputs, which the log gives again; how many bytes that frees. */
  long forgetDurable() {
    long freed = 0;
    var entries = outputs.values().iterator();
    while (entries.hasNext()) {
      Output output = entries.next();
      if (!output.durable()) {
        break;
      }
      entries.remove();
      byIndex.remove(output.row().input().index());
      forgotten++;
      if (forgottenUpTo.compareTo(output.row().number()) < 0) {
        forgottenUpTo = output.row().number();
      }
      freed += bytes(output.row());
    }
    return freed;
  }

  /** Bytes of the outputs at hand. */
  long bytesAtHand() {
    return outputs.values().stream().mapToLong(output -> bytes(output.row())).sum();
  }

  static long bytes(OutputRow row) {
    return 256L + (row.result() == null ? 0 : row.result().sizeBytes());
  }
}
