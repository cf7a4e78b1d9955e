package dev.troupe.actors.node;

import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.node.NodeProtocol.Capacity;
import dev.troupe.actors.node.NodeProtocol.Share;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.pcollections.OrderedPMap;
import org.pcollections.PMap;

/**
 * What a machine has, and who holds how much of it. A share is held from its grant until the agent
 * says that the container is not there: neither a lost link nor a wish to stop frees anything. GPUs
 * are whole devices, counted by type.
 */
record NodeLedger(Capacity capacity, PMap<TaskId, Holding> holdings) {

  static final NodeLedger EMPTY =
      new NodeLedger(new Capacity(0, 0, List.of()), OrderedPMap.empty());

  /** The same holdings on a machine of another size. */
  NodeLedger withCapacity(Capacity other) {
    return new NodeLedger(other, holdings);
  }

  /** With one holding more, or in the place of an earlier one of the same task. */
  NodeLedger with(Holding holding) {
    return new NodeLedger(capacity, holdings.plus(holding.task(), holding));
  }

  /** Without a task: its share is free. */
  NodeLedger without(TaskId task) {
    return new NodeLedger(capacity, holdings.minus(task));
  }

  @Nullable Holding find(TaskId task) {
    return holdings.get(task);
  }

  /** What nobody holds. */
  Capacity free() {
    int cpuMillis = capacity.cpuMillis();
    long memoryBytes = capacity.memoryBytes();
    List<String> gpus = new ArrayList<>(capacity.gpus());
    for (Holding holding : holdings.values()) {
      cpuMillis -= holding.share().cpuMillis();
      memoryBytes -= holding.share().memoryBytes();
      holding.share().gpus().forEach(gpus::remove);
    }
    return new Capacity(Math.max(0, cpuMillis), Math.max(0, memoryBytes), List.copyOf(gpus));
  }

  /** Whether nobody holds as much as {@code share}. */
  boolean fits(Share share) {
    Capacity free = free();
    List<String> gpus = new ArrayList<>(free.gpus());
    return share.cpuMillis() <= free.cpuMillis()
        && share.memoryBytes() <= free.memoryBytes()
        && share.gpus().stream().allMatch(gpus::remove);
  }

  /** Functions with containers here, those excepted that were given up. */
  Set<FunctionId> functions() {
    return holdings.values().stream()
        .filter(holding -> holding.standing() != Holding.Standing.LOST)
        .map(Holding::function)
        .collect(Collectors.toUnmodifiableSet());
  }

  /** A function's containers here, those excepted that were given up. */
  List<TaskId> tasksOf(FunctionId function) {
    return holdings.values().stream()
        .filter(holding -> holding.standing() != Holding.Standing.LOST)
        .filter(holding -> holding.function().equals(function))
        .map(Holding::task)
        .toList();
  }
}
