package dev.troupe.actors.function;

import dev.troupe.actors.function.FunctionEvent.DefinitionRecorded;
import dev.troupe.actors.function.FunctionEvent.FunctionStopped;
import dev.troupe.actors.function.FunctionEvent.VersionPublished;
import dev.troupe.actors.function.FunctionProtocol.Defined;
import dev.troupe.actors.function.FunctionProtocol.Description;
import dev.troupe.actors.function.FunctionProtocol.Published;
import dev.troupe.cluster.ClusterMessage;
import dev.troupe.cluster.Decision;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What a function is: its definitions, and whether it may still be called. A value; its inputs and
 * containers are no part of it.
 *
 * @param latest the last definition recorded; null before the first
 * @param published the definition in force; null before the first publication
 * @param stopped why it can't be called any more; null while it can
 */
record FunctionState(
    @Nullable FunctionDefinition latest,
    @Nullable FunctionDefinition published,
    int appVersion,
    @Nullable String stopped)
    implements ClusterMessage {

  static final FunctionState EMPTY = new FunctionState(null, null, 0, null);

  Decision<FunctionEvent, Defined> define(FunctionDefinition definition, Instant now) {
    Defined reply = new Defined(definition.definitionId());
    return latest != null && latest.definitionId().equals(definition.definitionId())
        ? Decision.reply(reply)
        : Decision.record(new DefinitionRecorded(definition, now), reply);
  }

  Decision<FunctionEvent, Published> publish(int version, Instant now) {
    if (latest == null) {
      throw new IllegalStateException("published before it was defined");
    }
    Published reply = new Published(latest.function());
    boolean same = published != null && published.definitionId().equals(latest.definitionId());
    return same && version == appVersion && stopped == null
        ? Decision.reply(reply)
        : Decision.record(new VersionPublished(version, latest.definitionId(), now), reply);
  }

  Decision<FunctionEvent, Boolean> stop(String reason, Instant now) {
    return stopped != null
        ? Decision.reply(true)
        : Decision.record(new FunctionStopped(reason, now), true);
  }

  Description describe() {
    return latest == null
        ? new Description.Unknown()
        : new Description.Known(latest, published, stopped != null);
  }

  /** Why it can't be called now; null when it can. */
  @Nullable String refusal() {
    if (latest == null) {
      return "There is no such function.";
    }
    if (stopped != null) {
      return "Function '%s' of app '%s' can't be called: %s"
          .formatted(latest.name(), latest.appName(), stopped);
    }
    return published == null
        ? "Function '%s' of app '%s' is not published yet."
            .formatted(latest.name(), latest.appName())
        : null;
  }

  FunctionState apply(FunctionEvent event) {
    return switch (event) {
      case DefinitionRecorded(var definition, _) ->
          new FunctionState(definition, published, appVersion, stopped);
      case VersionPublished(var version, _, _) -> new FunctionState(latest, latest, version, null);
      case FunctionStopped(var reason, _) ->
          new FunctionState(latest, published, appVersion, reason);
    };
  }
}
