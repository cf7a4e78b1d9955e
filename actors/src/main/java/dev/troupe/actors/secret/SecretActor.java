package dev.troupe.actors.secret;

import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.directory.Listing;
import dev.troupe.actors.id.SecretId;
import dev.troupe.actors.secret.SecretEvent.SecretWritten;
import dev.troupe.actors.secret.SecretProtocol.Command;
import dev.troupe.actors.secret.SecretProtocol.Delete;
import dev.troupe.actors.secret.SecretProtocol.Read;
import dev.troupe.actors.secret.SecretProtocol.SecretReply;
import dev.troupe.actors.secret.SecretProtocol.Write;
import dev.troupe.cluster.Decision;
import dev.troupe.cluster.Role;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import org.apache.pekko.actor.NoSerializationVerificationNeeded;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
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

/** The entity of one secret: records, keeps its directory entry, answers once both hold. */
final class SecretActor
    extends EventSourcedBehaviorWithEnforcedReplies<Command, SecretEvent, SecretState> {

  private static final Duration IDLE_LIMIT = Duration.ofMinutes(2);

  sealed interface Internal extends Command, NoSerializationVerificationNeeded {}

  private record Listed(Listing.Word word) implements Internal {}

  private record Idle() implements Internal {}

  /** What it needs from outside. */
  record World(Directory directory, InstantSource clock) {}

  private final SecretId id;
  private final World world;
  private final ActorRef<ShardCommand> shard;
  private final ActorContext<Command> context;
  private final Listing<Command> listing;

  static Entity<Command, ShardingEnvelope<Command>> entity(World world) {
    return Entity.of(
            SecretProtocol.KEY, at -> create(new SecretId(at.getEntityId()), at.getShard(), world))
        .withRole(Role.CONTROL.word());
  }

  static Behavior<Command> create(SecretId id, ActorRef<ShardCommand> shard, World world) {
    return Behaviors.setup(context -> new SecretActor(id, shard, world, context));
  }

  private SecretActor(
      SecretId id, ActorRef<ShardCommand> shard, World world, ActorContext<Command> context) {
    super(PersistenceId.of(SecretProtocol.KEY.name(), id.value()));
    this.id = id;
    this.shard = shard;
    this.world = world;
    this.context = context;
    this.listing = new Listing<>(context, Listed::new);
    context.setReceiveTimeout(IDLE_LIMIT, new Idle());
  }

  @Override
  public SecretState emptyState() {
    return new SecretState.Absent("");
  }

  @Override
  public EventHandler<SecretState, SecretEvent> eventHandler() {
    return SecretState::apply;
  }

  @Override
  public SignalHandler<SecretState> signalHandler() {
    return newSignalHandlerBuilder()
        .onSignal(
            RecoveryCompleted.instance(),
            state -> listing.reconcile(world.directory(), Kind.SECRET, id.value(), entry(state)))
        .build();
  }

  @Override
  public CommandHandlerWithReply<Command, SecretEvent, SecretState> commandHandler() {
    return (state, command) ->
        switch (command) {
          case Write(var environment, var name, var keys, var values, var replyTo) ->
              carryOut(
                  state.write(id, new SecretWritten(environment, name, keys, values, now())),
                  replyTo);
          case Delete(var replyTo) -> carryOut(state.delete(id, now()), replyTo);
          case Read(var replyTo) -> Effect().reply(replyTo, state.view(id));
          case Listed(var word) -> Effect().none().thenRun(_ -> listing.take(word)).thenNoReply();
          case Idle() -> Effect().none().thenRun(_ -> leave()).thenNoReply();
        };
  }

  private ReplyEffect<SecretEvent, SecretState> carryOut(
      Decision<SecretEvent, SecretReply> decision, ActorRef<SecretReply> replyTo) {
    if (decision.events().isEmpty()) {
      return Effect().none().thenRun(_ -> listing.answer(replyTo, decision.reply())).thenNoReply();
    }
    return Effect()
        .persist(decision.events())
        .thenRun(
            (SecretState state) -> {
              listing.wish(world.directory(), Kind.SECRET, id.value(), entry(state));
              listing.answer(replyTo, decision.reply());
            })
        .thenNoReply();
  }

  /** What the directory should hold: nothing of a secret without a name. */
  private Optional<Entry> entry(SecretState state) {
    return switch (state) {
      case SecretState.Absent _ -> Optional.empty();
      case SecretState.Kept kept when kept.name().isEmpty() -> Optional.empty();
      case SecretState.Kept kept ->
          Optional.of(
              new Entry(
                  Kind.SECRET,
                  kept.environment(),
                  kept.name(),
                  id.value(),
                  kept.createdAt(),
                  Map.of(SecretProtocol.KEYS_ATTRIBUTE, String.join(",", kept.keys()))));
    };
  }

  private Instant now() {
    return world.clock().instant();
  }

  private void leave() {
    if (listing.isSettled()) {
      shard.tell(new Passivate<>(context.getSelf()));
    }
  }
}
