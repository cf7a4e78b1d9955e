package dev.troupe.actors.image;

import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.image.BuildRun.Step;
import dev.troupe.actors.image.ImageEvent.BuildFailed;
import dev.troupe.actors.image.ImageEvent.ImageBuilt;
import dev.troupe.actors.image.ImageProtocol.BuildNews;
import dev.troupe.actors.image.ImageProtocol.Chain;
import dev.troupe.actors.image.ImageProtocol.Command;
import dev.troupe.actors.image.ImageProtocol.Delete;
import dev.troupe.actors.image.ImageProtocol.Deletion;
import dev.troupe.actors.image.ImageProtocol.Describe;
import dev.troupe.actors.image.ImageProtocol.Ensure;
import dev.troupe.actors.image.ImageProtocol.Ensured;
import dev.troupe.actors.image.ImageProtocol.GetChain;
import dev.troupe.actors.image.ImageProtocol.GetRun;
import dev.troupe.actors.image.ImageProtocol.ImageReply;
import dev.troupe.actors.image.ImageProtocol.Join;
import dev.troupe.actors.image.ImageProtocol.LastRun;
import dev.troupe.actors.image.ImageProtocol.Layer;
import dev.troupe.actors.image.ImageProtocol.Line;
import dev.troupe.actors.image.ImageProtocol.Progress;
import dev.troupe.actors.image.ImageProtocol.Renew;
import dev.troupe.actors.image.ImageProtocol.RenewedBy;
import dev.troupe.actors.image.ImageProtocol.Run;
import dev.troupe.actors.node.NodeProtocol;
import dev.troupe.actors.placement.MachineBoard;
import dev.troupe.cluster.Decision;
import dev.troupe.cluster.Role;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
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
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.javadsl.CommandHandlerWithReply;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehaviorWithEnforcedReplies;
import org.apache.pekko.persistence.typed.javadsl.ReplyEffect;
import org.jspecify.annotations.Nullable;

/**
 * The entity of one image. A build waits for the image's base, asks it for the chain of layers,
 * chooses a machine, and restates its wish there until the end is reported. What is under way is
 * not recorded: after a restart of the server whoever asks next begins it anew.
 *
 * <pre>
 *   Ensure ──▶ base built? ──▶ chain ──▶ machine ──▶ lines … ──▶ Built | Failed
 *                  ▲ asks again            ▲ lost: chosen anew, three times at most
 * </pre>
 */
final class ImageActor
    extends EventSourcedBehaviorWithEnforcedReplies<Command, ImageEvent, ImageState> {

  private static final Duration TURN = Duration.ofMillis(500);
  private static final Duration IDLE_LIMIT = Duration.ofMinutes(2);
  private static final Duration BASE_PATIENCE = Duration.ofSeconds(20);
  private static final Duration ASK_LIMIT = Duration.ofSeconds(5);

  sealed interface Internal extends Command, NoSerializationVerificationNeeded {}

  private record Turn() implements Internal {}

  private record Idle() implements Internal {}

  /** What the base said of itself; null where it did not answer. */
  private record BaseHeard(@Nullable Progress progress) implements Internal {}

  /** The layers below; null where the base did not answer. */
  private record ChainHeard(@Nullable Chain below) implements Internal {}

  private record ChainAsked(@Nullable Chain below, ActorRef<Chain> replyTo) implements Internal {}

  /** What it needs from outside. */
  record World(
      MachineBoard board,
      Function<ImageId, RecipientRef<Command>> images,
      Function<MachineId, RecipientRef<NodeProtocol.Command>> machines,
      InstantSource clock) {}

  /** What a build waits for. */
  private sealed interface Stage {
    record Resting() implements Stage {}

    record Preparing() implements Stage {}

    record Running(BuildRun run, List<Layer> chain) implements Stage {}
  }

  private final ImageId id;
  private final ActorRef<ShardCommand> shard;
  private final World world;
  private final ActorContext<Command> context;
  private final TimerScheduler<Command> timers;
  private final BuildLog log;
  private final Joiners joiners;
  private Stage stage = new Stage.Resting();
  private String lastWord = "";

  // From the time on, so that no build of an entity on another process had the same number.
  private long builds;

  static Entity<Command, ShardingEnvelope<Command>> entity(World world) {
    return Entity.of(
            ImageProtocol.KEY, at -> create(new ImageId(at.getEntityId()), at.getShard(), world))
        .withRole(Role.CONTROL.word());
  }

  static Behavior<Command> create(ImageId id, ActorRef<ShardCommand> shard, World world) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(timers -> new ImageActor(id, shard, world, context, timers)));
  }

  private ImageActor(
      ImageId id,
      ActorRef<ShardCommand> shard,
      World world,
      ActorContext<Command> context,
      TimerScheduler<Command> timers) {
    super(PersistenceId.of(ImageProtocol.KEY.name(), id.value()));
    this.id = id;
    this.shard = shard;
    this.world = world;
    this.context = context;
    this.timers = timers;
    this.log = new BuildLog(now());
    this.builds = now().toEpochMilli() * 1_000;
    this.joiners = new Joiners(log);
    context.setReceiveTimeout(IDLE_LIMIT, new Idle());
  }

  @Override
  public ImageState emptyState() {
    return new ImageState.Undefined();
  }

  @Override
  public EventHandler<ImageState, ImageEvent> eventHandler() {
    return ImageState::apply;
  }

  @Override
  public CommandHandlerWithReply<Command, ImageEvent, ImageState> commandHandler() {
    return (state, command) ->
        switch (command) {
          case Internal internal -> go(state, internal);
          case Ensure(var layer, var replyTo) -> ensure(state.ensure(layer, now()), replyTo);
          case Renew(var by, var over, var replyTo) -> {
            Decision<ImageEvent, RenewedBy> decision = state.renew(by, over, now());
            yield Effect().persist(decision.events()).thenReply(replyTo, _ -> decision.reply());
          }
          case Describe(var replyTo) -> Effect().reply(replyTo, state.view(isBuilding()));
          case Join join -> run(() -> join(state, join));
          case GetChain(var replyTo) -> run(() -> tellChain(state, replyTo));
          case GetRun(var replyTo) -> Effect().reply(replyTo, new LastRun(lastRun(state)));
          case Delete(var replyTo) -> {
            Decision<ImageEvent, Deletion> decision = state.delete(isBuilding(), now());
            yield Effect().persist(decision.events()).thenReply(replyTo, _ -> decision.reply());
          }
          case BuildNews news -> hear(news);
        };
  }

  private ReplyEffect<ImageEvent, ImageState> go(ImageState state, Internal internal) {
    return switch (internal) {
      case Turn() -> turn(state);
      case BaseHeard(var progress) -> baseHeard(state, progress);
      case ChainHeard(var below) -> chainHeard(state, below);
      case ChainAsked(var below, var replyTo) -> run(() -> answerChain(state, below, replyTo));
      case Idle() -> run(this::leave);
    };
  }

  private ReplyEffect<ImageEvent, ImageState> run(Runnable work) {
    return Effect().none().thenRun(work::run).thenNoReply();
  }

  private ReplyEffect<ImageEvent, ImageState> ensure(
      Decision<ImageEvent, Ensured> decision, ActorRef<Ensured> replyTo) {
    return Effect()
        .persist(decision.events())
        .thenRun(
            (ImageState state) -> {
              switch (decision.reply()) {
                case ImageReply.Building() -> begin(state);
                case ImageReply.Built _,
                    ImageReply.Failed _,
                    ImageReply.Unknown _,
                    RenewedBy _ -> {}
              }
            })
        .thenReply(replyTo, _ -> decision.reply());
  }

  private void join(ImageState state, Join join) {
    switch (state.itself()) {
      // Its build was cut off by a restart.
      case ImageState.Unbuilt _ -> begin(state);
      case ImageState.Undefined _,
          ImageState.Done _,
          ImageState.Broken _,
          ImageState.Deleted _,
          ImageState.Renewed _ -> {}
    }
    joiners.join(join, end(state), now());
  }

  // ---- a build: its base, its chain

  private void begin(ImageState state) {
    if (isBuilding()) {
      return;
    }
    log.clear();
    lastWord = "";
    stage = new Stage.Preparing();
    timers.startTimerWithFixedDelay(new Turn(), TURN);
    prepare(state);
  }

  private void prepare(ImageState state) {
    ImageId base = state.defined().base();
    if (base == null) {
      start(List.of(state.defined()), 1);
      return;
    }
    context.ask(
        Progress.class,
        world.images().apply(base),
        BASE_PATIENCE.plus(ASK_LIMIT),
        replyTo -> new Join(Long.MAX_VALUE, BASE_PATIENCE, replyTo),
        (progress, failure) -> new BaseHeard(failure == null ? progress : null));
  }

  private ReplyEffect<ImageEvent, ImageState> baseHeard(
      ImageState state, @Nullable Progress progress) {
    if (!(stage instanceof Stage.Preparing)) {
      return Effect().noReply();
    }
    ImageId base = state.defined().base();
    return switch (progress == null ? null : progress.end()) {
      case null -> run(() -> prepare(state));
      case ImageReply.Building() -> run(() -> prepare(state));
      case ImageReply.Built _ -> run(() -> askChain(state));
      case ImageReply.Failed(var why) -> fail("its base image %s failed: %s".formatted(base, why));
      case ImageReply.Unknown() -> fail("its base image %s is not known here".formatted(base));
    };
  }

  private void askChain(ImageState state) {
    ImageId base = state.defined().base();
    if (base != null) {
      askChain(base, ChainHeard::new);
    }
  }

  private ReplyEffect<ImageEvent, ImageState> chainHeard(ImageState state, @Nullable Chain below) {
    if (!(stage instanceof Stage.Preparing)) {
      return Effect().noReply();
    }
    if (below == null) {
      return run(() -> askChain(state));
    }
    return below.layers().isEmpty()
        ? fail("an image that it stands on is not known here")
        : run(() -> start(chain(below, state.defined()), 1));
  }

  private void askChain(ImageId base, Function<@Nullable Chain, Command> then) {
    context.ask(
        Chain.class,
        world.images().apply(base),
        ASK_LIMIT,
        GetChain::new,
        (below, failure) -> then.apply(failure == null ? below : null));
  }

  private void tellChain(ImageState state, ActorRef<Chain> replyTo) {
    switch (state.itself()) {
      case ImageState.Undefined() -> replyTo.tell(new Chain(List.of()));
      case ImageState.Unbuilt _,
          ImageState.Done _,
          ImageState.Broken _,
          ImageState.Deleted _,
          ImageState.Renewed _ -> {
        ImageId base = state.defined().base();
        if (base == null) {
          replyTo.tell(new Chain(List.of(state.defined())));
        } else {
          askChain(base, below -> new ChainAsked(below, replyTo));
        }
      }
    }
  }

  /** Where the base did not answer, the asker's patience ends too, and it asks again. */
  private static void answerChain(
      ImageState state, @Nullable Chain below, ActorRef<Chain> replyTo) {
    if (below != null) {
      replyTo.tell(new Chain(below.layers().isEmpty() ? List.of() : chain(below, state.defined())));
    }
  }

  private static List<Layer> chain(Chain below, Layer layer) {
    return Stream.concat(below.layers().stream(), Stream.of(layer)).toList();
  }

  // ---- a build: its machine

  private void start(List<Layer> chain, int attempt) {
    builds++;
    String build = id + "-" + builds;
    stage = new Stage.Running(BuildRun.of(attempt, build, chain.getLast().base(), now()), chain);
    context.getSelf().tell(new Turn());
  }

  private ReplyEffect<ImageEvent, ImageState> turn(ImageState state) {
    joiners.settle(end(state), now());
    return switch (stage) {
      case Stage.Resting _, Stage.Preparing _ -> Effect().noReply();
      case Stage.Running(var before, var chain) -> {
        BuildRun run = before.seen(world.board().machines(), now());
        stage = new Stage.Running(run, chain);
        yield switch (run.next(world.board().machines(), now())) {
          case Step.Wait() -> Effect().noReply();
          case Step.NoMachine() ->
              run(() -> say(state, "waiting for a machine: none is connected"));
          case Step.Tell(var machine) -> run(() -> tell(state, run, machine, chain));
          case Step.Lost(var why) -> lost(state, run, why, chain);
        };
      }
    };
  }

  private void tell(ImageState state, BuildRun run, MachineId machine, List<Layer> chain) {
    say(state, "building on machine " + machine);
    stage = new Stage.Running(run.told(machine, now()), chain);
    world.machines().apply(machine).tell(new NodeProtocol.Build(run.build(), id, chain));
  }

  private ReplyEffect<ImageEvent, ImageState> lost(
      ImageState state, BuildRun run, String why, List<Layer> chain) {
    if (run.number() >= BuildRun.ATTEMPTS_LIMIT) {
      return fail("the build was lost %d times, at last since %s".formatted(run.number(), why));
    }
    return run(
        () -> {
          say(state, "the build was lost, since " + why + "; it begins again");
          start(chain, run.number() + 1);
        });
  }

  private ReplyEffect<ImageEvent, ImageState> hear(BuildNews news) {
    return switch (stage) {
      case Stage.Running(var run, var chain) when run.build().equals(news.build()) -> {
        long last = run.lastLine();
        for (Line line : news.lines()) {
          if (line.number() > last) {
            log.add(line.at(), line.stream(), line.text());
            last = line.number();
          }
        }
        stage = new Stage.Running(run.heard(news.lines(), now()), chain);
        yield outcome(news);
      }
      case Stage.Resting _, Stage.Preparing _, Stage.Running _ -> Effect().noReply();
    };
  }

  private ReplyEffect<ImageEvent, ImageState> outcome(BuildNews news) {
    if (news.built() != null) {
      return finish(new ImageBuilt(news.built(), lastRun(null), now()));
    }
    if (news.failure() != null) {
      return fail(news.failure());
    }
    return Effect()
        .none()
        .thenRun((ImageState state) -> joiners.settle(end(state), now()))
        .thenNoReply();
  }

  private ReplyEffect<ImageEvent, ImageState> fail(String why) {
    return finish(new BuildFailed(why, lastRun(null), now()));
  }

  private ReplyEffect<ImageEvent, ImageState> finish(ImageEvent event) {
    return Effect()
        .persist(event)
        .thenRun(
            (ImageState state) -> {
              stage = new Stage.Resting();
              timers.cancel(new Turn());
              joiners.settle(end(state), now());
              log.keepTail();
            })
        .thenNoReply();
  }

  // ----

  private void say(ImageState state, String text) {
    if (!text.equals(lastWord)) {
      lastWord = text;
      log.say(now(), text);
      joiners.settle(end(state), now());
    }
  }

  /** The build under way, or else the last one. */
  private @Nullable Run lastRun(@Nullable ImageState state) {
    return switch (stage) {
      case Stage.Running(var run, _) -> run.record(now());
      case Stage.Resting _, Stage.Preparing _ -> state == null ? null : state.lastRun();
    };
  }

  /** How the last build ended; null while one is under way. */
  private @Nullable ImageReply end(ImageState state) {
    return isBuilding() ? null : state.view(false);
  }

  private boolean isBuilding() {
    return !(stage instanceof Stage.Resting);
  }

  private void leave() {
    if (!isBuilding()) {
      shard.tell(new Passivate<>(context.getSelf()));
    }
  }

  private Instant now() {
    return world.clock().instant();
  }
}
