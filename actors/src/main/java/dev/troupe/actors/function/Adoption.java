package dev.troupe.actors.function;

import dev.troupe.actors.calllog.LeaseMark;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * What a new owner may find of an earlier one: leases in the log, and containers on machines. Each
 * lease is kept for the container it names, until that speaks, or every machine has told what it
 * has, or time is up. No container is started before the machines that are there have told, since
 * one that does what is wanted may be on them. Pure.
 */
final class Adoption {

  /** Machines that come back with the control plane do so within this time of each other. */
  static final Duration MACHINES_SETTLE = Duration.ofSeconds(2);

  private static final Duration ASK_AGAIN = Duration.ofSeconds(2);

  private final Map<TaskId, List<Input>> marked = new HashMap<>();
  private final Instant until;
  private final Map<MachineId, Instant> asked = new HashMap<>();
  private final Set<MachineId> told = new HashSet<>();
  private boolean looked;
  private boolean seesAll;
  private Instant settledAt = Instant.MIN;

  /**
   * Nothing is found so far.
   *
   * @param first nobody owned the function before: there is nothing to find
   */
  Adoption(boolean first, Instant now, Duration limit) {
    this.seesAll = first;
    this.until = now.plus(limit);
  }

  /** An input was found with a lease. */
  void found(Input input) {
    LeaseMark lease = input.lease();
    if (lease != null) {
      marked.computeIfAbsent(lease.task(), _ -> new ArrayList<>()).add(input);
    }
  }

  /** Whether any lease waits for its container. */
  boolean pending() {
    return !marked.isEmpty();
  }

  /** Containers that leases wait for: they may be there, and nothing was heard of them. */
  int unseen() {
    return marked.size();
  }

  /** Whether machines are still to tell what they have before more is started. */
  boolean isBlind(Supplier<List<MachineId>> machines, Instant now) {
    if (!seesAll) {
      seesAll = allTold(machines.get()) || !now.isBefore(until);
    }
    return !seesAll;
  }

  /** The leases of a container that is there; they wait no longer. */
  List<Input> claim(TaskId task) {
    List<Input> inputs = marked.remove(task);
    return inputs == null ? List.of() : inputs;
  }

  /** A machine told what it has. */
  void told(MachineId machine) {
    told.add(machine);
  }

  /** Of the machines that are there, those to be asked what they have. */
  List<MachineId> toAsk(List<MachineId> linked, Instant now) {
    List<MachineId> toAsk = new ArrayList<>();
    for (MachineId machine : linked) {
      Instant before = asked.get(machine);
      if (before == null && looked) {
        // Machines come back one by one; those that were there from the start are all.
        settledAt = now.plus(MACHINES_SETTLE);
      }
      if (!told.contains(machine) && (before == null || !before.plus(ASK_AGAIN).isAfter(now))) {
        toAsk.add(machine);
      }
    }
    toAsk.forEach(machine -> asked.put(machine, now));
    looked = true;
    return toAsk;
  }

  /** Whether containers that did not speak so far are taken for lost. */
  boolean isOver(List<MachineId> linked, Instant now) {
    return (allTold(linked) && !now.isBefore(settledAt)) || !now.isBefore(until);
  }

  private boolean allTold(List<MachineId> linked) {
    return !linked.isEmpty() && told.containsAll(linked);
  }

  /** Inputs whose containers are taken for lost. */
  List<Input> lost() {
    List<Input> inputs = marked.values().stream().flatMap(List::stream).toList();
    marked.clear();
    return inputs;
  }
}
