package dev.troupe.actors.testing;

import dev.troupe.actors.directory.Directory;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;
import java.util.function.Supplier;

/** A directory in memory, which can be told to fail. Answers at once, on the caller's thread. */
public final class InMemoryDirectory implements Directory {

  private final List<Entry> entries = new ArrayList<>();
  private int failuresToCome;

  /** The next {@code count} operations fail, as if the store were away. */
  public synchronized void failNext(int count) {
    failuresToCome = count;
  }

  @Override
  public CompletionStage<Entry> claim(Entry entry) {
    return answer(
        () ->
            first(holds(entry.kind(), entry.environment(), entry.name()))
                .orElseGet(
                    () -> {
                      entries.add(entry);
                      return entry;
                    }));
  }

  @Override
  public CompletionStage<Void> put(Entry entry) {
    return change(
        () -> {
          entries.removeIf(is(entry.kind(), entry.id()));
          if (!entry.name().isEmpty()) {
            entries.replaceAll(
                at ->
                    holds(entry.kind(), entry.environment(), entry.name()).test(at)
                        ? nameless(at)
                        : at);
          }
          entries.add(entry);
        });
  }

  @Override
  public CompletionStage<Boolean> rename(Entry entry) {
    return answer(
        () -> {
          boolean taken =
              entries.stream()
                  .filter(holds(entry.kind(), entry.environment(), entry.name()))
                  .anyMatch(at -> !at.id().equals(entry.id()));
          if (taken || first(is(entry.kind(), entry.id())).isEmpty()) {
            return false;
          }
          entries.replaceAll(at -> is(entry.kind(), entry.id()).test(at) ? entry : at);
          return true;
        });
  }

  @Override
  public CompletionStage<Void> update(Kind kind, String id, Map<String, String> attributes) {
    return change(
        () -> entries.replaceAll(at -> is(kind, id).test(at) ? at.withAttributes(attributes) : at));
  }

  @Override
  public CompletionStage<Void> remove(Kind kind, String id) {
    return change(() -> entries.removeIf(is(kind, id)));
  }

  @Override
  public CompletionStage<Void> removeBefore(Kind kind, Instant time) {
    return change(() -> entries.removeIf(at -> at.kind() == kind && at.createdAt().isBefore(time)));
  }

  @Override
  public CompletionStage<Optional<Entry>> find(Kind kind, String environment, String name) {
    return answer(() -> first(holds(kind, environment, name)));
  }

  @Override
  public CompletionStage<Optional<Entry>> byId(Kind kind, String id) {
    return answer(() -> first(is(kind, id)));
  }

  @Override
  public CompletionStage<List<Entry>> list(Kind kind, String environment, int limit) {
    return answer(
        () ->
            entries.stream()
                .filter(at -> at.kind() == kind)
                .filter(at -> environment.isEmpty() || at.environment().equals(environment))
                .sorted(Comparator.comparing(Entry::createdAt).reversed())
                .limit(limit)
                .toList());
  }

  @Override
  public CompletionStage<List<Entry>> named(
      Kind kind, String environment, String prefix, String after, int limit) {
    return answer(
        () ->
            entries.stream()
                .filter(at -> at.kind() == kind && at.environment().equals(environment))
                .filter(at -> !at.name().isEmpty() && at.name().startsWith(prefix))
                .filter(at -> at.name().compareTo(after) > 0)
                .sorted(Comparator.comparing(Entry::name))
                .limit(limit)
                .toList());
  }

  private static Predicate<Entry> is(Kind kind, String id) {
    return at -> at.kind() == kind && at.id().equals(id);
  }

  private static Predicate<Entry> holds(Kind kind, String environment, String name) {
    return at ->
        at.kind() == kind
            && !name.isEmpty()
            && at.environment().equals(environment)
            && at.name().equals(name);
  }

  private static Entry nameless(Entry at) {
    return new Entry(at.kind(), at.environment(), "", at.id(), at.createdAt(), at.attributes());
  }

  private Optional<Entry> first(Predicate<Entry> wanted) {
    return entries.stream().filter(wanted).findFirst();
  }

  @SuppressWarnings("NullAway") // a Void has no other value
  private CompletionStage<Void> change(Runnable change) {
    return answer(
        () -> {
          change.run();
          return null;
        });
  }

  private synchronized <T> CompletionStage<T> answer(Supplier<T> operation) {
    if (failuresToCome > 0) {
      failuresToCome--;
      return CompletableFuture.failedFuture(new IllegalStateException("the store is away"));
    }
    return CompletableFuture.completedFuture(operation.get());
  }
}
