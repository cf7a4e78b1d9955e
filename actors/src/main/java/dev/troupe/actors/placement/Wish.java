package dev.troupe.actors.placement;

import dev.troupe.actors.function.FunctionDefinition;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.node.NodeProtocol.Launch;
import dev.troupe.actors.placement.PlacementProtocol.Want;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.pcollections.HashTreePMap;
import org.pcollections.PMap;

/**
 * One container that waits for a place.
 *
 * @param since when its function first wanted it
 * @param heardAt when it was last wanted
 * @param asked the machine that was asked for it and has not answered; null while none is
 * @param refused machines that have refused it, each with the number of the advert that was wrong
 * @param told what its function was last told; null before the first time
 */
record Wish(
    FunctionId function,
    TaskId task,
    FunctionDefinition definition,
    Instant since,
    Instant heardAt,
    @Nullable Asked asked,
    PMap<MachineId, Long> refused,
    @Nullable Told told) {

  /** A machine that was asked, and what for. */
  record Asked(MachineId machine, Launch launch, Instant at) {}

  /** A place in the list, and why there is none on a machine. */
  record Told(int position, String reason) {}

  /** A wish just heard. */
  static Wish of(Want want, Instant now) {
    return new Wish(
        want.function(),
        want.task(),
        want.definition(),
        want.since(),
        now,
        null,
        HashTreePMap.empty(),
        null);
  }

  Wish heard(Instant now) {
    return new Wish(function, task, definition, since, now, asked, refused, told);
  }

  Wish asking(Asked next) {
    return new Wish(function, task, definition, since, heardAt, next, refused, told);
  }

  Wish refusedBy(MachineId machine, long revision) {
    return new Wish(
        function, task, definition, since, heardAt, null, refused.plus(machine, revision), told);
  }

  Wish telling(Told next) {
    return new Wish(function, task, definition, since, heardAt, asked, refused, next);
  }

  /** Whether {@code advert} says nothing that its machine's refusal has not refuted. */
  boolean isRefusedBy(MachineAdvert advert) {
    return refused.getOrDefault(advert.machine(), -1L) >= advert.revision();
  }
}
