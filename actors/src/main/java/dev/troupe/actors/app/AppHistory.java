package dev.troupe.actors.app;

import dev.troupe.actors.app.AppEvent.Origin;
import dev.troupe.actors.app.AppProtocol.AppObject;
import dev.troupe.actors.app.AppProtocol.Version;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.pcollections.PMap;

/**
 * The versions of an app that were deployed, oldest first, and what each consisted of: the last
 * {@link AppProtocol#VERSIONS_KEPT} of them.
 */
record AppHistory(List<Deployment> deployments) {

  static final AppHistory EMPTY = new AppHistory(List.of());

  /**
   * One of them.
   *
   * @param objects all that were registered when it went live; shared with the app's own, so that
   *     only what changed takes room
   */
  record Deployment(
      int version, Instant at, App.Layout layout, Origin origin, PMap<String, AppObject> objects) {}

  /** With one more; the oldest is forgotten where there are too many. */
  AppHistory plus(Deployment deployment) {
    List<Deployment> next = new ArrayList<>(deployments);
    next.add(deployment);
    int tooMany = Math.max(0, next.size() - AppProtocol.VERSIONS_KEPT);
    return new AppHistory(List.copyOf(next.subList(tooMany, next.size())));
  }

  Optional<Deployment> find(int version) {
    return deployments.stream().filter(at -> at.version() == version).findFirst();
  }

  /** The one before the newest. */
  Optional<Deployment> previous() {
    return deployments.size() < 2
        ? Optional.empty()
        : Optional.of(deployments.get(deployments.size() - 2));
  }

  /** Those there are, newest first. */
  List<Version> versions() {
    return deployments.reversed().stream()
        .map(
            at ->
                new Version(
                    at.version(),
                    at.at(),
                    at.origin().deployer(),
                    at.layout().deploymentTag(),
                    at.origin().rollbackOf(),
                    at.origin().fresh()))
        .toList();
  }

  /** The range of those there are, for a sentence. */
  String range() {
    return deployments.isEmpty()
        ? "none"
        : "v%d to v%d".formatted(deployments.getFirst().version(), deployments.getLast().version());
  }
}
