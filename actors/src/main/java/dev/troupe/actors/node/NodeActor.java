package dev.troupe.actors.node;

import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.directory.Listing;
import dev.troupe.actors.function.FunctionProtocol;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.node.NodeProtocol.Attribute;
import dev.troupe.actors.node.NodeProtocol.Build;
import dev.troupe.actors.node.NodeProtocol.Capacity;
import dev.troupe.actors.node.NodeProtocol.Command;
import dev.troupe.actors.node.NodeProtocol.Condition;
import dev.troupe.actors.node.NodeProtocol.Connected;
import dev.troupe.actors.node.NodeProtocol.Describe;
import dev.troupe.actors.node.NodeProtocol.Disconnected;
import dev.troupe.actors.node.NodeProtocol.Drain;
import dev.troupe.actors.node.NodeProtocol.DrainReply;
import dev.troupe.actors.node.NodeProtocol.Grant;
import dev.troupe.actors.node.NodeProtocol.GrantReply;
import dev.troupe.actors.node.NodeProtocol.MachineView;
import dev.troupe.actors.node.NodeProtocol.Order;
import dev.troupe.actors.node.NodeProtocol.Remove;
import dev.troupe.actors.node.NodeProtocol.RemoveReply;
import dev.troupe.actors.node.NodeProtocol.ReportContainers;
import dev.troupe.actors.node.NodeProtocol.StopTask;
import dev.troupe.actors.node.NodeProtocol.TaskChanged;
import dev.troupe.cluster.Role;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
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
import org.jspecify.annotations.Nullable;

/**
 * The counterpart of one machine's agent: carries out what {@link NodeState} decides. Nothing of it
 * is recorded but the machine's directory entry: the agent's next full report makes it whole.
 */
final class NodeActor {

  private static final Duration TURN = Duration.ofSeconds(1);

  // A machine that is away for longer holds no interest; its agent's next link starts anew.
  private static final Duration AWAY_LIMIT = Duration.ofMinutes(10);

  sealed interface Internal extends Command, NoSerializationVerificationNeeded {}

  private record Turn() implements Internal {}

  private record Advertise() implements Internal {}

  private record LinkGone(String linkId) implements Internal {}

  private record Listed(Listing.Word word) implements Internal {}

  /** What it needs from outside; {@code adverts} is where the machine is advertised. */
  record World(
      Directory directory,
      Function<FunctionId, RecipientRef<FunctionProtocol.Command>> functions,
      Adverts adverts,
      InstantSource clock) {}

  private final MachineId machine;
  private final ActorRef<ShardCommand> shard;
  private final World world;
  private final ActorContext<Command> context;
  private final Listing<Command> listing;
  private final Advertiser advertiser;
  private NodeState state;
  private @Nullable ActorRef<Order> link;
  private Map<String, String> labels = Map.of();
  private List<ImageId> images = List.of();
  private Condition condition = Condition.UNKNOWN;
  private boolean draining;

  static Entity<Command, ShardingEnvelope<Command>> entity(World world) {
    return Entity.of(
            NodeProtocol.KEY, at -> create(new MachineId(at.getEntityId()), at.getShard(), world))
        .withRole(Role.CONTROL.word());
  }

  static Behavior<Command> create(MachineId machine, ActorRef<ShardCommand> shard, World world) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> new NodeActor(machine, shard, world, context, timers).behavior()));
  }

  private NodeActor(
      MachineId machine,
      ActorRef<ShardCommand> shard,
      World world,
      ActorContext<Command> context,
      TimerScheduler<Command> timers) {
    this.machine = machine;
    this.shard = shard;
    this.world = world;
    this.context = context;
    this.listing = new Listing<>(context, Listed::new);
    this.state = NodeState.unknown(machine, now());
    this.advertiser =
        new Advertiser(
            machine,
            world.adverts(),
            delay -> timers.startSingleTimer(new Advertise(), delay),
            now());
    timers.startTimerWithFixedDelay(new Turn(), TURN);
  }

  private Behavior<Command> behavior() {
    return Behaviors.receiveMessage(
        command -> {
          handle(command);
          advertiser.show(state, !draining, images, labels, now());
          return Behaviors.same();
        });
  }

  private void handle(Command command) {
    switch (command) {
      case Grant(var launch, var replyTo) when draining && !state.knows(launch.task()) ->
          replyTo.tell(
              new GrantReply.Refused(
                  launch.task(), machine, "machine " + machine + " is being drained"));
      case Grant(var launch, var replyTo) -> carryOut(state.grant(launch, now()), replyTo);
      case StopTask(var task, var grace) -> carryOut(state.stop(task, grace), null);
      case ReportContainers(var function) -> carryOut(state.report(function), null);
      case Build(var build, var image, var layers) ->
          send(new Order.BuildImage(build, image, layers));
      case Connected connected -> connect(connected);
      case Disconnected(var linkId, var why, var silent) -> disconnect(linkId, why, silent);
      case TaskChanged(var linkId, var report) ->
          carryOut(state.changed(linkId, report, now()), null);
      case Describe(var replyTo) -> replyTo.tell(view());
      case Drain(var replyTo) -> replyTo.tell(drain());
      case Remove(var replyTo) -> replyTo.tell(remove());
      case Turn() -> turn();
      case Advertise() -> advertiser.due(now());
      case LinkGone(var linkId) -> disconnect(linkId, "the link ended", Duration.ZERO);
      case Listed(var word) -> listing.take(word);
    }
  }

  private void carryOut(NodeState.Step step, @Nullable ActorRef<GrantReply> asker) {
    state = step.next();
    for (NodeEffect effect : step.effects()) {
      switch (effect) {
        case NodeEffect.Answer(var reply) -> {
          if (asker != null) {
            asker.tell(reply);
          }
        }
        case NodeEffect.Tell(var function, var word) ->
            world.functions().apply(function).tell(word);
        case NodeEffect.Send(var order) -> send(order);
      }
    }
  }

  private void send(Order order) {
    if (link != null) {
      link.tell(order);
    }
  }

  // ---- the link

  private void connect(Connected connected) {
    String before = state.link();
    NodeState.Step step =
        state.connected(
            connected.linkId(),
            connected.capacity(),
            connected.tasks(),
            connected.pending(),
            now());
    if (!connected.linkId().equals(step.next().link())) {
      return;
    }
    if (!connected.link().equals(link) || !connected.linkId().equals(before)) {
      follow(connected.link(), connected.linkId());
    }
    labels = connected.labels();
    images = connected.images();
    condition = connected.condition();
    // The agent knows best; what it was told over this link it may not have heard yet.
    draining = condition.draining() || (draining && connected.linkId().equals(before));
    carryOut(step, null);
    if (!connected.linkId().equals(before)) {
      long live = connected.tasks().stream().filter(task -> task.ending() == null).count();
      context.getLog().info("Machine {} is connected with {} containers", machine, live);
      listing.wish(() -> list(connected.capacity()));
    }
  }

  private void follow(ActorRef<Order> newLink, String linkId) {
    if (link != null) {
      context.unwatch(link);
    }
    link = newLink;
    context.watchWith(newLink, new LinkGone(linkId));
  }

  private void disconnect(String linkId, String why, Duration silent) {
    if (linkId.equals(state.link())) {
      context.getLog().info("Machine {} has lost its link: {}", machine, why);
      // What counts is the machine's last word, however long it took to see that it was.
      state = state.disconnected(linkId, now().minus(silent));
      if (link != null) {
        context.unwatch(link);
        link = null;
      }
    }
  }

  // ---- leaving

  private DrainReply drain() {
    if (!state.isLinked()) {
      return DrainReply.AWAY;
    }
    draining = true;
    send(new Order.Drain());
    return DrainReply.DRAINING;
  }

  private RemoveReply remove() {
    if (state.isLinked()) {
      return RemoveReply.LINKED;
    }
    context.getLog().info("Machine {} is removed", machine);
    carryOut(state.removed(), null);
    shard.tell(new Passivate<>(context.getSelf()));
    return RemoveReply.REMOVED;
  }

  /** Adds to the entry, which may be that of the machine's enrolment. */
  private CompletionStage<Void> list(Capacity capacity) {
    Instant now = now();
    return world
        .directory()
        .byId(Kind.MACHINE, machine.value())
        .thenCompose(
            found -> {
              Map<String, String> attributes =
                  new HashMap<>(found.map(Entry::attributes).orElse(Map.of()));
              attributes.put(Attribute.CPU_MILLIS, Integer.toString(capacity.cpuMillis()));
              attributes.put(Attribute.MEMORY_BYTES, Long.toString(capacity.memoryBytes()));
              attributes.put(Attribute.GPUS, String.join(",", capacity.gpus()));
              return found.isPresent()
                  ? world.directory().update(Kind.MACHINE, machine.value(), attributes)
                  : world
                      .directory()
                      .put(
                          new Entry(
                              Kind.MACHINE,
                              "",
                              machine.value(),
                              machine.value(),
                              now,
                              Map.copyOf(attributes)));
            });
  }

  // ---- time

  private void turn() {
    carryOut(state.turn(now()), null);
    advertiser.renew(now());
    if (draining && !condition.draining()) {
      send(new Order.Drain());
    }
    if (!state.isLinked() && !now().isBefore(state.linkSince().plus(AWAY_LIMIT))) {
      shard.tell(new Passivate<>(context.getSelf()));
    }
  }

  private MachineView view() {
    return new MachineView(
        machine,
        state.isLinked(),
        draining,
        state.linkSince(),
        condition,
        state.ledger().capacity(),
        state.ledger().free(),
        labels,
        images,
        state.ledger().holdings().values().stream().map(Holding::report).toList());
  }

  private Instant now() {
    return world.clock().instant();
  }
}
