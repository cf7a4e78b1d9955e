package dev.troupe.actors.app;

import dev.troupe.actors.app.AppEvent.AppCreated;
import dev.troupe.actors.app.AppEvent.AppStopped;
import dev.troupe.actors.app.AppEvent.ObjectRegistered;
import dev.troupe.actors.app.AppEvent.Origin;
import dev.troupe.actors.app.AppEvent.StopBegun;
import dev.troupe.actors.app.AppEvent.VersionPublished;
import dev.troupe.actors.app.AppHistory.Deployment;
import dev.troupe.actors.app.AppProtocol.AppObject;
import dev.troupe.actors.app.AppProtocol.AppView;
import dev.troupe.actors.app.AppProtocol.Credits;
import dev.troupe.actors.app.AppProtocol.Deployer;
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
import java.util.Optional;
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
 * @param origin where the live version comes from
 * @param history the versions that were deployed, the live one included
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
    PMap<String, AppObject> objects,
    Origin origin,
    Credits credits,
    AppHistory history) {

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
        OrderedPMap.empty(),
        Origin.of(Deployer.UNKNOWN),
        new Credits(created.by(), "", ""),
        AppHistory.EMPTY);
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

  /** The earlier version whose definitions its functions take up; 0: the latest there are. */
  int asOf() {
    if (origin.rollbackOf() != 0) {
      return origin.rollbackOf();
    }
    return origin.fresh() ? version - 1 : 0;
  }

  /** Whether containers of the version before are replaced though nothing changed. */
  boolean fresh() {
    return origin.fresh();
  }

  /** Makes {@code wanted} the live layout; a phase that is not given stays, and so does a name. */
  Decision<AppEvent, PublishReply> publish(
      @Nullable Phase wantedPhase,
      String wantedName,
      Layout wanted,
      Deployer deployer,
      Instant now) {
    Phase next = wantedPhase == null ? phase : wantedPhase;
    String nextName = wantedName.isEmpty() ? name : wantedName;
    boolean changed =
        version == 0 || next != phase || !nextName.equals(name) || wanted.isNewAfter(layout);
    if (!changed) {
      return Decision.reply(new PublishReply.Published(version, publishedAt, false));
    }
    return next(next, nextName, wanted, Origin.of(deployer), now);
  }

  /** Makes an earlier version live again; {@link AppProtocol#PREVIOUS}: the one before. */
  Decision<AppEvent, PublishReply> rollback(int wanted, Deployer deployer, Instant now) {
    if (phase != Phase.DEPLOYED) {
      return notDeployed();
    }
    if (isRepeat(deployer)) {
      return Decision.reply(new PublishReply.Published(version, publishedAt, true));
    }
    if (wanted == version) {
      return Decision.reply(
          new PublishReply.Refused(
              "Version v%d of app '%s' is live already.".formatted(version, name)));
    }
    Optional<Deployment> earlier =
        wanted == AppProtocol.PREVIOUS ? history.previous() : history.find(wanted);
    return earlier
        .map(at -> next(phase, name, at.layout(), new Origin(deployer, at.version(), false), now))
        .orElseGet(() -> Decision.reply(new PublishReply.NoVersion(noVersion(wanted))));
  }

  private String noVersion(int wanted) {
    return wanted == AppProtocol.PREVIOUS
        ? "App '%s' has no version before v%d.".formatted(name, version)
        : "App '%s' has no version v%d to go back to; it has %s (the last %d are kept)."
            .formatted(name, wanted, history.range(), AppProtocol.VERSIONS_KEPT);
  }

  /** Makes the live version live anew, with new containers. */
  Decision<AppEvent, PublishReply> rollover(Deployer deployer, Instant now) {
    if (phase != Phase.DEPLOYED) {
      return notDeployed();
    }
    return isRepeat(deployer)
        ? Decision.reply(new PublishReply.Published(version, publishedAt, true))
        : next(phase, name, layout, new Origin(deployer, 0, true), now);
  }

  private Decision<AppEvent, PublishReply> notDeployed() {
    return Decision.reply(
        new PublishReply.Refused(
            "App '%s' is not deployed%s."
                .formatted(name, stopReason.isEmpty() ? "" : "; it has ended: " + stopReason)));
  }

  private boolean isRepeat(Deployer deployer) {
    return !deployer.request().isEmpty() && deployer.request().equals(origin.deployer().request());
  }

  private Decision<AppEvent, PublishReply> next(
      Phase next, String nextName, Layout wanted, Origin from, Instant now) {
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
            now,
            from),
        new PublishReply.Published(version + 1, now, true));
  }

  /** The app after a fact. */
  App apply(AppEvent event) {
    return switch (event) {
      case AppCreated _ -> this;
      case ObjectRegistered(var object) -> withObject(object);
      case VersionPublished published -> withVersion(published);
      case StopBegun(var reason, _, var by) -> ending(Phase.STOPPING, reason, by, null);
      case AppStopped(var at) -> ending(Phase.STOPPED, stopReason, credits.stoppedBy(), at);
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
        objects.plus(object.id(), object),
        origin,
        credits,
        history);
  }

  private App withVersion(VersionPublished next) {
    boolean deploys = next.phase() == Phase.DEPLOYED;
    Layout live =
        new Layout(
            next.functions(),
            next.classes(),
            next.definitions(),
            next.deploymentTag(),
            next.tags());
    PMap<String, AppObject> handles = handles(live, next.origin().rollbackOf());
    return new App(
        environment,
        next.name(),
        description,
        next.phase(),
        next.version(),
        createdAt,
        next.at(),
        deploys ? next.at() : deployedAt,
        stoppedAt,
        stopReason,
        live,
        retired.plusAll(layout.functions().values()).minusAll(next.functions().values()),
        handles,
        next.origin(),
        deploys
            ? new Credits(credits.createdBy(), next.origin().deployer().by(), credits.stoppedBy())
            : credits,
        deploys
            ? history.plus(new Deployment(next.version(), next.at(), live, next.origin(), handles))
            : history);
  }

  /** All objects, those of the layout as they were in the version that is gone back to. */
  private PMap<String, AppObject> handles(Layout live, int rollbackOf) {
    PMap<String, AppObject> then =
        history.find(rollbackOf).map(Deployment::objects).orElse(objects);
    PMap<String, AppObject> handles = objects;
    for (String id :
        Stream.concat(live.functions().values().stream(), live.classes().values().stream())
            .toList()) {
      AppObject object = then.get(id);
      if (object != null && !object.equals(handles.get(id))) {
        handles = handles.plus(id, object);
      }
    }
    return handles;
  }

  private App ending(Phase next, String reason, String by, @Nullable Instant at) {
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
        objects,
        origin,
        new Credits(credits.createdBy(), credits.deployedBy(), by),
        history);
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
        phase == Phase.STOPPED ? 0 : containers,
        credits);
  }
}
