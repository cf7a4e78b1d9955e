package dev.troupe.actors.secret;

import dev.troupe.actors.id.SecretId;
import dev.troupe.actors.secret.SecretEvent.SecretDeleted;
import dev.troupe.actors.secret.SecretEvent.SecretWritten;
import dev.troupe.actors.secret.SecretProtocol.SecretReply;
import dev.troupe.cluster.ClusterMessage;
import dev.troupe.cluster.Decision;
import java.time.Instant;
import java.util.List;

/** All that a secret remembers, and every decision it takes. */
public sealed interface SecretState extends ClusterMessage {

  /** Never written, or deleted: then the name it had. */
  record Absent(String name) implements SecretState {}

  /** Written: {@code createdAt} is the first time since it was last absent. */
  record Kept(
      String environment,
      String name,
      List<String> keys,
      byte[] sealedValues,
      Instant createdAt,
      Instant updatedAt)
      implements SecretState {}

  /** Writes it, over what was there. */
  default Decision<SecretEvent, SecretReply> write(SecretId id, SecretWritten written) {
    return Decision.record(written, apply(written).view(id));
  }

  /** Deletes it; there is nothing to record where there is none. */
  default Decision<SecretEvent, SecretReply> delete(SecretId id, Instant now) {
    return switch (this) {
      case Absent _ -> Decision.reply(view(id));
      case Kept kept ->
          Decision.record(new SecretDeleted(now), new SecretReply.NoSecret(id, kept.name()));
    };
  }

  /** What is answered to who asks for it. */
  default SecretReply view(SecretId id) {
    return switch (this) {
      case Absent(var name) -> new SecretReply.NoSecret(id, name);
      case Kept(var environment, var name, var keys, var values, var created, var updated) ->
          new SecretReply.Secret(id, environment, name, keys, values, created, updated);
    };
  }

  /** The state after a fact. */
  default SecretState apply(SecretEvent event) {
    return switch (event) {
      case SecretWritten(var environment, var name, var keys, var values, var at) ->
          new Kept(environment, name, keys, values, createdAt(at), at);
      case SecretDeleted(_) -> new Absent(name());
    };
  }

  /** What it is called, or was. */
  String name();

  private Instant createdAt(Instant now) {
    return switch (this) {
      case Absent _ -> now;
      case Kept kept -> kept.createdAt();
    };
  }
}
