package dev.troupe.actors.secret;

import dev.troupe.actors.id.SecretId;
import dev.troupe.cluster.ClusterMessage;
import java.time.Instant;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;

/**
 * The conversation with one secret. The entity id is the {@link SecretId}. Values are sealed before
 * they come here and opened by who needs them: the entity never sees one.
 */
public interface SecretProtocol {

  EntityTypeKey<Command> KEY = EntityTypeKey.create(Command.class, "secret");

  /** Anything said to a secret. */
  sealed interface Command extends ClusterMessage
      permits Write, Read, Delete, SecretActor.Internal {}

  /** Key of a directory entry's attribute: names of the variables, joined by commas. */
  String KEYS_ATTRIBUTE = "keys";

  /**
   * Writes it whole, over what was there.
   *
   * @param name empty for one that belongs to an app alone
   * @param keys names of the variables, in the clear, for listings and for {@code required_keys}
   * @param sealedValues the values, sealed with the secret's id as context
   */
  record Write(
      String environment,
      String name,
      List<String> keys,
      byte[] sealedValues,
      ActorRef<SecretReply> replyTo)
      implements Command {}

  /** Asks for it. */
  record Read(ActorRef<SecretReply> replyTo) implements Command {}

  /** Forgets it. */
  record Delete(ActorRef<SecretReply> replyTo) implements Command {}

  /** Answer to all commands. */
  sealed interface SecretReply extends ClusterMessage {

    /** The secret as it is now. */
    record Secret(
        SecretId secret,
        String environment,
        String name,
        List<String> keys,
        byte[] sealedValues,
        Instant createdAt,
        Instant updatedAt)
        implements SecretReply {}

    /**
     * Never written, or deleted; {@code name} is what it was called, empty where that is nothing.
     */
    record NoSecret(SecretId secret, String name) implements SecretReply {}
  }
}
