package dev.troupe.gateway.service;

import dev.troupe.cluster.Departures;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorSystem;
import org.jspecify.annotations.Nullable;

/**
 * Asks anew what is being asked when a process of the cluster is gone: the ask, or its answer, may
 * be lost with it. Whatever answers first counts, so only what may be said twice is asked by this.
 */
public final class Moves {

  /** For a process alone: nothing moves. */
  static final Moves NONE = new Moves();

  /** Until then what was lost is known to be elsewhere; and once more, for what was not. */
  private static final List<Duration> AFTER =
      List.of(Duration.ofMillis(300), Duration.ofMillis(1500));

  private final Set<Asked<?>> open = ConcurrentHashMap.newKeySet();

  Moves() {}

  /** For a process of a cluster. */
  public static Moves of(ActorSystem<?> system, Departures departures) {
    Moves moves = new Moves();
    departures.listen(
        () ->
            AFTER.forEach(
                delay ->
                    system
                        .scheduler()
                        .scheduleOnce(delay, moves::askAnew, system.executionContext())));
    return moves;
  }

  /** A process is gone. */
  void askAnew() {
    open.forEach(Asked::begin);
  }

  /** Asks, and asks again each time that a process has gone before there was an answer. */
  <R> CompletionStage<R> again(Supplier<CompletionStage<R>> ask) {
    if (this == NONE) {
      return ask.get();
    }
    Asked<R> asked = new Asked<>(ask);
    open.add(asked);
    asked.begin();
    var unused = asked.answer.whenComplete((_, _) -> open.remove(asked));
    return asked.answer;
  }

  private static final class Asked<R> {
    private final Supplier<CompletionStage<R>> ask;
    private final CompletableFuture<R> answer = new CompletableFuture<>();
    private final AtomicInteger outstanding = new AtomicInteger();

    private Asked(Supplier<CompletionStage<R>> ask) {
      this.ask = ask;
    }

    private void begin() {
      outstanding.incrementAndGet();
      CompletionStage<R> begun;
      try {
        begun = ask.get();
      } catch (RuntimeException failure) {
        begun = CompletableFuture.failedFuture(failure);
      }
      begun.whenComplete(this::came);
    }

    /** A failure counts once nothing else is asked. */
    private void came(@Nullable R value, @Nullable Throwable failure) {
      int left = outstanding.decrementAndGet();
      if (failure == null) {
        answer.complete(value);
      } else if (left == 0) {
        answer.completeExceptionally(failure);
      }
    }
  }
}
