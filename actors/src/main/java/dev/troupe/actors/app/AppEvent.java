package dev.troupe.actors.app;

import dev.troupe.cluster.ClusterMessage;
import java.time.Instant;
import java.util.Map;

/** What the journal holds of an app. */
public sealed interface AppEvent extends ClusterMessage {

  /** It was made; {@code by} is who did it, empty where that was not kept. */
  record AppCreated(
      String environment,
      String description,
      AppProtocol.Phase phase,
      Map<String, String> tags,
      Instant at,
      String by)
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
      Instant at,
      Origin origin)
      implements AppEvent {}

  /**
   * Where a version comes from.
   *
   * @param rollbackOf the earlier version that it repeats; 0 where it repeats none
   * @param fresh whether containers of the version before are replaced though nothing changed
   */
  record Origin(AppProtocol.Deployer deployer, int rollbackOf, boolean fresh)
      implements ClusterMessage {

    static Origin of(AppProtocol.Deployer deployer) {
      return new Origin(deployer, 0, false);
    }
  }

  /**
   * It was told to end; its functions are being stopped. {@code by} is empty where nobody asked.
   */
  record StopBegun(String reason, Instant at, String by) implements AppEvent {}

  /** No container of it is left. */
  record AppStopped(Instant at) implements AppEvent {}
}
