package dev.troupe.gateway.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

class MovesTest {

  private final Moves moves = new Moves();
  private final List<CompletableFuture<String>> asks = new ArrayList<>();
  private final CompletableFuture<String> answer = moves.again(this::ask).toCompletableFuture();

  private CompletionStage<String> ask() {
    CompletableFuture<String> asked = new CompletableFuture<>();
    asks.add(asked);
    return asked;
  }

  @Test
  void whatIsAskedIsAskedAnewWhenAProcessIsGone() {
    assertThat(asks).hasSize(1);
    moves.askAnew();
    assertThat(asks).hasSize(2);
    asks.get(1).complete("from the new one");
    assertThat(answer).isCompletedWithValue("from the new one");
  }

  @Test
  void theFirstAnswerCountsAndAFailureOnlyWhereNothingElseIsAsked() {
    moves.askAnew();
    asks.get(1).completeExceptionally(new IllegalStateException("too early"));
    assertThat(answer).isNotDone();
    asks.get(0).complete("from the old one after all");
    assertThat(answer).isCompletedWithValue("from the old one after all");
  }

  @Test
  void whatWasAnsweredIsNotAskedAnew() {
    asks.get(0).complete("done");
    moves.askAnew();
    assertThat(asks).hasSize(1);
  }

  @Test
  void aFailureOfTheOnlyAskIsTheAnswer() {
    asks.get(0).completeExceptionally(new IllegalStateException("no"));
    assertThat(answer).isCompletedExceptionally();
  }
}
