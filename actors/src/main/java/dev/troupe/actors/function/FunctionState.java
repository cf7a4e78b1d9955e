package dev.troupe.actors.function;

import dev.troupe.actors.app.AppProtocol;
import dev.troupe.actors.function.FunctionEvent.DefinitionRecorded;
import dev.troupe.actors.function.FunctionEvent.FunctionStopped;
import dev.troupe.actors.function.FunctionEvent.VersionPublished;
import dev.troupe.actors.function.FunctionProtocol.Defined;
import dev.troupe.actors.function.FunctionProtocol.Description;
import dev.troupe.actors.function.FunctionProtocol.Publish;
import dev.troupe.actors.function.FunctionProtocol.Published;
import dev.troupe.cluster.ClusterMessage;
import dev.troupe.cluster.Decision;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a function is: its definitions, and whether it may still be called. A value; its inputs and
 * containers are no part of it.
 *
 * @param latest the last definition recorded; null before the first
 * @param published the definition in force; null before the first publication
 * @param stopped why it can't be called any more; null while it can
 * @param earlier what was in force with the last versions of the app, the live one included
 */
record FunctionState(
    @Nullable FunctionDefinition latest,
    @Nullable FunctionDefinition published,
    int appVersion,
    @Nullable String stopped,
    List<InForce> earlier)
    implements ClusterMessage {

  static final FunctionState EMPTY = new FunctionState(null, null, 0, null, List.of());

  /** What was in force with a version of the app. */
  record InForce(int appVersion, FunctionDefinition definition) implements ClusterMessage {}

  Decision<FunctionEvent, Defined> define(FunctionDefinition definition, Instant now) {
    Defined reply = new Defined(definition.definitionId());
    return latest != null && latest.definitionId().equals(definition.definitionId())
        ? Decision.reply(reply)
        : Decision.record(new DefinitionRecorded(definition, now), reply);
  }

  Decision<FunctionEvent, Published> publish(Publish publish, Instant now) {
    FunctionDefinition wanted = wanted(publish);
    if (wanted == null) {
      throw new IllegalStateException("published before it was defined");
    }
    Published reply = new Published(wanted.function());
    VersionPublished event =
        new VersionPublished(publish.appVersion(), wanted.definitionId(), publish.fresh(), now);
    FunctionDefinition next = apply(event).published();
    boolean same =
        published != null && next != null && published.definitionId().equals(next.definitionId());
    return same && publish.appVersion() == appVersion && stopped == null
        ? Decision.reply(reply)
        : Decision.record(event, reply);
  }

  /** The definition that a publication brings into force; null where none was ever recorded. */
  @Nullable FunctionDefinition wanted(Publish publish) {
    return publish.asOf() == 0
        ? latest
        : earlier.stream()
            .filter(at -> at.appVersion() == publish.asOf())
            .map(InForce::definition)
            .findFirst()
            .orElse(latest);
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
          new FunctionState(definition, published, appVersion, stopped, earlier);
      case VersionPublished(var version, var definitionId, var fresh, _) -> {
        FunctionDefinition same = recorded(definitionId);
        FunctionDefinition next = same != null && fresh ? same.renewed(version) : same;
        yield new FunctionState(latest, next, version, null, with(version, next));
      }
      case FunctionStopped(var reason, _) ->
          new FunctionState(latest, published, appVersion, reason, earlier);
    };
  }

  private @Nullable FunctionDefinition recorded(String definitionId) {
    if (latest == null || latest.definitionId().equals(definitionId)) {
      return latest;
    }
    return earlier.reversed().stream()
        .map(InForce::definition)
        .filter(definition -> definition.definitionId().equals(definitionId))
        .findFirst()
        .orElse(latest);
  }

  /** As far back as the app remembers. */
  private List<InForce> with(int version, @Nullable FunctionDefinition definition) {
    Stream<InForce> others =
        earlier.stream()
            .filter(at -> at.appVersion() != version)
            .filter(at -> at.appVersion() > version - AppProtocol.VERSIONS_KEPT);
    return definition == null
        ? others.toList()
        : Stream.concat(others, Stream.of(new InForce(version, definition))).toList();
  }
}
