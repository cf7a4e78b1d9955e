package dev.troupe.actors.placement;

import dev.troupe.actors.function.FunctionProtocol.FromMachine;
import dev.troupe.actors.function.FunctionProtocol.Placed;
import dev.troupe.actors.function.FunctionProtocol.Waits;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.node.NodeProtocol.GrantReply;
import dev.troupe.actors.node.NodeProtocol.Share;
import dev.troupe.actors.placement.ListEffect.Ask;
import dev.troupe.actors.placement.ListEffect.Stop;
import dev.troupe.actors.placement.ListEffect.Tell;
import dev.troupe.actors.placement.PlacementProtocol.Waiter;
import dev.troupe.actors.placement.PlacementProtocol.Want;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import org.jspecify.annotations.Nullable;
import org.pcollections.OrderedPMap;
import org.pcollections.OrderedPSet;
import org.pcollections.PMap;
import org.pcollections.PSet;

/**
 * Who waits for a place in one pool, and every decision about it: whose turn it is, which machine
 * is asked, what functions are told. A value; words of functions and machines may be lost, come
 * twice or come late.
 *
 * <p>One machine at a time is asked for a wish, and asked again until it answers: another one is
 * asked only after a refusal, so that no container gets two places.
 *
 * @param wishes in the order they came
 * @param turns functions, the one served longest ago first
 * @param charges shares that were asked for and are in no advert yet
 * @param placed wishes that got their place, for a while, in case that word was lost
 */
record WaitingList(
    PMap<TaskId, Wish> wishes,
    PSet<FunctionId> turns,
    PMap<TaskId, Charge> charges,
    PMap<TaskId, Place> placed) {

  /** Wishes in a list; a further one is told so each time it is restated. */
  static final int WISHES_LIMIT = 10_000;

  /** Machines asked at a time. */
  static final int ASKED_LIMIT = 64;

  /** A wish is forgotten so long after its last word. */
  static final Duration WISH_VALID = Duration.ofSeconds(15);

  private static final Duration ASK_AGAIN = Duration.ofSeconds(2);
  private static final Duration PLACED_KEPT = Duration.ofSeconds(60);
  private static final int PLACED_LIMIT = 10_000;

  static final WaitingList EMPTY =
      new WaitingList(
          OrderedPMap.empty(), OrderedPSet.empty(), OrderedPMap.empty(), OrderedPMap.empty());

  /** A share of a machine whose advert of this number, and any before, does not show it. */
  record Charge(MachineId machine, Share share, long revision) {}

  /** Where a wish got its place, how much of the machine that is, where it is known, and when. */
  record Place(MachineId machine, @Nullable Share share, Instant at) {

    /** What the wish's function is told. */
    Placed word(TaskId task) {
      return new Placed(task, machine, share);
    }
  }

  /** The next list, and what is to be done. */
  record Step(WaitingList next, List<ListEffect> effects) {}

  boolean isEmpty() {
    return wishes.isEmpty();
  }

  boolean knows(TaskId task) {
    return wishes.containsKey(task);
  }

  /** Those who were told that they wait, by their positions. */
  List<Waiter> waiters() {
    List<Waiter> waiters = new ArrayList<>();
    for (Wish wish : wishes.values()) {
      Wish.Told told = wish.told();
      if (told != null) {
        waiters.add(
            new Waiter(wish.function(), wish.task(), told.position(), told.reason(), wish.since()));
      }
    }
    waiters.sort(Comparator.comparingInt(Waiter::position));
    return List.copyOf(waiters);
  }

  // ---- functions

  /** Takes a wish up, or hears that it still holds. */
  Step want(Want want, Instant now) {
    Place place = placed.get(want.task());
    if (place != null) {
      return step(tell(want.function(), place.word(want.task())));
    }
    Wish known = wishes.get(want.task());
    if (known != null) {
      WaitingList next = withWish(known.heard(now));
      Wish.Told told = known.told();
      return told == null ? next.step() : next.step(waits(known, told));
    }
    if (wishes.size() >= WISHES_LIMIT) {
      String reason = "waiting for a place in line: " + WISHES_LIMIT + " others are";
      return step(tell(want.function(), new Waits(want.task(), wishes.size() + 1, reason)));
    }
    return new WaitingList(
            wishes.plus(want.task(), Wish.of(want, now)),
            turns.plus(want.function()),
            charges,
            placed)
        .step();
  }

  /** Forgets a wish; what a machine that was asked grants for it is stopped then. */
  Step withdraw(TaskId task) {
    return without(task).step();
  }

  // ---- machines

  /** A machine has answered. */
  Step answered(GrantReply reply, Collection<MachineAdvert> machines, Instant now) {
    return switch (reply) {
      case GrantReply.Granted(var task, var machine) -> granted(task, machine, now);
      case GrantReply.Refused(var task, var machine, _) -> refused(task, machine, machines);
    };
  }

  private Step granted(TaskId task, MachineId machine, Instant now) {
    Wish wish = wishes.get(task);
    Place place = placed.get(task);
    if (wish == null) {
      return place != null && place.machine().equals(machine)
          ? step()
          : step(new Stop(machine, task));
    }
    Wish.Asked asked = wish.asked();
    Share share = asked != null && asked.machine().equals(machine) ? asked.launch().share() : null;
    Place given = new Place(machine, share, now);
    PMap<TaskId, Place> room =
        placed.size() < PLACED_LIMIT ? placed : placed.minus(placed.keySet().iterator().next());
    WaitingList next =
        new WaitingList(
            wishes.minus(task),
            turns.minus(wish.function()).plus(wish.function()),
            charges,
            room.plus(task, given));
    return next.step(tell(wish.function(), given.word(task)));
  }

  private Step refused(TaskId task, MachineId machine, Collection<MachineAdvert> machines) {
    Wish wish = wishes.get(task);
    Wish.Asked asked = wish == null ? null : wish.asked();
    if (wish == null || asked == null || !asked.machine().equals(machine)) {
      return step();
    }
    long revision =
        machines.stream()
            .filter(at -> at.machine().equals(machine))
            .mapToLong(MachineAdvert::revision)
            .findFirst()
            .orElse(-1);
    WaitingList next = withWish(wish.refusedBy(machine, revision));
    return new WaitingList(next.wishes, turns, charges.minus(task), placed).step();
  }

  /** Asks machines for those whose turn it is, as far as there is room. */
  Step serve(Collection<MachineAdvert> machines, Instant now) {
    WaitingList list = charged(machines);
    List<Wish> order = list.order();
    int asked = (int) wishes.values().stream().filter(wish -> wish.asked() != null).count();
    Round round =
        Round.over(order, list.withoutCharges(machines), Math.max(0, ASKED_LIMIT - asked), now);
    List<ListEffect> effects = new ArrayList<>();
    for (Round.Launching launching : round.launches()) {
      list = list.ask(launching, machines, now);
      effects.add(new Ask(launching.machine(), launching.launch()));
    }
    for (int i = 0; i < order.size(); i++) {
      Wish wish = order.get(i);
      String reason = round.reason(wish.task()).orElse(null);
      if (reason != null) {
        Wish.Told told = new Wish.Told(i + 1, reason);
        if (!told.equals(wish.told())) {
          list = list.withWish(wish.telling(told));
          effects.add(waits(wish, told));
        }
      }
    }
    return new Step(list, List.copyOf(effects));
  }

  private WaitingList ask(
      Round.Launching launching, Collection<MachineAdvert> machines, Instant now) {
    Wish wish = wishes.get(launching.task());
    long revision =
        machines.stream()
            .filter(at -> at.machine().equals(launching.machine()))
            .mapToLong(MachineAdvert::revision)
            .findFirst()
            .orElse(0);
    Charge charge = new Charge(launching.machine(), launching.launch().share(), revision);
    return wish == null
        ? this
        : new WaitingList(
            wishes.plus(
                wish.task(),
                wish.asking(new Wish.Asked(launching.machine(), launching.launch(), now))),
            turns,
            charges.plus(wish.task(), charge),
            placed);
  }

  // ---- time

  /** Forgets what was not restated, and asks again those that did not answer. */
  Step turn(Instant now) {
    WaitingList list = this;
    List<ListEffect> effects = new ArrayList<>();
    for (Wish wish : wishes.values()) {
      Wish.Asked asked = wish.asked();
      if (isPast(wish.heardAt(), WISH_VALID, now)) {
        list = list.without(wish.task());
      } else if (asked != null && isPast(asked.at(), ASK_AGAIN, now)) {
        list = list.withWish(wish.asking(new Wish.Asked(asked.machine(), asked.launch(), now)));
        effects.add(new Ask(asked.machine(), asked.launch()));
      }
    }
    PMap<TaskId, Place> kept = placed;
    for (Map.Entry<TaskId, Place> entry : placed.entrySet()) {
      if (isPast(entry.getValue().at(), PLACED_KEPT, now)) {
        kept = kept.minus(entry.getKey());
      }
    }
    return new Step(
        new WaitingList(list.wishes, list.turns, list.charges, kept), List.copyOf(effects));
  }

  // ---- order

  /** Whose turn it is: functions take turns, wishes of one stand by age. */
  List<Wish> order() {
    Map<FunctionId, Queue<Wish>> queues = new LinkedHashMap<>();
    turns.forEach(function -> queues.put(function, new ArrayDeque<>()));
    wishes.values().stream()
        .sorted(Comparator.comparing(Wish::since))
        .forEach(
            wish -> queues.computeIfAbsent(wish.function(), _ -> new ArrayDeque<>()).add(wish));
    Deque<Queue<Wish>> waiting = new ArrayDeque<>(queues.values());
    List<Wish> order = new ArrayList<>(wishes.size());
    while (!waiting.isEmpty()) {
      Queue<Wish> queue = waiting.remove();
      Wish first = queue.poll();
      if (first != null) {
        order.add(first);
        waiting.add(queue);
      }
    }
    return order;
  }

  // ----

  /** Without the charges that adverts show by now. */
  private WaitingList charged(Collection<MachineAdvert> machines) {
    PMap<TaskId, Charge> left = charges;
    for (Map.Entry<TaskId, Charge> entry : charges.entrySet()) {
      Charge charge = entry.getValue();
      boolean hidden =
          machines.stream()
              .anyMatch(
                  at ->
                      at.machine().equals(charge.machine()) && at.revision() <= charge.revision());
      if (!hidden) {
        left = left.minus(entry.getKey());
      }
    }
    return new WaitingList(wishes, turns, left, placed);
  }

  private Collection<MachineAdvert> withoutCharges(Collection<MachineAdvert> machines) {
    Map<MachineId, MachineAdvert> left = new LinkedHashMap<>();
    machines.forEach(at -> left.put(at.machine(), at));
    for (Charge charge : charges.values()) {
      left.computeIfPresent(charge.machine(), (_, at) -> Round.less(at, charge.share()));
    }
    return left.values();
  }

  private WaitingList withWish(Wish wish) {
    return new WaitingList(wishes.plus(wish.task(), wish), turns, charges, placed);
  }

  private WaitingList without(TaskId task) {
    Wish wish = wishes.get(task);
    if (wish == null) {
      return this;
    }
    PMap<TaskId, Wish> left = wishes.minus(task);
    boolean others = left.values().stream().anyMatch(at -> at.function().equals(wish.function()));
    return new WaitingList(left, others ? turns : turns.minus(wish.function()), charges, placed);
  }

  private static ListEffect waits(Wish wish, Wish.Told told) {
    return tell(wish.function(), new Waits(wish.task(), told.position(), told.reason()));
  }

  private static ListEffect tell(FunctionId function, FromMachine word) {
    return new Tell(function, word);
  }

  private Step step(ListEffect... effects) {
    return new Step(this, List.of(effects));
  }

  private static boolean isPast(Instant since, Duration limit, Instant now) {
    return !now.isBefore(since.plus(limit));
  }
}
