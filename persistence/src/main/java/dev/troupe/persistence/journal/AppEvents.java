package dev.troupe.persistence.journal;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import dev.troupe.actors.app.AppEvent;
import dev.troupe.actors.app.AppProtocol.AppObject;
import dev.troupe.actors.app.AppProtocol.Deployer;
import dev.troupe.actors.app.AppProtocol.Phase;
import dev.troupe.persistence.journal.proto.AppCreated;
import dev.troupe.persistence.journal.proto.AppObjectRegistered;
import dev.troupe.persistence.journal.proto.AppPhase;
import dev.troupe.persistence.journal.proto.AppStopBegun;
import dev.troupe.persistence.journal.proto.AppStopped;
import dev.troupe.persistence.journal.proto.AppVersionPublished;
import dev.troupe.persistence.store.Micros;
import java.util.Map;

/** Events of apps. */
final class AppEvents implements EventCodec<AppEvent> {

  private static final String CREATED = "app.created@1";
  private static final String OBJECT_REGISTERED = "app.object-registered@1";
  private static final String VERSION_PUBLISHED = "app.version-published@1";
  private static final String STOP_BEGUN = "app.stop-begun@1";
  private static final String STOPPED = "app.stopped@1";

  @Override
  public Class<AppEvent> type() {
    return AppEvent.class;
  }

  @Override
  public String manifest(AppEvent event) {
    return switch (event) {
      case AppEvent.AppCreated _ -> CREATED;
      case AppEvent.ObjectRegistered _ -> OBJECT_REGISTERED;
      case AppEvent.VersionPublished _ -> VERSION_PUBLISHED;
      case AppEvent.StopBegun _ -> STOP_BEGUN;
      case AppEvent.AppStopped _ -> STOPPED;
    };
  }

  @Override
  public MessageLite message(AppEvent event) {
    return switch (event) {
      case AppEvent.AppCreated created -> created(created);
      case AppEvent.ObjectRegistered(var object) ->
          AppObjectRegistered.newBuilder()
              .setId(object.id())
              .setName(object.name())
              .setHandleMetadata(ByteString.copyFrom(object.handleMetadata()))
              .build();
      case AppEvent.VersionPublished published -> published(published);
      case AppEvent.StopBegun(var reason, var at, var by) ->
          AppStopBegun.newBuilder().setReason(reason).setAt(Micros.of(at)).setBy(by).build();
      case AppEvent.AppStopped(var at) -> AppStopped.newBuilder().setAt(Micros.of(at)).build();
    };
  }

  @Override
  public Map<String, Reader<AppEvent>> readers() {
    return Map.of(
        CREATED, bytes -> created(AppCreated.parseFrom(bytes)),
        OBJECT_REGISTERED, bytes -> registered(AppObjectRegistered.parseFrom(bytes)),
        VERSION_PUBLISHED, bytes -> published(AppVersionPublished.parseFrom(bytes)),
        STOP_BEGUN, bytes -> stopBegun(AppStopBegun.parseFrom(bytes)),
        STOPPED,
            bytes ->
                new AppEvent.AppStopped(Micros.toInstant(AppStopped.parseFrom(bytes).getAt())));
  }

  private static AppCreated created(AppEvent.AppCreated event) {
    return AppCreated.newBuilder()
        .setEnvironment(event.environment())
        .setDescription(event.description())
        .setPhase(phase(event.phase()))
        .putAllTags(event.tags())
        .setAt(Micros.of(event.at()))
        .setBy(event.by())
        .build();
  }

  private static AppEvent created(AppCreated message) {
    return new AppEvent.AppCreated(
        message.getEnvironment(),
        message.getDescription(),
        phase(message.getPhase()),
        Map.copyOf(message.getTagsMap()),
        Micros.toInstant(message.getAt()),
        message.getBy());
  }

  private static AppEvent registered(AppObjectRegistered message) {
    return new AppEvent.ObjectRegistered(
        new AppObject(
            message.getId(), message.getName(), message.getHandleMetadata().toByteArray()));
  }

  private static AppVersionPublished published(AppEvent.VersionPublished event) {
    Deployer deployer = event.origin().deployer();
    return AppVersionPublished.newBuilder()
        .setVersion(event.version())
        .setPhase(phase(event.phase()))
        .setName(event.name())
        .putAllFunctions(event.functions())
        .putAllClasses(event.classes())
        .putAllDefinitions(event.definitions())
        .setDeploymentTag(event.deploymentTag())
        .putAllTags(event.tags())
        .setAt(Micros.of(event.at()))
        .setDeployedBy(deployer.by())
        .setClientVersion(deployer.clientVersion())
        .setCommit(ByteString.copyFrom(deployer.commit()))
        .setRequest(deployer.request())
        .setRollbackOf(event.origin().rollbackOf())
        .setFresh(event.origin().fresh())
        .build();
  }

  private static AppEvent published(AppVersionPublished message) {
    return new AppEvent.VersionPublished(
        message.getVersion(),
        phase(message.getPhase()),
        message.getName(),
        Map.copyOf(message.getFunctionsMap()),
        Map.copyOf(message.getClassesMap()),
        Map.copyOf(message.getDefinitionsMap()),
        message.getDeploymentTag(),
        Map.copyOf(message.getTagsMap()),
        Micros.toInstant(message.getAt()),
        new AppEvent.Origin(
            new Deployer(
                message.getDeployedBy(),
                message.getClientVersion(),
                message.getCommit().toByteArray(),
                message.getRequest()),
            message.getRollbackOf(),
            message.getFresh()));
  }

  private static AppEvent stopBegun(AppStopBegun message) {
    return new AppEvent.StopBegun(
        message.getReason(), Micros.toInstant(message.getAt()), message.getBy());
  }

  private static AppPhase phase(Phase phase) {
    return switch (phase) {
      case INITIALIZING -> AppPhase.APP_PHASE_INITIALIZING;
      case EPHEMERAL -> AppPhase.APP_PHASE_EPHEMERAL;
      case DETACHED -> AppPhase.APP_PHASE_DETACHED;
      case DEPLOYED -> AppPhase.APP_PHASE_DEPLOYED;
      case STOPPING -> AppPhase.APP_PHASE_STOPPING;
      case STOPPED -> AppPhase.APP_PHASE_STOPPED;
    };
  }

  private static Phase phase(AppPhase phase) {
    return switch (phase) {
      case APP_PHASE_INITIALIZING -> Phase.INITIALIZING;
      case APP_PHASE_EPHEMERAL -> Phase.EPHEMERAL;
      case APP_PHASE_DETACHED -> Phase.DETACHED;
      case APP_PHASE_DEPLOYED -> Phase.DEPLOYED;
      case APP_PHASE_STOPPING -> Phase.STOPPING;
      case APP_PHASE_STOPPED -> Phase.STOPPED;
      case APP_PHASE_UNSPECIFIED, UNRECOGNIZED ->
          throw new IllegalStateException("the journal holds an app in an unknown phase");
    };
  }
}
