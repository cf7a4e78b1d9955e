package dev.troupe.persistence.calllog;

import dev.troupe.actors.id.FunctionId;
import dev.troupe.persistence.calllog.Backlog.Entry;
import dev.troupe.persistence.calllog.LogSession.Owner;
import dev.troupe.persistence.calllog.MergedChanges.Touched;
import dev.troupe.persistence.store.StoreAway;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Brings the changes of a log file to the tables, on a thread of its own: what it is given is done
 * in that order. Its one user, on another thread, is woken when something is done, and hears of it
 * when it asks: {@link #tellWhatIsDone}. How much it is given at a time is the user's to bound.
 */
final class Settler implements AutoCloseable {

  private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(15);

  /**
   * How it ended.
   *
   * @param rows those that are in the tables
   * @param refused why the tables took nothing of a function's
   * @param abandoned whether the database was away until the store was closed
   */
  record Settled(List<Entry> rows, Map<FunctionId, Exception> refused, boolean abandoned) {}

  private final Transactions transactions;
  private final Runnable wake;
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          Thread.ofPlatform().name("troupe-call-tables").daemon(true).factory());
  private final Queue<Runnable> done = new ConcurrentLinkedQueue<>();

  Settler(Transactions transactions, Runnable wake) {
    this.transactions = transactions;
    this.wake = wake;
  }

  /** Brings rows to the tables, the oldest of their functions, which nobody changes any more. */
  void settle(List<Entry> rows, Consumer<Settled> then) {
    start(
        () -> {
          Settled settled = settled(rows);
          return () -> then.accept(settled);
        });
  }

  /** Raises epochs, one for each time that a function is named, in that order. */
  void claim(List<FunctionId> functions, BiConsumer<List<Owner>, @Nullable Exception> then) {
    start(
        () -> {
          try {
            Optional<List<Owner>> owners =
                transactions.untilBack(
                    session -> Optional.of(claimed(session, functions)), Optional.empty());
            Exception failure =
                owners.isPresent() ? null : new StoreAway("the store is away, and is being closed");
            return () -> then.accept(owners.orElse(List.of()), failure);
          } catch (SQLException | RuntimeException refused) {
            return () -> then.accept(List.of(), refused);
          }
        });
  }

  private static List<Owner> claimed(LogSession session, List<FunctionId> functions)
      throws SQLException {
    List<Owner> owners = new ArrayList<>();
    for (FunctionId function : functions) {
      owners.add(session.claim(function));
    }
    return owners;
  }

  private interface Job {
    Runnable run();
  }

  private void start(Job job) {
    if (!thread.isShutdown()) {
      thread.execute(
          () -> {
            done.add(job.run());
            wake.run();
          });
    }
  }

  /** Tells what was done since it last did; on the caller's thread. */
  void tellWhatIsDone() {
    for (Runnable word = done.poll(); word != null; word = done.poll()) {
      word.run();
    }
  }

  private Settled settled(List<Entry> rows) {
    try {
      return transact(rows);
    } catch (SQLException | RuntimeException refused) {
      return byFunction(rows);
    }
  }

  /** One function after the other, so that only those at fault are refused. */
  private Settled byFunction(List<Entry> rows) {
    List<Entry> taken = new ArrayList<>();
    Map<FunctionId, Exception> refusals = new HashMap<>();
    boolean abandoned = false;
    for (List<Entry> part :
        rows.stream().collect(Collectors.groupingBy(row -> row.function)).values()) {
      try {
        Settled settled = transact(part);
        taken.addAll(settled.rows());
        abandoned |= settled.abandoned();
      } catch (SQLException | RuntimeException refused) {
        refusals.put(part.getFirst().function, refused);
      }
    }
    return new Settled(taken, refusals, abandoned);
  }

  private Settled transact(List<Entry> rows) throws SQLException {
    Settled all = new Settled(rows, Map.of(), false);
    return rows.isEmpty()
        ? all
        : transactions.untilBack(
            session -> {
              settle(session, rows);
              return all;
            },
            new Settled(List.of(), Map.of(), true));
  }

  private static void settle(LogSession session, List<Entry> rows) throws SQLException {
    Set<FunctionId> functions = new HashSet<>();
    rows.forEach(row -> functions.add(row.function));
    // Locked so that a sweep doesn't meet changes half done.
    Map<FunctionId, Owner> owners = session.lockOwners(functions);
    List<Touched> changes = new ArrayList<>(rows.size());
    Map<Long, Long> numbers = new HashMap<>();
    for (Entry row : rows) {
      Owner owner = owners.get(row.function);
      if (owner == null) {
        throw new IllegalStateException("the owner of " + row.function + " is gone");
      }
      changes.add(row.touched);
      numbers.merge(owner.id(), row.row, Math::max);
    }
    session.settle(changes, numbers);
  }

  /** While the database is away nothing more is tried; any thread may say so. */
  void giveUp() {
    transactions.giveUp();
  }

  /** Ends what it was given, and takes no more. */
  @Override
  public void close() {
    thread.shutdown();
    try {
      if (thread.awaitTermination(CLOSE_PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
        transactions.close();
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
