package dev.troupe.actors.testing;

import dev.troupe.actors.calllog.CallLog;
import dev.troupe.actors.calllog.InputRow;
import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.actors.calllog.OutputNumber;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.id.BlobId;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.InputId;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A call log in memory, which keeps every promise of {@link CallLog} but durability, and can be
 * told to be slow, overloaded, or to fail. Answers at once, on the caller's thread, unless commits
 * are held: then {@link #commit} makes them, one after the other.
 */
public final class InMemoryCallLog implements CallLog {

  private final Map<FunctionId, FunctionRows> functions = new HashMap<>();
  private final Queue<HeldWrite> held = new ArrayDeque<>();
  private final Queue<Written> refusals = new ArrayDeque<>();
  private boolean holding;
  private boolean overloaded;
  private int readFailuresToCome;

  private record HeldWrite(
      FunctionId function,
      long epoch,
      List<LogWrite> writes,
      @Nullable Written refusal,
      CompletableFuture<Written> result) {}

  // ---- what a test may tell it

  /** From now on writes wait for {@link #commit}. */
  public synchronized void holdCommits() {
    holding = true;
  }

  /** Commits all that waits, and at once what comes. */
  public void releaseCommits() {
    synchronized (this) {
      holding = false;
    }
    commit(Integer.MAX_VALUE);
  }

  /** Commits the first {@code count} writes that wait; how many there were. */
  public int commit(int count) {
    int done = 0;
    while (done < count) {
      HeldWrite write;
      Written written;
      synchronized (this) {
        write = held.poll();
        if (write == null) {
          return done;
        }
        written = decide(write);
      }
      write.result().complete(written);
      done++;
    }
    return done;
  }

  /** Writes that wait. */
  public synchronized int heldWrites() {
    return held.size();
  }

  /** Loses the writes that wait, as when the process dies. */
  public synchronized void loseHeldWrites() {
    held.clear();
  }

  /** The next write comes to this, and nothing of it is written. */
  public synchronized void refuseNext(Written refusal) {
    refusals.add(refusal);
  }

  /** Whether every write is answered {@link Written.Overloaded}. */
  public synchronized void overloaded(boolean isSo) {
    overloaded = isSo;
  }

  /** The next {@code count} reads and claims fail, as if the store were away. */
  public synchronized void failReads(int count) {
    readFailuresToCome = count;
  }

  /** An input as it is now; empty where it never was. */
  public synchronized Optional<InputRow> input(InputId input) {
    return of(input.call().function()).flatMap(rows -> rows.input(input));
  }

  // ---- the port

  @Override
  public synchronized CompletionStage<Long> claim(FunctionId function) {
    return read(
        () -> {
          FunctionRows rows = functions.computeIfAbsent(function, FunctionRows::new);
          return rows.raiseEpoch();
        });
  }

  @Override
  public synchronized CompletionStage<Loaded> load(
      FunctionId function, Instant recentSince, int limit) {
    return read(
        () ->
            of(function)
                .map(rows -> rows.load(recentSince, limit))
                .orElseGet(() -> new Loaded(List.of(), List.of(), List.of(), 0)));
  }

  @Override
  public synchronized CompletionStage<List<InputRow>> waitingAfter(
      FunctionId function, long position, int limit) {
    return read(
        () -> of(function).map(rows -> rows.waitingAfter(position, limit)).orElse(List.of()));
  }

  @Override
  public CompletionStage<Written> write(FunctionId function, long epoch, List<LogWrite> writes) {
    HeldWrite write;
    Written written;
    synchronized (this) {
      if (overloaded) {
        return CompletableFuture.completedFuture(new Written.Overloaded());
      }
      write =
          new HeldWrite(
              function, epoch, List.copyOf(writes), refusals.poll(), new CompletableFuture<>());
      if (holding) {
        held.add(write);
        return write.result();
      }
      written = decide(write);
    }
    write.result().complete(written);
    return write.result();
  }

  private Written decide(HeldWrite write) {
    FunctionRows rows = functions.get(write.function());
    if (rows == null || rows.epoch() != write.epoch()) {
      return new Written.Fenced();
    }
    return write.refusal() != null ? write.refusal() : rows.write(write.writes());
  }

  @Override
  public synchronized CompletionStage<Optional<CallSummary>> call(CallId call) {
    return read(() -> of(call.function()).flatMap(rows -> rows.summary(call)));
  }

  @Override
  public synchronized CompletionStage<List<OutputRow>> outputsAfter(
      CallId call, OutputNumber after, int limit) {
    return read(
        () ->
            of(call.function())
                .map(rows -> rows.outputsAfter(call, after, limit))
                .orElse(List.of()));
  }

  @Override
  public synchronized CompletionStage<List<OutputRow>> outputsOf(CallId call, int first, int last) {
    return read(
        () -> of(call.function()).map(rows -> rows.outputsOf(call, first, last)).orElse(List.of()));
  }

  @Override
  public synchronized CompletionStage<List<FunctionId>> unfinishedFunctions() {
    return read(
        () ->
            functions.values().stream()
                .filter(FunctionRows::anyUnfinished)
                .map(FunctionRows::function)
                .toList());
  }

  @Override
  public synchronized CompletionStage<List<BlobId>> sweep(
      Instant clearedBefore, Instant finishedBefore) {
    return read(
        () -> {
          Set<BlobId> given = new LinkedHashSet<>();
          functions.values().forEach(rows -> rows.sweep(clearedBefore, finishedBefore, given));
          functions.values().forEach(rows -> given.removeAll(rows.owned()));
          return List.copyOf(given);
        });
  }

  @Override
  public synchronized CompletionStage<List<BlobId>> owned(List<BlobId> blobs) {
    return read(
        () -> {
          List<BlobId> owned = new ArrayList<>(blobs);
          Set<BlobId> all = new LinkedHashSet<>();
          functions.values().forEach(rows -> all.addAll(rows.owned()));
          owned.retainAll(all);
          return owned;
        });
  }

  private Optional<FunctionRows> of(FunctionId function) {
    return Optional.ofNullable(functions.get(function));
  }

  private <T> CompletionStage<T> read(Supplier<T> operation) {
    if (readFailuresToCome > 0) {
      readFailuresToCome--;
      return CompletableFuture.failedFuture(new IllegalStateException("the store is away"));
    }
    return CompletableFuture.completedFuture(operation.get());
  }
}
