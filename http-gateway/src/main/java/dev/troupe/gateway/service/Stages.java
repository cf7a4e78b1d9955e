package dev.troupe.gateway.service;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.stream.Stream;

/** Many questions at once. */
final class Stages {

  private Stages() {}

  /** Asks about each, all at the same time; the answers come in the order of the items. */
  static <T, R> CompletionStage<List<R>> each(
      Stream<T> items, Function<T, CompletionStage<R>> ask) {
    List<CompletableFuture<R>> asked =
        items.map(ask).map(CompletionStage::toCompletableFuture).toList();
    return CompletableFuture.allOf(asked.toArray(CompletableFuture[]::new))
        .thenApply(_ -> asked.stream().map(CompletableFuture::join).toList());
  }

  /** Does the same with each, {@code most} at a time. */
  static <T, R> CompletionStage<Void> inTurn(
      List<T> things, int most, Function<T, CompletionStage<R>> work) {
    CompletionStage<Void> done = CompletableFuture.allOf();
    for (int from = 0; from < things.size(); from += most) {
      List<T> next = things.subList(from, Math.min(things.size(), from + most));
      done = done.thenCompose(_ -> each(next.stream(), work)).thenAccept(_ -> {});
    }
    return done;
  }
}
