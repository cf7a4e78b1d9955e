package dev.troupe.actors.function;

import dev.troupe.actors.app.AppProtocol.ContainerPhase;
import dev.troupe.actors.app.AppProtocol.Item;
import dev.troupe.actors.function.Container.Phase;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.node.NodeProtocol;
import dev.troupe.actors.node.NodeProtocol.GrantReply;
import dev.troupe.actors.node.NodeProtocol.Launch;
import dev.troupe.actors.placement.Placement;
import dev.troupe.actors.placement.PlacementProtocol;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * Finds machines for a function's containers: asks the best one, then another, then joins the
 * waiting list of the pool. Part of its {@link Fleet}.
 */
final class Seats {

  private static final int MOST_REFUSALS = 2;

  // A place of which nothing is known but the machine can't be asked for again: this long it may
  // take to show.
  private static final Duration PLACE_PATIENCE = Duration.ofSeconds(60);

  private final FunctionId function;
  private final World world;
  private final ActorRef<GrantReply> grants;
  private final Consumer<Item> news;
  private final WaitNotice notice = new WaitNotice();

  Seats(FunctionId function, World world, ActorRef<GrantReply> grants, Consumer<Item> news) {
    this.function = function;
    this.world = world;
    this.grants = grants;
    this.news = news;
  }

  /** Asks a machine, or joins the waiting list where none has room. */
  void find(Container container, Instant now) {
    FunctionDefinition definition = container.definition();
    Placement.Choice choice =
        Placement.choose(
            world.board().machines(),
            definition.resources(),
            definition.image(),
            container.refusedBy());
    switch (choice) {
      case Placement.Choice.Place(var machine, var share) -> {
        container.asked(machine, new Launch(container.task(), definition, share));
        ask(container, now);
      }
      case Placement.Choice.NoRoom(var reason) -> waits(container, reason, now);
    }
  }

  /** A machine has no room after all; true where the container is to be given up for another. */
  boolean refused(Container container, MachineId machine, String why, Instant now) {
    if (container.phase() == Phase.PLACED && machine.equals(container.machine())) {
      // It granted once and knows nothing of that any more: another one is wanted.
      return true;
    }
    if (container.phase() == Phase.ASKING && container.refusedBy().add(machine)) {
      if (container.refusedBy().size() < MOST_REFUSALS) {
        find(container, now);
      } else {
        waits(container, "waiting for room: " + why, now);
      }
    }
    return false;
  }

  /** It has its place; {@code share} of it where it was granted to a waiting list. */
  void placed(
      Container container, MachineId machine, NodeProtocol.@Nullable Share share, Instant now) {
    if (share != null) {
      container.asked(machine, new Launch(container.task(), container.definition(), share));
    } else if (!machine.equals(container.machine())) {
      // Not the one that was asked: what was asked of that one is no order for this one.
      container.granted(machine);
    }
    if (container.reach(Phase.PLACED, now)) {
      notice.over();
      news.accept(new Item.LogsOn(machine));
      news.accept(new Item.Container(container.task(), function, ContainerPhase.ASSIGNED));
    }
  }

  /** It waits for capacity, in the list of its pool. */
  void waits(Container container, String reason, Instant now) {
    if (container.phase().compareTo(Phase.WAITING) > 0) {
      return;
    }
    container.waitReason(reason);
    if (container.reach(Phase.WAITING, now)) {
      want(container, now);
    }
    announce(container, now);
  }

  private void announce(Container container, Instant now) {
    String reason = container.waitReason();
    if (reason != null && notice.isNews(reason, now)) {
      news.accept(new Item.Notice(function, container.definition().name() + " is " + reason));
    }
  }

  /** Says again what a container waits for, from time to time. */
  void restate(Container container, Instant now) {
    if (container.phase() == Phase.WAITING) {
      announce(container, now);
    }
    if (container.restateDue(now, Fleet.RESTATE)) {
      switch (container.phase()) {
        case WAITING -> want(container, now);
        // The same machine is asked again, never another: it may have granted, and its word be
        // lost.
        case ASKING, PLACED -> ask(container, now);
        case STARTED, SERVING, LEAVING -> {}
      }
    }
  }

  /** Whether a place that can't be asked for again did not come true. */
  boolean lapsed(Container container, Instant now) {
    return container.phase() == Phase.PLACED
        && container.launch() == null
        && container.spokeAt().plus(PLACE_PATIENCE).isBefore(now);
  }

  /** The machine is told again: it answers a grant it knows like the first. */
  private void ask(Container container, Instant now) {
    MachineId machine = container.machine();
    Launch launch = container.launch();
    if (machine != null && launch != null) {
      container.restated(now);
      world.mail().machine(machine, new NodeProtocol.Grant(launch, grants));
    }
  }

  private void want(Container container, Instant now) {
    container.restated(now);
    world
        .mail()
        .pool(
            PlacementProtocol.poolOf(container.definition().resources()),
            new PlacementProtocol.Want(
                function, container.task(), container.definition(), container.wantedAt()));
  }
}
