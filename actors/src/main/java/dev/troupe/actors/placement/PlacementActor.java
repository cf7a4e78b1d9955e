package dev.troupe.actors.placement;

import dev.troupe.actors.function.FunctionProtocol;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.node.NodeProtocol;
import dev.troupe.actors.node.NodeProtocol.Grant;
import dev.troupe.actors.node.NodeProtocol.GrantReply;
import dev.troupe.actors.node.NodeProtocol.StopTask;
import dev.troupe.actors.placement.PlacementProtocol.Command;
import dev.troupe.actors.placement.PlacementProtocol.ListWaiting;
import dev.troupe.actors.placement.PlacementProtocol.Waiting;
import dev.troupe.actors.placement.PlacementProtocol.Want;
import dev.troupe.actors.placement.PlacementProtocol.Withdraw;
import dev.troupe.cluster.Role;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.function.Function;
import org.apache.pekko.actor.NoSerializationVerificationNeeded;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.RecipientRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.cluster.sharding.typed.ShardingEnvelope;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding.Passivate;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding.ShardCommand;
import org.apache.pekko.cluster.sharding.typed.javadsl.Entity;

/**
 * The waiting list of one pool: carries out what {@link WaitingList} decides. Nothing of it is
 * recorded: wishes are restated, so that a list which moved is whole again within seconds.
 */
final class PlacementActor {

  private static final Duration TURN = Duration.ofSeconds(1);

  // Many adverts and wishes come together: one pass over the list is for all of them.
  private static final Duration GATHER = Duration.ofMillis(10);

  private static final Duration IDLE_LIMIT = Duration.ofMinutes(2);

  sealed interface Internal extends Command, NoSerializationVerificationNeeded {}

  private record Turn() implements Internal {}

  private record Serve() implements Internal {}

  private record Advertised(MachineAdvert advert) implements Internal {}

  private record Answered(GrantReply reply) implements Internal {}

  /** What it needs from outside; {@code board} is what is known of machines at the start. */
  record World(
      MachineBoard board,
      Function<FunctionId, RecipientRef<FunctionProtocol.Command>> functions,
      Function<MachineId, RecipientRef<NodeProtocol.Command>> machines,
      InstantSource clock) {}

  private final ActorRef<ShardCommand> shard;
  private final World world;
  private final ActorContext<Command> context;
  private final TimerScheduler<Command> timers;
  private final ActorRef<GrantReply> answers;
  private WaitingList list = WaitingList.EMPTY;
  private MachineTable table = MachineTable.EMPTY;
  private boolean gathering;
  private Instant lastWish;

  static Entity<Command, ShardingEnvelope<Command>> entity(World world) {
    return Entity.of(PlacementProtocol.KEY, at -> create(at.getShard(), world))
        .withRole(Role.CONTROL.word());
  }

  static Behavior<Command> create(ActorRef<ShardCommand> shard, World world) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> new PlacementActor(shard, world, context, timers).behavior()));
  }

  private PlacementActor(
      ActorRef<ShardCommand> shard,
      World world,
      ActorContext<Command> context,
      TimerScheduler<Command> timers) {
    this.shard = shard;
    this.world = world;
    this.context = context;
    this.timers = timers;
    this.answers = context.messageAdapter(GrantReply.class, Answered::new);
    this.lastWish = now();
    world.board().follow(context.messageAdapter(MachineAdvert.class, Advertised::new));
    world.board().machines().forEach(advert -> table = table.plus(advert, now()));
    timers.startTimerWithFixedDelay(new Turn(), TURN);
  }

  private Behavior<Command> behavior() {
    return Behaviors.receiveMessage(
        command -> {
          handle(command);
          return Behaviors.same();
        });
  }

  private void handle(Command command) {
    switch (command) {
      case Want want -> {
        lastWish = now();
        boolean known = list.knows(want.task());
        carryOut(list.want(want, now()));
        if (!known) {
          gather();
        }
      }
      case Withdraw(var task) -> {
        carryOut(list.withdraw(task));
        gather();
      }
      case ListWaiting(var replyTo) -> replyTo.tell(new Waiting(list.waiters()));
      case Answered(var reply) -> {
        carryOut(list.answered(reply, machines(), now()));
        gather();
      }
      case Advertised(var advert) -> {
        table = table.plus(advert, now());
        gather();
      }
      case Serve() -> {
        gathering = false;
        carryOut(list.serve(machines(), now()));
      }
      case Turn() -> turn();
    }
  }

  private void turn() {
    table = table.at(now());
    carryOut(list.turn(now()));
    gather();
    if (list.isEmpty() && !now().isBefore(lastWish.plus(IDLE_LIMIT))) {
      shard.tell(new Passivate<>(context.getSelf()));
    }
  }

  private void gather() {
    if (!gathering && !list.isEmpty()) {
      gathering = true;
      timers.startSingleTimer(new Serve(), GATHER);
    }
  }

  private void carryOut(WaitingList.Step step) {
    list = step.next();
    for (ListEffect effect : step.effects()) {
      switch (effect) {
        case ListEffect.Ask(var machine, var launch) ->
            world.machines().apply(machine).tell(new Grant(launch, answers));
        case ListEffect.Tell(var function, var word) ->
            world.functions().apply(function).tell(word);
        case ListEffect.Stop(var machine, var task) ->
            world.machines().apply(machine).tell(new StopTask(task, Duration.ZERO));
      }
    }
  }

  private Collection<MachineAdvert> machines() {
    return table.machines();
  }

  private Instant now() {
    return world.clock().instant();
  }
}
