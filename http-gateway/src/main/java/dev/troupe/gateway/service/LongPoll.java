package dev.troupe.gateway.service;

import dev.troupe.gateway.rpc.Failures;
import dev.troupe.gateway.rpc.RpcFailure;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/**
 * Waits long on an entity by asking it to wait a little, again and again: an entity that moved, or
 * whose process died, is found anew with the next ask, and a caller who has gone is noticed.
 */
final class LongPoll {

  /** How often in a row an entity may be elsewhere until the caller is told to come back. */
  private static final int MOVES_LIMIT = 20;

  private static final Duration AFTER_MOVE = Duration.ofMillis(200);

  private final InstantSource clock;
  private final Duration renewal;
  private final Moves moves;

  /** Polls by this clock, renewed this often, and anew when a process is gone. */
  LongPoll(InstantSource clock, Duration renewal, Moves moves) {
    this.clock = clock;
    this.renewal = renewal;
    this.moves = moves;
  }

  /** What one ask came to. */
  sealed interface Turn<A> {

    /** There is an answer. */
    record Answer<A>(A answer) implements Turn<A> {}

    /** Nothing came yet; {@code soFar} is the answer if the time is up. */
    record Nothing<A>(A soFar) implements Turn<A> {}

    /** The entity is moving: to be asked again at once. */
    record Moved<A>() implements Turn<A> {}
  }

  /**
   * Asks until there is an answer or {@code patience} has passed; at least once. Fails when the
   * caller has gone, who is not told, or when the entity cannot be found for long.
   *
   * @param ask one ask, given how long the entity may hold it
   */
  <A> CompletionStage<A> wait(
      Duration patience,
      CompletionStage<Void> cancelled,
      Function<Duration, CompletionStage<Turn<A>>> ask) {
    Instant end = clock.instant().plus(patience);
    return turn(new Poll<>(end, cancelled.toCompletableFuture(), ask), 0);
  }

  private record Poll<A>(
      Instant end,
      CompletableFuture<Void> cancelled,
      Function<Duration, CompletionStage<Turn<A>>> ask) {}

  private <A> CompletionStage<A> turn(Poll<A> poll, int moved) {
    if (poll.cancelled().isDone()) {
      return CompletableFuture.failedFuture(new CancellationException());
    }
    Duration left = Duration.between(clock.instant(), poll.end());
    Duration slice = left.compareTo(renewal) < 0 ? left : renewal;
    Duration held = slice.isNegative() ? Duration.ZERO : slice;
    return moves
        .again(() -> poll.ask().apply(held))
        .exceptionallyCompose(failure -> silent(poll, failure))
        .thenCompose(
            turn ->
                switch (turn) {
                  case Turn.Answer<A>(var answer) -> CompletableFuture.completedStage(answer);
                  case Turn.Nothing<A>(var soFar) ->
                      isOver(poll) ? CompletableFuture.completedStage(soFar) : turn(poll, 0);
                  case Turn.Moved<A>() when moved < MOVES_LIMIT -> turn(poll, moved + 1);
                  case Turn.Moved<A>() ->
                      throw RpcFailure.unavailable(
                          "The function is moving to another process.", AFTER_MOVE);
                });
  }

  /** An entity that does not answer may have lost the ask with its process: ask anew in time. */
  private <A> CompletionStage<Turn<A>> silent(Poll<A> poll, Throwable failure) {
    boolean again = Failures.unwrapped(failure) instanceof TimeoutException && !isOver(poll);
    return again
        ? CompletableFuture.completedStage(new Turn.Moved<>())
        : CompletableFuture.failedFuture(failure);
  }

  private <A> boolean isOver(Poll<A> poll) {
    return !clock.instant().isBefore(poll.end());
  }
}
