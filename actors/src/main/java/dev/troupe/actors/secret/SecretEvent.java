package dev.troupe.actors.secret;

import dev.troupe.cluster.ClusterMessage;
import java.time.Instant;
import java.util.List;

/** What the journal holds of a secret: sealed values only. */
public sealed interface SecretEvent extends ClusterMessage {

  /** It was written, whole. */
  record SecretWritten(
      String environment, String name, List<String> keys, byte[] sealedValues, Instant at)
      implements SecretEvent {}

  /** It was deleted. */
  record SecretDeleted(Instant at) implements SecretEvent {}
}
