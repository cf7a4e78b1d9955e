package dev.troupe.gateway.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.actors.testing.ManualClock;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.service.LongPoll.Turn;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class LongPollTest {

  private final ManualClock clock = new ManualClock();
  private final LongPoll poll = new LongPoll(clock, Duration.ofSeconds(5), Moves.NONE);
  private final CompletableFuture<Void> cancelled = new CompletableFuture<>();
  private final List<Duration> slices = new ArrayList<>();

  @Test
  void waitsInSlices() {
    String answer = wait(12, slice -> held(slice, new Turn.Nothing<>("nothing")));

    assertThat(answer).isEqualTo("nothing");
    assertThat(slices)
        .containsExactly(Duration.ofSeconds(5), Duration.ofSeconds(5), Duration.ofSeconds(2));
  }

  @Test
  void asksOnceWithoutPatience() {
    assertThat(wait(0, slice -> held(slice, new Turn.Nothing<>("nothing")))).isEqualTo("nothing");
    assertThat(slices).containsExactly(Duration.ZERO);
  }

  @Test
  void findsAnEntityAnewThatDoesNotAnswer() {
    String answer =
        wait(
            30,
            slice ->
                slices.size() < 3
                    ? CompletableFuture.failedFuture(
                        new CompletionException(new TimeoutException()))
                    : held(slice, new Turn.Answer<>("here")));

    assertThat(answer).isEqualTo("here");
  }

  @Test
  void failsWhereNothingAnswersUntilTheEnd() {
    assertThatThrownBy(
            () ->
                wait(
                    8,
                    slice -> {
                      clock.advance(slice);
                      return CompletableFuture.failedFuture(new TimeoutException());
                    }))
        .hasRootCauseInstanceOf(TimeoutException.class);
  }

  @Test
  void givesUpOnAnEntityThatOnlyMoves() {
    assertThatThrownBy(() -> wait(30, _ -> completed(new Turn.Moved<>())))
        .hasCauseInstanceOf(RpcFailure.class);
    assertThat(slices).hasSizeBetween(10, 30);
  }

  @Test
  void stopsOnceTheCallerHasGone() {
    assertThatThrownBy(
            () ->
                wait(
                    55,
                    slice -> {
                      cancelled.complete(null);
                      return held(slice, new Turn.Nothing<>("nothing"));
                    }))
        .hasRootCauseInstanceOf(CancellationException.class);
    assertThat(slices).hasSize(1);
  }

  private String wait(int seconds, Function<Duration, CompletionStage<Turn<String>>> ask) {
    return poll.wait(
            Duration.ofSeconds(seconds),
            cancelled,
            slice -> {
              slices.add(slice);
              return ask.apply(slice);
            })
        .toCompletableFuture()
        .join();
  }

  private CompletionStage<Turn<String>> held(Duration slice, Turn<String> turn) {
    clock.advance(slice);
    return completed(turn);
  }

  private static CompletionStage<Turn<String>> completed(Turn<String> turn) {
    return CompletableFuture.completedStage(turn);
  }
}
