package dev.troupe.actors.function;

import dev.troupe.actors.function.FunctionProtocol.Lease;
import dev.troupe.actors.function.FunctionProtocol.LeaseReply;
import dev.troupe.actors.id.TaskId;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The containers of a function that ask for inputs, at most one question each. Inputs go to the one
 * that was busy last: the others may then grow idle and leave.
 */
final class Polls {

  /** A container that asks, and what it asked. */
  record Poll(Container container, Lease lease, Instant until, Rank rank) {}

  /** Its place among those that ask, fixed when it asked. */
  private record Rank(boolean busy, Instant idleSince, TaskId task) {}

  private static final Comparator<Rank> BEST_FIRST =
      Comparator.comparing(Rank::busy)
          .thenComparing(Rank::idleSince)
          .reversed()
          .thenComparing(rank -> rank.task().value());

  private final Map<TaskId, Poll> byTask = new HashMap<>();
  private final TreeMap<Rank, Poll> ranked = new TreeMap<>(BEST_FIRST);

  /** Holds a question; an earlier one of the same container is answered: its asker has gone. */
  void hold(Container container, Lease lease, Instant now) {
    answer(container.task(), new LeaseReply.Nothing());
    Rank rank = new Rank(!container.idle(), container.idleSince(), container.task());
    Poll poll = new Poll(container, lease, now.plus(lease.patience()), rank);
    byTask.put(container.task(), poll);
    ranked.put(rank, poll);
  }

  /** The question that is answered first; null where none is held. */
  @Nullable Poll first() {
    return ranked.isEmpty() ? null : ranked.firstEntry().getValue();
  }

  @Nullable Poll of(TaskId task) {
    return byTask.get(task);
  }

  /** Answers the question of a container; false where it holds none. */
  boolean answer(TaskId task, LeaseReply reply) {
    Poll poll = drop(task);
    if (poll != null) {
      poll.lease().replyTo().tell(reply);
    }
    return poll != null;
  }

  /** Forgets the question of a container, whose asker has gone; null where it holds none. */
  @Nullable Poll drop(TaskId task) {
    Poll poll = byTask.remove(task);
    if (poll != null) {
      ranked.remove(poll.rank());
    }
    return poll;
  }

  /** Answers those that were held long enough. */
  void tick(Instant now) {
    for (Poll poll : List.copyOf(byTask.values())) {
      if (!poll.until().isAfter(now)) {
        answer(poll.container().task(), new LeaseReply.Nothing());
      }
    }
  }

  /** Answers all. */
  void answerAll(LeaseReply reply) {
    List.copyOf(byTask.keySet()).forEach(task -> answer(task, reply));
  }
}
