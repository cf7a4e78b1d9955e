package dev.troupe.actors.function;

import dev.troupe.actors.calllog.CallRow;
import dev.troupe.actors.calllog.OutputNumber;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.id.CallId;
import java.util.ArrayList;
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

  // Which indexes came; only for a call made by this owner. Of one loaded from the log only the
  // log's primary key knows.
  private final @Nullable IndexSet indexes;

  private final NavigableMap<OutputNumber, Output> outputs = new TreeMap<>();
  private final Map<Integer, Output> byIndex = new HashMap<>(2);
  private OutputNumber forgottenUpTo = OutputNumber.START;
  private int undurable;

  /**
   * An output at hand: {@code written} once it was given to the log, {@code durable} once its
   * commit is through. One whose input is not durable yet may still be taken back.
   */
  static final class Output {
    private OutputRow row;
    private boolean inputDurable;
    private boolean written;
    private boolean durable;
    private boolean takenBack;

    private Output(OutputRow row, boolean inputDurable) {
      this.row = row;
      this.inputDurable = inputDurable;
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

    boolean takenBack() {
      return takenBack;
    }

    /** The row as it goes to the log; later changes need a write of their own. */
    OutputRow rowToWrite() {
      written = true;
      return row;
    }

    void replaceRow(OutputRow newRow) {
      row = newRow;
    }

    void inputCommitted() {
      inputDurable = true;
    }
  }

  private Call(CallRow row, int known, int finished, boolean durable, @Nullable IndexSet indexes) {
    this.row = row;
    this.known = known;
    this.finished = finished;
    this.durable = durable;
    this.indexes = indexes;
  }

  /** A call that has just come. */
  static Call fresh(CallRow row) {
    return new Call(row, 0, 0, false, new IndexSet());
  }

  /** A call found in the log by the owner of {@code epoch}; outputs of earlier ones are there. */
  static Call loaded(CallRow row, int known, int finished, long epoch) {
    Call call = new Call(row, known, finished, true, null);
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

  /** It was found in the log, so that which of its inputs came before only the log knows. */
  boolean wasLoaded() {
    return indexes == null;
  }

  /** Takes note of an input; false where its index is known to have come before. */
  boolean learn(int index) {
    if (indexes != null && !indexes.add(index)) {
      return false;
    }
    known++;
    return true;
  }

  /** Takes back what {@link #learn} noted. */
  void unlearn(int index) {
    if (indexes != null) {
      indexes.remove(index);
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
    int all = cancelled() ? known : Math.max(known, row.total());
    return Math.max(0, all - finished);
  }

  /** Inputs whose outputs a reader can't have yet. */
  int outstanding() {
    return unfinished() + (row.invocation().singleReader() ? 0 : undurable);
  }

  /** No further output will come. */
  boolean complete() {
    return (cancelled() || row.total() >= 0) && unfinished() == 0;
  }

  /** No further output will come, and all are in the log. */
  boolean settled() {
    return durable && undurable == 0 && complete();
  }

  /** Takes in an output. */
  Output finish(OutputRow output, boolean inputDurable) {
    Output entry = new Output(output, inputDurable);
    outputs.put(output.number(), entry);
    byIndex.put(output.input().index(), entry);
    finished++;
    undurable++;
    return entry;
  }

  /** The output's commit is through. */
  void committed(Output output) {
    if (!output.takenBack && !output.durable) {
      output.durable = true;
      undurable--;
    }
  }

  /** The input of this output was never taken in: nobody has seen it, nobody shall. */
  void takeBack(Output output) {
    if (outputs.remove(output.row.number(), output)) {
      byIndex.remove(output.row.input().index());
      finished--;
      undurable -= output.durable ? 0 : 1;
    }
    output.takenBack = true;
  }

  /** The output of an input at hand; null where it has none, or it is in the log alone. */
  @Nullable Output outputOf(int index) {
    return byIndex.get(index);
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

  /**
   * Outputs at hand that a reader of this call may have, behind a cursor. None behind one that may
   * not be read yet: the cursor would pass it over.
   */
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

  /** Whether there is an output at hand behind a cursor, readable or not. */
  boolean anyAfter(OutputNumber number) {
    return outputs.higherKey(number) != null;
  }

  /** Whether there is an output at hand of one of these inputs, readable or not. */
  boolean anyOf(int first, int last) {
    return undurable > 0
        && outputs.values().stream()
            .map(output -> output.row().input().index())
            .anyMatch(index -> index >= first && index <= last);
  }

  private boolean readable(Output output) {
    return output.durable() || (output.inputDurable && row.invocation().singleReader());
  }

  /** Up to here outputs are in the log alone, and all of them are there. */
  OutputNumber forgottenUpTo() {
    return forgottenUpTo;
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
      forgottenUpTo = output.row().number();
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
