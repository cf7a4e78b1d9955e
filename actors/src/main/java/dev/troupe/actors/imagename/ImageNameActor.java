package dev.troupe.actors.imagename;

import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.directory.Listing;
import dev.troupe.actors.id.ImageNameId;
import dev.troupe.actors.imagename.ImageNameEvent.ImagePublished;
import dev.troupe.actors.imagename.ImageNameProtocol.Command;
import dev.troupe.actors.imagename.ImageNameProtocol.Delete;
import dev.troupe.actors.imagename.ImageNameProtocol.GetHistory;
import dev.troupe.actors.imagename.ImageNameProtocol.Publish;
import dev.troupe.actors.imagename.ImageNameProtocol.Read;
import dev.troupe.actors.imagename.ImageNameProtocol.Revision;
import dev.troupe.cluster.Decision;
import dev.troupe.cluster.Role;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
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

/** The entity of one name: records, keeps its directory entry, answers once both hold. */
final class ImageNameActor
    extends EventSourcedBehaviorWithEnforcedReplies<Command, ImageNameEvent, ImageNameState> {

  private static final Duration IDLE_LIMIT = Duration.ofMinutes(2);

  sealed interface Internal extends Command, NoSerializationVerificationNeeded {}

  private record Listed(Listing.Word word) implements Internal {}

  private record Idle() implements Internal {}

  /** What it needs from outside. */
  record World(Directory directory, InstantSource clock) {}

  private final ImageNameId id;
  private final World world;
  private final ActorRef<ShardCommand> shard;
  private final ActorContext<Command> context;
  private final Listing<Command> listing;

  static Entity<Command, ShardingEnvelope<Command>> entity(World world) {
    return Entity.of(
            ImageNameProtocol.KEY,
            at -> create(new ImageNameId(at.getEntityId()), at.getShard(), world))
        .withRole(Role.CONTROL.word());
  }

  static Behavior<Command> create(ImageNameId id, ActorRef<ShardCommand> shard, World world) {
    return Behaviors.setup(context -> new ImageNameActor(id, shard, world, context));
  }

  private ImageNameActor(
      ImageNameId id, ActorRef<ShardCommand> shard, World world, ActorContext<Command> context) {
    super(PersistenceId.of(ImageNameProtocol.KEY.name(), id.value()));
    this.id = id;
    this.shard = shard;
    this.world = world;
    this.context = context;
    this.listing = new Listing<>(context, Listed::new);
    context.setReceiveTimeout(IDLE_LIMIT, new Idle());
  }

  @Override
  public ImageNameState emptyState() {
    return new ImageNameState.Unused();
  }

  @Override
  public EventHandler<ImageNameState, ImageNameEvent> eventHandler() {
    return ImageNameState::apply;
  }

  @Override
  public SignalHandler<ImageNameState> signalHandler() {
    return newSignalHandlerBuilder()
        .onSignal(
            RecoveryCompleted.instance(),
            state ->
                listing.reconcile(world.directory(), Kind.IMAGE_NAME, id.value(), entry(state)))
        .build();
  }

  @Override
  public CommandHandlerWithReply<Command, ImageNameEvent, ImageNameState> commandHandler() {
    return (state, command) ->
        switch (command) {
          case Publish(var environment, var name, var image, var revision, var by, var replyTo) ->
              carryOut(
                  state.publish(new ImagePublished(environment, name, image, revision, by, now())),
                  replyTo);
          case Delete(var replyTo) -> carryOut(state.delete(now()), replyTo);
          case Read(var replyTo) -> Effect().reply(replyTo, state.current());
          case GetHistory(var before, var limit, var replyTo) ->
              Effect().reply(replyTo, state.history(before, limit));
          case Listed(var word) -> Effect().none().thenRun(_ -> listing.take(word)).thenNoReply();
          case Idle() -> Effect().none().thenRun(_ -> leave()).thenNoReply();
        };
  }

  private <R> ReplyEffect<ImageNameEvent, ImageNameState> carryOut(
      Decision<ImageNameEvent, R> decision, ActorRef<R> replyTo) {
    if (decision.events().isEmpty()) {
      return Effect().none().thenRun(_ -> listing.answer(replyTo, decision.reply())).thenNoReply();
    }
    return Effect()
        .persist(decision.events())
        .thenRun(
            (ImageNameState state) -> {
              listing.wish(world.directory(), Kind.IMAGE_NAME, id.value(), entry(state));
              listing.answer(replyTo, decision.reply());
            })
        .thenNoReply();
  }

  private Optional<Entry> entry(ImageNameState state) {
    return switch (state) {
      case ImageNameState.Unused() -> Optional.empty();
      case ImageNameState.Used used -> {
        Revision newest = used.newest();
        yield Optional.of(
            new Entry(
                Kind.IMAGE_NAME,
                used.environment(),
                used.name(),
                id.value(),
                used.createdAt(),
                Map.of(
                    ImageNameProtocol.IMAGE_ATTRIBUTE, newest.image().value(),
                    ImageNameProtocol.REVISION_ATTRIBUTE, newest.id(),
                    ImageNameProtocol.PUBLISHED_BY_ATTRIBUTE, newest.publishedBy(),
                    ImageNameProtocol.UPDATED_AT_ATTRIBUTE, newest.at().toString())));
      }
    };
  }

  /** As the journal keeps it, so that a state is the same after a restart. */
  private Instant now() {
    return world.clock().instant().truncatedTo(ChronoUnit.MICROS);
  }

  private void leave() {
    if (listing.isSettled()) {
      shard.tell(new Passivate<>(context.getSelf()));
    }
  }
}
