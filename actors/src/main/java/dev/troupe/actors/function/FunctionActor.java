package dev.troupe.actors.function;

import dev.troupe.actors.calllog.CallLog;
import dev.troupe.actors.calllog.CallLog.Loaded;
import dev.troupe.actors.calllog.CallLog.Written;
import dev.troupe.actors.calllog.InputRow;
import dev.troupe.actors.function.FunctionProtocol.Command;
import dev.troupe.actors.function.FunctionProtocol.Define;
import dev.troupe.actors.function.FunctionProtocol.Describe;
import dev.troupe.actors.function.FunctionProtocol.FromApp;
import dev.troupe.actors.function.FunctionProtocol.FromCaller;
import dev.troupe.actors.function.FunctionProtocol.FromContainer;
import dev.troupe.actors.function.FunctionProtocol.FromMachine;
import dev.troupe.actors.function.FunctionProtocol.ListContainers;
import dev.troupe.actors.function.FunctionProtocol.Measure;
import dev.troupe.actors.function.FunctionProtocol.Publish;
import dev.troupe.actors.function.FunctionProtocol.Stop;
import dev.troupe.actors.function.FunctionProtocol.StopContainer;
import dev.troupe.actors.function.FunctionProtocol.Wake;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.node.NodeProtocol.GrantReply;
import dev.troupe.cluster.Decision;
import dev.troupe.cluster.Role;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.pekko.actor.NoSerializationVerificationNeeded;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.cluster.sharding.typed.ShardingEnvelope;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
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
 * One function. What it <em>is</em> ({@link FunctionState}) is journaled; its calls and inputs are
 * in the call log, and in memory with the desks: {@link CallDesk} and {@link OutputDesk} for
 * callers, {@link ContainerDesk} for containers, over one {@link Mailbox}; its containers are its
 * {@link Fleet}.
 *
 * <p>Life: recovered, it claims the call log for itself (a new epoch) and loads what is unfinished;
 * until then all is stashed. With nothing to do for a while it stops. Told to move, it tells
 * whoever waits to ask again, leases nothing more, waits for its commits, and stops.
 */
final class FunctionActor
    extends EventSourcedBehaviorWithEnforcedReplies<Command, FunctionEvent, FunctionState> {

  private static final Duration TICK = Duration.ofMillis(250);
  private static final Duration PUT_OFF = Duration.ofMillis(100);
  private static final Duration LOAD_AGAIN = Duration.ofSeconds(1);

  /** What it says to itself. Never leaves the process. */
  sealed interface Internal extends Command, NoSerializationVerificationNeeded {}

  private record Ready(long epoch, Loaded found) implements Internal {}

  private record NotReady(Throwable why) implements Internal {}

  private record LoadAgain() implements Internal {}

  private record Decided(long ticket, Written written) implements Internal {}

  private record WriteAgain(long ticket) implements Internal {}

  private record Recalled(FunctionProtocol.Await await, OutputDesk.Recall found)
      implements Internal {}

  private record Paged(List<InputRow> rows) implements Internal {}

  private record GrantAnswered(GrantReply reply) implements Internal {}

  private record Tick() implements Internal {}

  private record HandOff() implements Internal {}

  private final FunctionId id;
  private final World world;
  private final ActorContext<Command> context;
  private final TimerScheduler<Command> timers;
  private final ActorRef<ClusterSharding.ShardCommand> shard;

  // Set once the call log is claimed and loaded; null before.
  private @Nullable Workings workings;
  private boolean claiming;
  private boolean leavingHere;
  private FunctionState current = FunctionState.EMPTY;
  private final Instant startedAt;

  static Entity<Command, ShardingEnvelope<Command>> entity(World world) {
    return Entity.of(
            FunctionProtocol.KEY,
            entity -> create(new FunctionId(entity.getEntityId()), world, entity.getShard()))
        .withRole(Role.CONTROL.word())
        .withStopMessage(handOffCommand());
  }

  /** Tells it to go: another process is to have it, or nobody for a while. */
  static Command handOffCommand() {
    return new HandOff();
  }

  static Behavior<Command> create(
      FunctionId id, World world, ActorRef<ClusterSharding.ShardCommand> shard) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(timers -> new FunctionActor(id, world, context, timers, shard)));
  }

  private FunctionActor(
      FunctionId id,
      World world,
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      ActorRef<ClusterSharding.ShardCommand> shard) {
    super(PersistenceId.of(FunctionProtocol.KEY.name(), id.value()));
    this.id = id;
    this.world = world;
    this.context = context;
    this.timers = timers;
    this.shard = shard;
    this.startedAt = world.clock().instant();
  }

  @Override
  public FunctionState emptyState() {
    return FunctionState.EMPTY;
  }

  @Override
  public EventHandler<FunctionState, FunctionEvent> eventHandler() {
    return FunctionState::apply;
  }

  @Override
  public SignalHandler<FunctionState> signalHandler() {
    return newSignalHandlerBuilder()
        .onSignal(RecoveryCompleted.instance(), this::recovered)
        .build();
  }

  private void recovered(FunctionState state) {
    current = state;
    timers.startTimerWithFixedDelay(new Tick(), TICK);
    if (state.latest() != null) {
      claim();
    }
  }

  // ---- claiming the call log

  private void claim() {
    claiming = true;
    CallLog log = world.callLog();
    Instant recent = world.clock().instant().minus(world.settings().recentCalls());
    CompletionStage<Ready> ready =
        log.claim(id)
            .thenCompose(
                epoch ->
                    log.load(id, recent, world.settings().headLimit())
                        .thenApply(found -> new Ready(epoch, found)));
    context.pipeToSelf(
        ready, (done, failure) -> failure == null ? done : new NotReady(cause(failure)));
  }

  private ReplyEffect<FunctionEvent, FunctionState> ready(Ready ready) {
    claiming = false;
    Workings made =
        new Workings(
            id,
            world,
            () -> current,
            ready.epoch(),
            ready.found().lastPosition(),
            this::pipeWrite,
            this::pipeRecall,
            context.messageAdapter(GrantReply.class, GrantAnswered::new));
    workings = made;
    if (leavingHere) {
      // What is stashed is turned away first.
      context.getSelf().tell(new HandOff());
    } else {
      made.load(ready.found(), now());
      readPage(made);
    }
    return Effect().noReply().thenUnstashAll();
  }

  private void pipeWrite(long ticket, CompletionStage<Written> stage) {
    context.pipeToSelf(
        stage,
        (written, failure) ->
            new Decided(
                ticket,
                failure == null
                    ? written
                    : new Written.Failed(String.valueOf(cause(failure).getMessage()))));
  }

  private void pipeRecall(FunctionProtocol.Await await, CompletionStage<OutputDesk.Recall> stage) {
    context.pipeToSelf(
        stage,
        (found, failure) ->
            failure == null
                ? new Recalled(await, found)
                : new Recalled(await, OutputDesk.Recall.FAILED));
  }

  private static Throwable cause(Throwable failure) {
    return failure instanceof CompletionException && failure.getCause() != null
        ? failure.getCause()
        : failure;
  }

  // ---- commands

  @Override
  public CommandHandlerWithReply<Command, FunctionEvent, FunctionState> commandHandler() {
    return (state, command) -> {
      current = state;
      return switch (command) {
        case Internal internal -> onInternal(internal);
        case Define define ->
            carryOut(FunctionState::define, state, define.definition(), define.replyTo());
        case Describe describe -> Effect().reply(describe.replyTo(), state.describe());
        case FromApp fromApp -> needsWorkings(command, ready -> onApp(state, fromApp, ready));
        case FromCaller fromCaller ->
            state.latest() == null
                ? refuse(fromCaller)
                : needsWorkings(command, ready -> served(() -> ready.caller(fromCaller, now())));
        case FromContainer fromContainer ->
            needsWorkings(command, ready -> served(() -> ready.container(fromContainer, now())));
        case FromMachine fromMachine ->
            needsWorkings(command, ready -> served(() -> ready.machine(fromMachine, now())));
      };
    };
  }

  private Instant now() {
    return world.clock().instant();
  }

  private <A, R> ReplyEffect<FunctionEvent, FunctionState> carryOut(
      Decide<A, R> decide, FunctionState state, A argument, ActorRef<R> replyTo) {
    Decision<FunctionEvent, R> decision = decide.decide(state, argument, now());
    return decision.events().isEmpty()
        ? Effect().reply(replyTo, decision.reply())
        : Effect()
            .persist(decision.events())
            .thenRun(this::changed)
            .thenReply(replyTo, _ -> decision.reply());
  }

  /** A decision of the state on one argument. */
  private interface Decide<A, R> {
    Decision<FunctionEvent, R> decide(FunctionState state, A argument, Instant now);
  }

  private void changed(FunctionState state) {
    current = state;
    if (workings != null && !leavingHere) {
      workings.definitionChanged(now());
    } else if (workings == null && !claiming) {
      claim();
    }
  }

  private ReplyEffect<FunctionEvent, FunctionState> onApp(
      FunctionState state, FromApp command, Workings ready) {
    return switch (command) {
      case Publish publish -> {
        Warmth.note(world.directory(), state.wanted(publish), now());
        yield carryOut(FunctionState::publish, state, publish, publish.replyTo());
      }
      case Stop stop -> {
        Warmth.forget(world.directory(), id);
        Decision<FunctionEvent, Boolean> decision = state.stop(stop.reason(), now());
        yield decision.events().isEmpty()
            ? served(() -> ready.stop(stop, now()))
            : Effect()
                .persist(decision.events())
                .thenRun(
                    (FunctionState stopped) -> {
                      current = stopped;
                      ready.stop(stop, now());
                      ready.settle(now());
                    })
                .thenNoReply();
      }
      case ListContainers list -> Effect().reply(list.replyTo(), ready.containers());
      case Measure measure -> Effect().reply(measure.replyTo(), ready.measured());
      case StopContainer stop -> served(() -> ready.stopContainer(stop, now()));
      case Wake _ -> Effect().noReply();
      case Define _, Describe _ -> throw new IllegalStateException("handled before");
    };
  }

  /** Runs what changes memory and the call log, then gives the writes to the log. */
  private ReplyEffect<FunctionEvent, FunctionState> served(Runnable work) {
    return Effect().none().thenRun(() -> serve(work)).thenNoReply();
  }

  private ReplyEffect<FunctionEvent, FunctionState> servedAtLast(Runnable work) {
    return Effect().none().thenRun(() -> serve(work)).thenStop().thenNoReply();
  }

  private void serve(Runnable work) {
    work.run();
    Workings ready = workings;
    if (ready != null && !leavingHere) {
      ready.settle(now());
      readPage(ready);
    }
  }

  private ReplyEffect<FunctionEvent, FunctionState> needsWorkings(
      Command command, Function<Workings, ReplyEffect<FunctionEvent, FunctionState>> handle) {
    Workings ready = workings;
    if (ready != null) {
      return leavingHere ? served(() -> Refusals.moving(command)) : handle.apply(ready);
    }
    if (claiming) {
      return Effect().stash();
    }
    // Never defined: nothing was claimed, and there is nothing to say but that.
    return served(() -> Refusals.unknown(id, command));
  }

  private ReplyEffect<FunctionEvent, FunctionState> refuse(FromCaller command) {
    return served(() -> Refusals.unknown(id, command));
  }

  // ---- itself

  private ReplyEffect<FunctionEvent, FunctionState> onInternal(Internal internal) {
    return switch (internal) {
      case Ready ready -> ready(ready);
      case NotReady(var why) -> {
        context
            .getLog()
            .warn("{}: the call log can't be read, trying again: {}", id, why.toString());
        timers.startSingleTimer(new LoadAgain(), LOAD_AGAIN);
        // Nothing was answered yet: whoever asked asks again, elsewhere.
        yield leavingHere ? Effect().stop().thenNoReply() : Effect().noReply();
      }
      case LoadAgain() -> {
        claim();
        yield Effect().noReply();
      }
      case Decided(var ticket, var written) -> decided(ticket, written);
      case WriteAgain(var ticket) -> with(ready -> ready.writeAgain(ticket));
      case Recalled(var await, var found) ->
          leavingHere
              ? served(() -> Refusals.moving(await))
              : with(ready -> ready.recalled(await, found, now()));
      case Paged(var rows) -> unlessLeaving(ready -> ready.paged(rows, now()));
      case GrantAnswered(var reply) -> unlessLeaving(ready -> ready.granted(reply, now()));
      case Tick() -> tick();
      case HandOff() -> handOff();
    };
  }

  private ReplyEffect<FunctionEvent, FunctionState> with(Consumer<Workings> work) {
    Workings ready = workings;
    return ready == null ? Effect().noReply() : served(() -> work.accept(ready));
  }

  private ReplyEffect<FunctionEvent, FunctionState> unlessLeaving(Consumer<Workings> work) {
    return leavingHere ? Effect().noReply() : with(work);
  }

  private ReplyEffect<FunctionEvent, FunctionState> decided(long ticket, Written written) {
    Workings ready = workings;
    if (ready == null) {
      return Effect().noReply();
    }
    if (written instanceof Written.Fenced) {
      context.getLog().info("{} has another owner now; this one stops", id);
      leavingHere = true;
      return servedAtLast(() -> ready.fenced(now()));
    }
    if (written instanceof Written.Failed(var why)) {
      context.getLog().error("{}: the call log refused a write: {}", id, why);
    }
    Runnable work =
        () -> {
          if (!ready.decided(ticket, written, now())) {
            timers.startSingleTimer("again-" + ticket, new WriteAgain(ticket), PUT_OFF);
          }
          if (leavingHere && !ready.writes()) {
            context.getSelf().tell(new HandOff());
          }
        };
    return served(work);
  }

  private void readPage(Workings ready) {
    if (ready.beginsPage()) {
      context.pipeToSelf(
          world.callLog().waitingAfter(id, ready.mailbox().headEnd(), world.settings().headLimit()),
          (rows, failure) -> new Paged(failure == null ? rows : List.of()));
    }
  }

  private ReplyEffect<FunctionEvent, FunctionState> tick() {
    return leavingHere
        ? Effect().noReply()
        : served(
            () -> {
              Workings ready = workings;
              if (ready != null) {
                ready.tick(now());
              }
              Instant idleSince = ready == null ? startedAt : ready.idleSince();
              if (!claiming && idleSince.plus(world.settings().idleLimit()).isBefore(now())) {
                shard.tell(new ClusterSharding.Passivate<>(context.getSelf()));
              }
            });
  }

  private ReplyEffect<FunctionEvent, FunctionState> handOff() {
    Workings ready = workings;
    boolean first = !leavingHere;
    leavingHere = true;
    if (ready == null) {
      // While the log is being claimed, what was asked meanwhile is still to be turned away.
      return claiming ? Effect().noReply() : Effect().stop().thenNoReply();
    }
    if (ready.writes()) {
      return first ? served(ready::moved) : Effect().noReply();
    }
    return servedAtLast(ready::moved);
  }
}
