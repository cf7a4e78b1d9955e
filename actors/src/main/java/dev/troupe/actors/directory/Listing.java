package dev.troupe.actors.directory;

import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Directory.Kind;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.pekko.actor.NoSerializationVerificationNeeded;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the directory in line with one entity. The entity's newest wish is carried out, one at a
 * time, and tried again until it holds; who waits for it, or for an earlier one, is told then. Used
 * on its entity's thread alone: what comes back from the directory passes its mailbox as a {@link
 * Word}, which the entity hands to {@link #take}.
 *
 * @param <C> the entity's commands
 */
public final class Listing<C> {

  private static final Duration RETRY_DELAY = Duration.ofSeconds(1);

  // Those who wait have asked with a deadline: past this many the oldest has given up long ago.
  private static final int WAITERS_LIMIT = 1_000;

  /** What the listing says to itself through its entity's mailbox. */
  public sealed interface Word extends NoSerializationVerificationNeeded {}

  private record Written(long revision) implements Word {}

  private record Failed(Throwable cause) implements Word {}

  private record Retry() implements Word {}

  private record Waiter(long revision, Runnable then) {}

  private final ActorContext<C> context;
  private final Function<Word, C> wrap;
  private final Queue<Waiter> waiters = new ArrayDeque<>();
  private @Nullable Supplier<CompletionStage<Void>> wish;
  private long wished;
  private long written;
  private boolean busy;

  /** A listing whose words reach its entity as {@code wrap} makes them commands. */
  public Listing(ActorContext<C> context, Function<Word, C> wrap) {
    this.context = context;
    this.wrap = wrap;
  }

  /** Wants the directory to be what {@code write} makes it; replaces any earlier wish. */
  public void wish(Supplier<CompletionStage<Void>> write) {
    wish = write;
    wished++;
    proceed();
  }

  /** Wants the entry of this id to be so, or not to be. */
  public void wish(Directory directory, Kind kind, String id, Optional<Entry> entry) {
    wish(() -> write(directory, kind, id, entry));
  }

  /** The same after a crash that may have come between the journal and the directory. */
  public void reconcile(Directory directory, Kind kind, String id, Optional<Entry> entry) {
    wish(
        () ->
            directory
                .byId(kind, id)
                .thenCompose(
                    found ->
                        found.map(Entry::attributes).equals(entry.map(Entry::attributes))
                            ? CompletableFuture.completedStage(null)
                            : write(directory, kind, id, entry)));
  }

  private static CompletionStage<Void> write(
      Directory directory, Kind kind, String id, Optional<Entry> entry) {
    return entry.isPresent() ? directory.put(entry.get()) : directory.remove(kind, id);
  }

  /** Answers once all that was wished so far holds. */
  public <R> void answer(ActorRef<R> replyTo, R reply) {
    whenSettled(() -> replyTo.tell(reply));
  }

  /** Runs {@code then} once all that was wished so far holds: at once where it does. */
  public void whenSettled(Runnable then) {
    if (isSettled()) {
      then.run();
      return;
    }
    if (waiters.size() >= WAITERS_LIMIT) {
      waiters.remove();
    }
    waiters.add(new Waiter(wished, then));
  }

  /** Whether all that was wished holds. */
  public boolean isSettled() {
    return written == wished;
  }

  /** Goes on; called for each {@link Word} that comes through the mailbox. */
  public void take(Word word) {
    switch (word) {
      case Written(var revision) -> {
        busy = false;
        written = revision;
        for (Waiter next = waiters.peek();
            next != null && next.revision() <= written;
            next = waiters.peek()) {
          waiters.remove();
          next.then().run();
        }
        proceed();
      }
      case Failed(var cause) -> {
        context.getLog().warn("Directory write failed, is tried again", cause);
        context.scheduleOnce(RETRY_DELAY, context.getSelf(), wrap.apply(new Retry()));
      }
      case Retry() -> {
        busy = false;
        proceed();
      }
    }
  }

  private void proceed() {
    if (busy || wish == null || isSettled()) {
      return;
    }
    busy = true;
    long revision = wished;
    context.pipeToSelf(
        begin(wish),
        (_, failure) -> wrap.apply(failure == null ? new Written(revision) : new Failed(failure)));
  }

  private static CompletionStage<Void> begin(Supplier<CompletionStage<Void>> write) {
    try {
      return write.get();
    } catch (RuntimeException failure) {
      return CompletableFuture.failedFuture(failure);
    }
  }
}
