package dev.troupe.actors.node;

import dev.troupe.actors.function.FunctionProtocol.Ending;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.TaskId;
import org.jspecify.annotations.Nullable;
import org.pcollections.OrderedPMap;
import org.pcollections.PMap;

/**
 * Containers that have ended, the last of them. A task never comes back, so a report or a grant of
 * one of these is a late word, and holds nothing.
 */
record Departed(PMap<TaskId, Gone> tasks) {

  /** Endings kept: far more than there can be late words of. */
  static final int LIMIT = 4_096;

  static final Departed NONE = new Departed(OrderedPMap.empty());

  /** One that has ended; the function is null where the task never came to be here. */
  record Gone(@Nullable FunctionId function, Ending ending) {}

  /** With one ending more; the first word on an ending stays. */
  Departed plus(TaskId task, Gone gone) {
    if (tasks.containsKey(task)) {
      return this;
    }
    PMap<TaskId, Gone> room =
        tasks.size() < LIMIT ? tasks : tasks.minus(tasks.keySet().iterator().next());
    return new Departed(room.plus(task, gone));
  }

  @Nullable Gone find(TaskId task) {
    return tasks.get(task);
  }
}
