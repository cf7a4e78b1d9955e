package dev.troupe.gateway.service;

import dev.troupe.actors.app.AppProtocol;
import dev.troupe.actors.function.FunctionProtocol;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.id.ImageNameId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.SecretId;
import dev.troupe.actors.image.ImageProtocol;
import dev.troupe.actors.imagename.ImageNameProtocol;
import dev.troupe.actors.node.NodeProtocol;
import dev.troupe.actors.secret.SecretProtocol;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityRef;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;

/** The entities behind the services, wherever in the cluster they are. */
@FunctionalInterface
public interface Entities {

  /** The entity of a kind that has an id; with sharding, {@code sharding::entityRefFor}. */
  <C> EntityRef<C> ref(EntityTypeKey<C> kind, String id);

  /**
   * Asks an entity, and goes on with its answer on the thread that brings it. Pekko's own stage
   * hands each answer to the common pool of the JVM first, which wakes one thread more for each
   * RPC; so what comes after this must be short and never wait.
   */
  static <C, R> CompletionStage<R> ask(
      EntityRef<C> entity, Function<ActorRef<R>, C> message, Duration patience) {
    return entity.<R>ask(message::apply, patience).toCompletableFuture().copy();
  }

  /** Asks anew what a process that is gone may have taken with it. */
  default Moves moves() {
    return Moves.NONE;
  }

  /** An app. */
  default EntityRef<AppProtocol.Command> app(AppId app) {
    return ref(AppProtocol.KEY, app.value());
  }

  /** A function or a variant of one. */
  default EntityRef<FunctionProtocol.Command> function(FunctionId function) {
    return ref(FunctionProtocol.KEY, function.value());
  }

  /** An image. */
  default EntityRef<ImageProtocol.Command> image(ImageId image) {
    return ref(ImageProtocol.KEY, image.value());
  }

  /** A name of images. */
  default EntityRef<ImageNameProtocol.Command> imageName(ImageNameId name) {
    return ref(ImageNameProtocol.KEY, name.value());
  }

  /** A secret. */
  default EntityRef<SecretProtocol.Command> secret(SecretId secret) {
    return ref(SecretProtocol.KEY, secret.value());
  }

  /** A machine's counterpart. */
  default EntityRef<NodeProtocol.Command> machine(MachineId machine) {
    return ref(NodeProtocol.KEY, machine.value());
  }
}
