package dev.troupe.actors.function;

import dev.troupe.cluster.ClusterMessage;
import java.time.Instant;

/** What the journal holds of a function: what it is. Its inputs and outputs are the call log's. */
public sealed interface FunctionEvent extends ClusterMessage {

  /** A definition was recorded. */
  record DefinitionRecorded(FunctionDefinition definition, Instant at) implements FunctionEvent {}

  /**
   * A definition came into force with a version of the app; {@code fresh}: with new containers,
   * though it was in force before.
   */
  record VersionPublished(int appVersion, String definitionId, boolean fresh, Instant at)
      implements FunctionEvent {}

  /** Its app ended. */
  record FunctionStopped(String reason, Instant at) implements FunctionEvent {}
}
