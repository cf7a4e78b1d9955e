package dev.troupe.gateway.link;

import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.gateway.rpc.Caller;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.pekko.actor.typed.ActorSystem;

/**
 * The containers of the machines that are linked here, and who each is as a caller. A container is
 * known from before its machine is told to start it, or from the machine's full report, until a
 * while after its end: its last calls may still be under way.
 */
final class TaskRegistry {

  /** How long a container that has ended is known. */
  static final Duration KEPT_AFTER_END = Duration.ofMinutes(1);

  private final ActorSystem<?> system;
  private final Map<TaskId, Placed> tasks = new ConcurrentHashMap<>();

  /** A container on its machine; who it is may have to be looked up first. */
  private record Placed(MachineId machine, CompletionStage<Caller.Task> caller) {}

  TaskRegistry(ActorSystem<?> system) {
    this.system = system;
  }

  /** A machine is about to be told to start this container. */
  void starting(MachineId machine, Caller.Task task) {
    tasks.put(task.task(), new Placed(machine, CompletableFuture.completedStage(task)));
  }

  /**
   * A machine says that it has this container. One that is known to be another machine's stays that
   * one's.
   */
  void reported(MachineId machine, TaskId task, CompletionStage<Caller.Task> caller) {
    Placed reported = new Placed(machine, caller);
    tasks.putIfAbsent(task, reported);
    caller.whenComplete(
        (_, failure) -> {
          if (failure != null) {
            tasks.remove(task, reported);
          }
        });
  }

  /** A container has ended. */
  void ended(TaskId task) {
    Placed placed = tasks.get(task);
    if (placed != null) {
      system
          .scheduler()
          .scheduleOnce(
              KEPT_AFTER_END, () -> tasks.remove(task, placed), system.executionContext());
    }
  }

  /** Whether a container is on this machine. */
  boolean isOn(MachineId machine, TaskId task) {
    Placed placed = tasks.get(task);
    return placed != null && placed.machine().equals(machine);
  }

  /** Who a container is; empty where it is not known. */
  Optional<CompletionStage<Caller.Task>> find(TaskId task) {
    return Optional.ofNullable(tasks.get(task)).map(Placed::caller);
  }
}
