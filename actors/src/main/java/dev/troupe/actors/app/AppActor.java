package dev.troupe.actors.app;

import dev.troupe.actors.app.AppEvent.AppCreated;
import dev.troupe.actors.app.AppEvent.AppStopped;
import dev.troupe.actors.app.AppEvent.ObjectRegistered;
import dev.troupe.actors.app.AppEvent.StopBegun;
import dev.troupe.actors.app.AppEvent.VersionPublished;
import dev.troupe.actors.app.AppListing.Scope;
import dev.troupe.actors.app.AppProtocol.AppReply;
import dev.troupe.actors.app.AppProtocol.Busy;
import dev.troupe.actors.app.AppProtocol.Command;
import dev.troupe.actors.app.AppProtocol.Create;
import dev.troupe.actors.app.AppProtocol.Describe;
import dev.troupe.actors.app.AppProtocol.Disconnect;
import dev.troupe.actors.app.AppProtocol.Follow;
import dev.troupe.actors.app.AppProtocol.Heartbeat;
import dev.troupe.actors.app.AppProtocol.History;
import dev.troupe.actors.app.AppProtocol.HistoryReply;
import dev.troupe.actors.app.AppProtocol.Item;
import dev.troupe.actors.app.AppProtocol.Phase;
import dev.troupe.actors.app.AppProtocol.Publish;
import dev.troupe.actors.app.AppProtocol.PublishReply;
import dev.troupe.actors.app.AppProtocol.Register;
import dev.troupe.actors.app.AppProtocol.Rollback;
import dev.troupe.actors.app.AppProtocol.Rollover;
import dev.troupe.actors.app.AppProtocol.StopApp;
import dev.troupe.actors.app.AppProtocol.Tell;
import dev.troupe.actors.app.AppState.Absent;
import dev.troupe.actors.app.AppState.Made;
import dev.troupe.actors.app.AppState.Outcome;
import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Listing;
import dev.troupe.actors.function.FunctionProtocol;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.cluster.Decision;
import dev.troupe.cluster.Role;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
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
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.RecoveryCompleted;
import org.apache.pekko.persistence.typed.javadsl.CommandHandlerWithReply;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehaviorWithEnforcedReplies;
import org.apache.pekko.persistence.typed.javadsl.ReplyEffect;
import org.apache.pekko.persistence.typed.javadsl.SignalHandler;
import org.jspecify.annotations.Nullable;

/**
 * The entity of one app. What it decides is recorded first, then carried out by its functions, then
 * listed in the directory, then answered; each of these is restated until it holds, also after a
 * restart in between.
 */
final class AppActor extends EventSourcedBehaviorWithEnforcedReplies<Command, AppEvent, AppState> {

  private static final Duration TURN = Duration.ofSeconds(2);
  private static final Duration IDLE_LIMIT = Duration.ofMinutes(2);

  // Who asked for a publication long ago has given up; repeats of one request are few.
  private static final int PUBLISHERS_LIMIT = 100;

  /** What the app says to itself, and what wakes it. */
  sealed interface Internal extends Command, NoSerializationVerificationNeeded {}

  /** Wakes the entity; says nothing else. */
  record Wake() implements Internal {}

  record Listed(Listing.Word word) implements Internal {}

  record TakenUp(FunctionId function, int version) implements Internal {}

  record NotConfirmed(FunctionId function) implements Internal {}

  record Stopped(FunctionId function) implements Internal {}

  private record Turn() implements Internal {}

  /** What the directory said at the start; {@code entry} is null where there is none. */
  private record Found(@Nullable Entry entry) implements Internal {}

  private record NotFound(Throwable failure) implements Internal {}

  /** What it needs from outside. */
  record World(
      Directory directory,
      Function<FunctionId, RecipientRef<FunctionProtocol.Command>> functions,
      InstantSource clock) {}

  /** How far the live version has got. */
  private enum Rollout {
    /** Not known yet: the directory is being asked. */
    UNKNOWN,
    /** Functions have not all taken it up. */
    FUNCTIONS,
    /** The directory does not say so yet. */
    LISTING,
    DONE
  }

  private record Publisher(ActorRef<PublishReply> replyTo, PublishReply reply) {}

  private final AppId id;
  private final ActorRef<ShardCommand> shard;
  private final World world;
  private final ActorContext<Command> context;
  private final AppListing listing;
  private final Errands errands;
  private final NewsFeed feed;
  private final List<Publisher> publishers = new ArrayList<>();
  private Rollout rollout = Rollout.DONE;
  private AppLife life;
  private int containersListed;
  private Instant lastWord;

  static Entity<Command, ShardingEnvelope<Command>> entity(World world) {
    return Entity.of(
            AppProtocol.KEY, at -> create(new AppId(at.getEntityId()), at.getShard(), world))
        .withRole(Role.CONTROL.word());
  }

  static Behavior<Command> create(AppId id, ActorRef<ShardCommand> shard, World world) {
    return Behaviors.setup(
        context -> Behaviors.withTimers(timers -> new AppActor(id, shard, world, context, timers)));
  }

  private AppActor(
      AppId id,
      ActorRef<ShardCommand> shard,
      World world,
      ActorContext<Command> context,
      TimerScheduler<Command> timers) {
    super(PersistenceId.of(AppProtocol.KEY.name(), id.value()));
    this.id = id;
    this.shard = shard;
    this.world = world;
    this.context = context;
    this.listing = new AppListing(context, world.directory(), id);
    this.errands = new Errands(context, world.functions());
    this.lastWord = now();
    this.life = AppLife.fresh(lastWord);
    this.feed = new NewsFeed(lastWord);
    timers.startTimerWithFixedDelay(new Turn(), TURN);
  }

  @Override
  public AppState emptyState() {
    return new Absent();
  }

  @Override
  public EventHandler<AppState, AppEvent> eventHandler() {
    return AppState::apply;
  }

  @Override
  public SignalHandler<AppState> signalHandler() {
    return newSignalHandlerBuilder()
        .onSignal(RecoveryCompleted.instance(), (Consumer<AppState>) this::resume)
        .build();
  }

  @Override
  public CommandHandlerWithReply<Command, AppEvent, AppState> commandHandler() {
    return (state, command) -> {
      hear(command);
      return switch (command) {
        case Internal internal -> go(state, internal);
        case Create create -> carryOut(state.create(created(create)), create.replyTo());
        case Register(var object, var replyTo) -> carryOut(state.register(object), replyTo);
        case Publish publish ->
            publish(
                state.publish(
                    publish.phase(), publish.name(), layout(publish), publish.deployer(), now()),
                state,
                publish.replyTo());
        case Rollback(var version, var deployer, var replyTo) ->
            publish(state.rollback(version, deployer, now()), state, replyTo);
        case Rollover(var deployer, var replyTo) ->
            publish(state.rollover(deployer, now()), state, replyTo);
        case History(var replyTo) -> Effect().reply(replyTo, new HistoryReply(state.versions()));
        case Heartbeat(var replyTo) -> carryOut(Decision.reply(state.heartbeat()), replyTo);
        case Disconnect(var reason, var replyTo) ->
            carryOut(state.disconnect(reason, now()), replyTo);
        case StopApp(var source, var by, var replyTo) ->
            carryOut(state.stop("stopped by " + source, by, now()), replyTo);
        case Describe(var replyTo) -> Effect().reply(replyTo, answer(state, Outcome.OK));
        case Follow(var follower, var after) ->
            progress(state, () -> feed.follow(follower, after, now()));
        case Tell(var item) -> progress(state, () -> feed.publish(item, now()));
        case Busy _ -> progress(state, () -> {});
      };
    };
  }

  private ReplyEffect<AppEvent, AppState> go(AppState state, Internal internal) {
    return switch (internal) {
      case Wake(), NotConfirmed _ -> progress(state, () -> {});
      case Listed(var word) -> progress(state, () -> listing.take(word));
      case TakenUp(var function, var version) ->
          progress(state, () -> errands.published(function, version));
      case Stopped(var function) -> progress(state, () -> errands.stopped(function));
      case Found(var entry) -> progress(state, () -> catchUp(state, entry));
      case NotFound(var failure) ->
          progress(state, () -> context.getLog().warn("Directory read failed", failure));
      case Turn() -> turn(state);
    };
  }

  /** Notes what every word tells, whatever comes of it: who is there, and how busy it is. */
  private void hear(Command command) {
    Instant now = now();
    lastWord = command instanceof Internal ? lastWord : now;
    life =
        switch (command) {
          case Create _, Register _, Publish _, Rollback _, Rollover _, Heartbeat _ ->
              life.heard(now);
          case Disconnect _ -> life.left(now);
          case Busy(var function, var unfinished, var containers) ->
              life.busy(function, unfinished, containers, now);
          case StopApp _, Describe _, History _, Follow _, Tell _, Internal _ -> life;
        };
  }

  private AppCreated created(Create create) {
    return new AppCreated(
        create.environment(),
        create.description(),
        create.phase(),
        create.tags(),
        now(),
        create.by());
  }

  /** Records, acts on it, and answers when the directory says it too. */
  private ReplyEffect<AppEvent, AppState> carryOut(
      Decision<AppEvent, Outcome> decision, ActorRef<AppReply> replyTo) {
    return Effect()
        .persist(decision.events())
        .thenRun(
            (AppState state) -> {
              decision.events().forEach(event -> act(event, state));
              AppReply reply = answer(state, decision.reply());
              listing.whenSettled(() -> replyTo.tell(reply));
            })
        .thenNoReply();
  }

  /** One version after the other: what comes while one is on its way waits, or is the same. */
  private ReplyEffect<AppEvent, AppState> publish(
      Decision<AppEvent, PublishReply> decision, AppState state, ActorRef<PublishReply> replyTo) {
    boolean nothingNew = decision.events().isEmpty();
    return switch (decision.reply()) {
      case PublishReply.Refused refused -> Effect().reply(replyTo, refused);
      case PublishReply.NoVersion unknown -> Effect().reply(replyTo, unknown);
      case PublishReply.Published _ when rollout == Rollout.UNKNOWN -> Effect().stash();
      case PublishReply.Published same when rollout == Rollout.DONE && nothingNew ->
          Effect().reply(replyTo, same);
      case PublishReply.Published same when nothingNew ->
          progress(state, () -> await(replyTo, same));
      case PublishReply.Published _ when rollout != Rollout.DONE -> Effect().stash();
      case PublishReply.Published next ->
          Effect()
              .persist(decision.events())
              .thenRun(
                  (AppState published) -> {
                    await(replyTo, next);
                    decision.events().forEach(event -> act(event, published));
                  })
              .thenNoReply();
    };
  }

  private void await(ActorRef<PublishReply> replyTo, PublishReply.Published version) {
    if (publishers.size() < PUBLISHERS_LIMIT) {
      publishers.add(
          new Publisher(
              replyTo, new PublishReply.Published(version.version(), version.at(), true)));
    }
  }

  private static App.Layout layout(Publish publish) {
    return new App.Layout(
        publish.functions(),
        publish.classes(),
        publish.definitions(),
        publish.deploymentTag(),
        publish.tags());
  }

  // ---- what follows from what was recorded

  private void act(AppEvent event, AppState state) {
    switch (state) {
      case Absent() -> {}
      case Made(var app) -> withApp(event, app);
    }
  }

  private void withApp(AppEvent event, App app) {
    switch (event) {
      case AppCreated _ -> list(Scope.NAME, app);
      case ObjectRegistered _ -> {}
      case VersionPublished _ -> rollOut(app);
      case StopBegun _ -> {
        refuse("the app has ended: " + app.stopReason());
        errands.stop(app.all(), app.stopReason());
        list(Scope.PHASE, app);
        context.getSelf().tell(new Wake());
      }
      case AppStopped(var at) -> {
        list(Scope.PHASE, app);
        listing.whenSettled(() -> feed.publish(new Item.Done(), at));
      }
    }
  }

  private void rollOut(App app) {
    rollout = Rollout.FUNCTIONS;
    errands.publish(app);
    errands.stop(app.dropped(), "no longer part of the app");
    context.getSelf().tell(new Wake());
  }

  private void listVersion(App app) {
    rollout = Rollout.LISTING;
    list(Scope.NAME, app);
    listing.whenSettled(
        () -> {
          rollout = rollout == Rollout.LISTING ? Rollout.DONE : rollout;
          publishers.forEach(at -> at.replyTo().tell(at.reply()));
          publishers.clear();
        });
  }

  private void refuse(String why) {
    rollout = rollout == Rollout.UNKNOWN ? rollout : Rollout.DONE;
    publishers.forEach(at -> at.replyTo().tell(new PublishReply.Refused(why)));
    publishers.clear();
  }

  private void list(Scope scope, App app) {
    containersListed = containers(app);
    listing.write(scope, app, containersListed);
  }

  // ---- steps towards what the state says

  /** Does {@code first}, then the next step towards what the state says, where there is one. */
  private ReplyEffect<AppEvent, AppState> progress(AppState state, Runnable first) {
    first.run();
    return switch (state) {
      case Made(var app) when hasEnded(app) -> {
        AppStopped stopped = new AppStopped(now());
        yield Effect()
            .persist(stopped)
            .thenRun((AppState after) -> act(stopped, after))
            .thenNoReply();
      }
      case Made(var app) when rollout == Rollout.FUNCTIONS && errands.isPublished() ->
          Effect().none().thenRun(_ -> listVersion(app)).thenNoReply();
      case Made _, Absent() ->
          rollout == Rollout.DONE
              ? Effect().none().thenNoReply().thenUnstashAll()
              : Effect().noReply();
    };
  }

  private boolean hasEnded(App app) {
    return app.phase() == Phase.STOPPING && rollout == Rollout.DONE && errands.isStopped();
  }

  private ReplyEffect<AppEvent, AppState> turn(AppState state) {
    errands.restate();
    if (rollout == Rollout.UNKNOWN) {
      look();
    }
    if (isIdle(state)) {
      shard.tell(new Passivate<>(context.getSelf()));
    }
    return switch (state) {
      case Absent() -> progress(state, () -> {});
      case Made(var app) ->
          life.end(app.phase(), now())
              .map(reason -> end(state, reason))
              .orElseGet(() -> progress(state, () -> recount(app)));
    };
  }

  private ReplyEffect<AppEvent, AppState> end(AppState state, String reason) {
    List<AppEvent> events = state.stop(reason, "", now()).events();
    return Effect()
        .persist(events)
        .thenRun((AppState ending) -> events.forEach(event -> act(event, ending)))
        .thenNoReply();
  }

  private void recount(App app) {
    if (rollout == Rollout.DONE && containers(app) != containersListed) {
      list(Scope.ATTRIBUTES, app);
    }
  }

  private boolean isIdle(AppState state) {
    boolean mayRest =
        switch (state) {
          case Absent() -> true;
          case Made(var app) -> !app.isLive();
        };
    return mayRest
        && rollout == Rollout.DONE
        && errands.isStopped()
        && listing.isSettled()
        && !feed.isFollowed(now())
        && !now().isBefore(lastWord.plus(IDLE_LIMIT));
  }

  // ---- after a restart

  private void resume(AppState state) {
    switch (state) {
      case Absent() -> {}
      case Made(var app) -> {
        life = AppLife.resumed(now());
        rollout = Rollout.UNKNOWN;
        look();
        if (app.phase() == Phase.STOPPING) {
          errands.stop(app.all(), app.stopReason());
        }
        if (app.phase() == Phase.STOPPED) {
          feed.publish(new Item.Done(), now());
        }
      }
    }
  }

  private void look() {
    context.pipeToSelf(
        listing.read(),
        (entry, failure) ->
            failure == null ? new Found(entry.orElse(null)) : new NotFound(failure));
  }

  /** Does what the directory does not say is done: a crash came in between. */
  private void catchUp(AppState state, @Nullable Entry entry) {
    if (rollout != Rollout.UNKNOWN) {
      return;
    }
    rollout = Rollout.DONE;
    switch (state) {
      case Absent() -> {}
      case Made(var app) when entry != null && AppListing.isUpToDate(entry, app) -> {}
      case Made(var app) when app.isEnding() -> list(entry == null ? Scope.NAME : Scope.PHASE, app);
      case Made(var app) -> rollOut(app);
    }
  }

  // ----

  private AppReply answer(AppState state, Outcome outcome) {
    return state.answer(outcome, id, life.containers(now()));
  }

  private int containers(App app) {
    return app.view(id, life.containers(now())).containers();
  }

  private Instant now() {
    return world.clock().instant();
  }
}
