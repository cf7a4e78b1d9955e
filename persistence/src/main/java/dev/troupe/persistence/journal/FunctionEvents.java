package dev.troupe.persistence.journal;

import com.google.protobuf.MessageLite;
import dev.troupe.actors.function.FunctionEvent;
import dev.troupe.persistence.journal.proto.FunctionDefinitionRecorded;
import dev.troupe.persistence.journal.proto.FunctionStopped;
import dev.troupe.persistence.journal.proto.FunctionVersionPublished;
import dev.troupe.persistence.store.Micros;
import java.util.Map;

/** Events of functions. */
final class FunctionEvents implements EventCodec<FunctionEvent> {

  private static final String DEFINITION_RECORDED = "function.definition-recorded@1";
  private static final String VERSION_PUBLISHED = "function.version-published@1";
  private static final String STOPPED = "function.stopped@1";

  @Override
  public Class<FunctionEvent> type() {
    return FunctionEvent.class;
  }

  @Override
  public String manifest(FunctionEvent event) {
    return switch (event) {
      case FunctionEvent.DefinitionRecorded _ -> DEFINITION_RECORDED;
      case FunctionEvent.VersionPublished _ -> VERSION_PUBLISHED;
      case FunctionEvent.FunctionStopped _ -> STOPPED;
    };
  }

  @Override
  public MessageLite message(FunctionEvent event) {
    return switch (event) {
      case FunctionEvent.DefinitionRecorded(var definition, var at) ->
          FunctionDefinitionRecorded.newBuilder()
              .setDefinition(Definitions.toMessage(definition))
              .setAt(Micros.of(at))
              .build();
      case FunctionEvent.VersionPublished(var appVersion, var definitionId, var fresh, var at) ->
          FunctionVersionPublished.newBuilder()
              .setAppVersion(appVersion)
              .setDefinitionId(definitionId)
              .setAt(Micros.of(at))
              .setFresh(fresh)
              .build();
      case FunctionEvent.FunctionStopped(var reason, var at) ->
          FunctionStopped.newBuilder().setReason(reason).setAt(Micros.of(at)).build();
    };
  }

  @Override
  public Map<String, Reader<FunctionEvent>> readers() {
    return Map.of(
        DEFINITION_RECORDED, bytes -> recorded(FunctionDefinitionRecorded.parseFrom(bytes)),
        VERSION_PUBLISHED, bytes -> published(FunctionVersionPublished.parseFrom(bytes)),
        STOPPED, bytes -> stopped(FunctionStopped.parseFrom(bytes)));
  }

  private static FunctionEvent recorded(FunctionDefinitionRecorded message) {
    return new FunctionEvent.DefinitionRecorded(
        Definitions.fromMessage(message.getDefinition()), Micros.toInstant(message.getAt()));
  }

  private static FunctionEvent published(FunctionVersionPublished message) {
    return new FunctionEvent.VersionPublished(
        message.getAppVersion(),
        message.getDefinitionId(),
        message.getFresh(),
        Micros.toInstant(message.getAt()));
  }

  private static FunctionEvent stopped(FunctionStopped message) {
    return new FunctionEvent.FunctionStopped(
        message.getReason(), Micros.toInstant(message.getAt()));
  }
}
