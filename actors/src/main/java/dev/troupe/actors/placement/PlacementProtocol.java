package dev.troupe.actors.placement;

import dev.troupe.actors.function.FunctionDefinition;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.cluster.ClusterMessage;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;

/**
 * The conversation with the waiting list of one pool: those who want a place that no machine has
 * free now. The entity id is the pool: a GPU type in upper case, or {@code CPU}. Places are granted
 * first come first served within a function, in turn between functions. A wish is restated every 5
 * s until it is placed, and forgotten 15 s after its last word.
 */
public interface PlacementProtocol {

  EntityTypeKey<Command> KEY = EntityTypeKey.create(Command.class, "pool");

  /** Pool of containers without a GPU. */
  String CPU_POOL = "CPU";

  /** Anything said to a waiting list. */
  sealed interface Command extends ClusterMessage
      permits Want, Withdraw, ListWaiting, PlacementActor.Internal {}

  /**
   * A container that found no place. The function is told {@code Waits} at once and at each change,
   * and {@code Placed} when it has one.
   */
  record Want(FunctionId function, TaskId task, FunctionDefinition definition, Instant since)
      implements Command {}

  /** The wish is withdrawn. */
  record Withdraw(TaskId task) implements Command {}

  /** Asks who waits. */
  record ListWaiting(ActorRef<Waiting> replyTo) implements Command {}

  /** Those who were told that they wait, by their positions. */
  record Waiting(List<Waiter> waiters) implements ClusterMessage {}

  /** One of them, and for what it waits. */
  record Waiter(FunctionId function, TaskId task, int position, String reason, Instant since)
      implements ClusterMessage {}

  /** All pools that there may be. */
  static List<String> pools() {
    return Stream.concat(Stream.of(CPU_POOL), GpuTypes.all().stream()).toList();
  }

  /** The pool a definition's first wish belongs to. */
  static String poolOf(FunctionDefinition.Resources resources) {
    return resources.gpus().isEmpty()
        ? CPU_POOL
        : resources.gpus().getFirst().type().toUpperCase(java.util.Locale.ROOT);
  }
}
