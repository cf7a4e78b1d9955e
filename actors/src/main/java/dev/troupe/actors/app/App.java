package dev.troupe.actors.app;

import dev.troupe.actors.app.AppEvent.AppCreated;
import dev.troupe.actors.app.AppEvent.AppStopped;
import dev.troupe.actors.app.AppEvent.ObjectRegistered;
import dev.troupe.actors.app.AppEvent.StopBegun;
import dev.troupe.actors.app.AppEvent.VersionPublished;
import dev.troupe.actors.app.AppProtocol.AppObject;
import dev.troupe.actors.app.AppProtocol.AppView;
import dev.troupe.actors.app.AppProtocol.Phase;
import dev.troupe.actors.app.AppProtocol.PublishReply;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.cluster.Decision;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.pcollections.HashTreePSet;
import org.pcollections.OrderedPMap;
import org.pcollections.PMap;
import org.pcollections.PSet;

/**
 * An app that was made.
 *
 * @param version number of the live layout; 0 before the first
 * @param publishedAt when it went live; before that, when the app was made
 * @param deployedAt when a deployed version last went live
 * @param stopReason empty until it ends
 * @param retired functions of earlier layouts that are in the live one no more
 * @param objects functions and classes with their handle metadata by id, in the order they came
 */
record App(
    String environment,
    String name,
    String description,
    Phase phase,
    int version,
    Instant createdAt,
    Instant publishedAt,
    @Nullable Instant deployedAt,
    @Nullable Instant stoppedAt,
    String stopReason,
    Layout layout,
    PSet<String> retired,
    PMap<String, AppObject> objects) {

  /** What a version consists of, as in {@link AppProtocol.Publish}. */
  record Layout(
      Map<String, String> functions,
      Map<String, String> classes,
      Map<String, String> definitions,
      String deploymentTag,
      Map<String, String> tags) {

    /** A deployment tag that is empty, or there already, is nothing new. */
    private boolean isNewAfter(Layout live) {
      return !functions.equals(live.functions)
          || !classes.equals(live.classes)
          || !definitions.equals(live.definitions)
          || !tags.equals(live.tags)
          || (!deploymentTag.isEmpty() && !deploymentTag.equals(live.deploymentTag));
    }
  }

  /** A new app, before its first version. */
  static App of(AppCreated created) {
    return new App(
        created.environment(),
        "",
        created.description(),
        created.phase(),
        0,
        created.at(),
        created.at(),
        null,
        null,
        "",
        new Layout(Map.of(), Map.of(), Map.of(), "", created.tags()),
        HashTreePSet.empty(),
        OrderedPMap.empty());
  }

  /** Whether it has ended, or is about to. */
  boolean isEnding() {
    return phase == Phase.STOPPING || phase == Phase.STOPPED;
  }

  /** Whether it can end by itself, so that its entity must be awake. */
  boolean isLive() {
    return phase != Phase.DEPLOYED && phase != Phase.STOPPED;
  }

  /** Whether {@code object} is known with just this metadata. */
  boolean knows(AppObject object) {
    AppObject known = objects.get(object.id());
    return known != null
        && known.name().equals(object.name())
        && Arrays.equals(known.handleMetadata(), object.handleMetadata());
  }

  /** Functions of the live layout. */
  Set<FunctionId> published() {
    return functions(Stream.of(layout.functions().values()));
  }

  /** Functions that were dropped from the layout, and are to stop. */
  Set<FunctionId> dropped() {
    return functions(Stream.of(retired));
  }

  /** Every function it ever had, variants too: all of them stop with it. */
  Set<FunctionId> all() {
    return functions(Stream.of(layout.functions().values(), retired, objects.keySet()));
  }

  private static Set<FunctionId> functions(Stream<Collection<String>> ids) {
    return ids.flatMap(Collection::stream)
        .filter(id -> id.startsWith(FunctionId.PREFIX))
        .map(FunctionId::new)
        .collect(Collectors.toUnmodifiableSet());
  }

  /** Makes {@code wanted} the live layout; a phase that is not given stays, and so does a name. */
  Decision<AppEvent, PublishReply> publish(
      @Nullable Phase wantedPhase, String wantedName, Layout wanted, Instant now) {
    Phase next = wantedPhase == null ? phase : wantedPhase;
    String nextName = wantedName.isEmpty() ? name : wantedName;
    boolean changed =
        version == 0 || next != phase || !nextName.equals(name) || wanted.isNewAfter(layout);
    if (!changed) {
      return Decision.reply(new PublishReply.Published(version, publishedAt, false));
    }
    return Decision.record(
        new VersionPublished(
            version + 1,
            next,
            nextName,
            wanted.functions(),
            wanted.classes(),
            wanted.definitions(),
            wanted.deploymentTag(),
            wanted.tags(),
            now),
        new PublishReply.Published(version + 1, now, true));
  }

  /** The app after a fact. */
  App apply(AppEvent event) {
    return switch (event) {
      case AppCreated _ -> this;
      case ObjectRegistered(var object) -> withObject(object);
      case VersionPublished published -> withVersion(published);
      case StopBegun(var reason, _) -> ending(Phase.STOPPING, reason, null);
      case AppStopped(var at) -> ending(Phase.STOPPED, stopReason, at);
    };
  }

  private App withObject(AppObject object) {
    return new App(
        environment,
        name,
        description,
        phase,
        version,
        createdAt,
        publishedAt,
        deployedAt,
        stoppedAt,
        stopReason,
        layout,
        retired,
        objects.plus(object.id(), object));
  }

  private App withVersion(VersionPublished next) {
    return new App(
        environment,
        next.name(),
        description,
        next.phase(),
        next.version(),
        createdAt,
        next.at(),
        next.phase() == Phase.DEPLOYED ? next.at() : deployedAt,
        stoppedAt,
        stopReason,
        new Layout(
            next.functions(),
            next.classes(),
            next.definitions(),
            next.deploymentTag(),
            next.tags()),
        retired.plusAll(layout.functions().values()).minusAll(next.functions().values()),
        objects);
  }

  private App ending(Phase next, String reason, @Nullable Instant at) {
    return new App(
        environment,
        name,
        description,
        next,
        version,
        createdAt,
        publishedAt,
        deployedAt,
        at,
        reason,
        layout,
        retired,
        objects);
  }

  /** What it is, for lookups and listings. */
  AppView view(AppId id, int containers) {
    return new AppView(
        id,
        environment,
        name,
        description,
        phase,
        version,
        createdAt,
        deployedAt,
        stoppedAt,
        layout.functions(),
        layout.classes(),
        List.copyOf(objects.values()),
        layout.tags(),
        phase == Phase.STOPPED ? 0 : containers);
  }
}
