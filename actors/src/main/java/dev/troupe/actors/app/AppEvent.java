package dev.troupe.actors.app;

import dev.troupe.cluster.ClusterMessage;
import java.time.Instant;
import java.util.Map;

/** What the journal holds of an app. */
public sealed interface AppEvent extends ClusterMessage {

  /** It was made. */
  record AppCreated(
      String environment,
      String description,
      AppProtocol.Phase phase,
      Map<String, String> tags,
      Instant at)
      implements AppEvent {}

  /** A function or class of it got its handle metadata. */
  record ObjectRegistered(AppProtocol.AppObject object) implements AppEvent {}

  /** A version went live. */
  record VersionPublished(
      int version,
      AppProtocol.Phase phase,
      String name,
      Map<String, String> functions,
      Map<String, String> classes,
      Map<String, String> definitions,
      String deploymentTag,
      Map<String, String> tags,
      Instant at)
      implements AppEvent {}

  /** It was told to end; its functions are being stopped. */
  record StopBegun(String reason, Instant at) implements AppEvent {}

  /** No container of it is left. */
  record AppStopped(Instant at) implements AppEvent {}
}
