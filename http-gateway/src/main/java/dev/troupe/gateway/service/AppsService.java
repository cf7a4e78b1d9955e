package dev.troupe.gateway.service;

import com.google.protobuf.Empty;
import dev.troupe.actors.app.AppProtocol.AppReply;
import dev.troupe.actors.app.AppProtocol.AppView;
import dev.troupe.actors.app.AppProtocol.Create;
import dev.troupe.actors.app.AppProtocol.Deployer;
import dev.troupe.actors.app.AppProtocol.Disconnect;
import dev.troupe.actors.app.AppProtocol.Heartbeat;
import dev.troupe.actors.app.AppProtocol.Phase;
import dev.troupe.actors.app.AppProtocol.Publish;
import dev.troupe.actors.app.AppProtocol.PublishReply;
import dev.troupe.actors.app.AppProtocol.StopApp;
import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.id.AppId;
import dev.troupe.gateway.rpc.RpcContext;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.RpcService;
import dev.troupe.gateway.rpc.RpcTable;
import dev.troupe.protocol.modal.AppClientDisconnectRequest;
import dev.troupe.protocol.modal.AppCreateRequest;
import dev.troupe.protocol.modal.AppCreateResponse;
import dev.troupe.protocol.modal.AppGetByDeploymentNameRequest;
import dev.troupe.protocol.modal.AppGetByDeploymentNameResponse;
import dev.troupe.protocol.modal.AppGetLayoutRequest;
import dev.troupe.protocol.modal.AppGetLayoutResponse;
import dev.troupe.protocol.modal.AppGetLifecycleRequest;
import dev.troupe.protocol.modal.AppGetLifecycleResponse;
import dev.troupe.protocol.modal.AppGetOrCreateRequest;
import dev.troupe.protocol.modal.AppGetOrCreateResponse;
import dev.troupe.protocol.modal.AppHeartbeatRequest;
import dev.troupe.protocol.modal.AppListRequest;
import dev.troupe.protocol.modal.AppListResponse;
import dev.troupe.protocol.modal.AppListResponse.AppListItem;
import dev.troupe.protocol.modal.AppPublishRequest;
import dev.troupe.protocol.modal.AppPublishResponse;
import dev.troupe.protocol.modal.AppStopRequest;
import dev.troupe.protocol.modal.ObjectCreationType;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Apps: made, published, found, listed, ended. */
final class AppsService implements RpcService {

  /** Entries that are looked through for a listing. */
  private static final int LISTED = 10_000;

  /** How long a listing shows an app that has ended. */
  private static final Duration SHOWN_AFTER_END = Duration.ofDays(1);

  /** A publication waits for each function to record it. */
  static final Duration PUBLISH_TIMEOUT = Duration.ofSeconds(30);

  private final World world;
  private final Apps apps;

  AppsService(World world, Apps apps) {
    this.world = world;
    this.apps = apps;
  }

  @Override
  public void register(RpcTable.Builder table) {
    table
        .unary("AppCreate", AppCreateRequest.parser(), this::create)
        .unary("AppGetOrCreate", AppGetOrCreateRequest.parser(), this::getOrCreate)
        .unary("AppGetByDeploymentName", AppGetByDeploymentNameRequest.parser(), this::byName)
        .unary("AppGetLayout", AppGetLayoutRequest.parser(), this::layout)
        .unary("AppGetLifecycle", AppGetLifecycleRequest.parser(), this::lifecycle)
        .unary("AppList", AppListRequest.parser(), this::list)
        .unary("AppPublish", AppPublishRequest.parser(), this::publish)
        .unary("AppHeartbeat", AppHeartbeatRequest.parser(), this::heartbeat)
        .unary("AppClientDisconnect", AppClientDisconnectRequest.parser(), this::disconnect)
        .unary("AppStop", AppStopRequest.parser(), this::stop);
  }

  private CompletionStage<AppCreateResponse> create(RpcContext context, AppCreateRequest request) {
    Phase asked = AppViews.phase(request.getAppState());
    Phase phase = asked == null ? Phase.INITIALIZING : asked;
    return make(
            context,
            "AppCreate",
            request.getEnvironmentName(),
            request.getDescription(),
            phase,
            request.getTagsMap())
        .thenApply(
            app ->
                AppCreateResponse.newBuilder()
                    .setAppId(app.app().value())
                    .setAppPageUrl(page(context, app.app()))
                    .setAppLogsUrl(page(context, app.app()))
                    .build());
  }

  private CompletionStage<AppView> make(
      RpcContext context,
      String rpc,
      String environment,
      String description,
      Phase phase,
      Map<String, String> tags) {
    AppId app =
        new AppId(
            AppId.PREFIX
                + world
                    .mint()
                    .keyFor(context.caller().identity(), rpc, context.idempotencyKey(), "app"));
    return world
        .environments()
        .meant(context, environment)
        .thenCompose(
            there ->
                apps.ask(
                    app,
                    replyTo ->
                        new Create(
                            there.key(),
                            description,
                            phase,
                            tags,
                            world.username(context.caller()),
                            replyTo)));
  }

  private CompletionStage<AppGetOrCreateResponse> getOrCreate(
      RpcContext context, AppGetOrCreateRequest request) {
    String name = request.getAppName();
    boolean mayCreate =
        request.getObjectCreationType()
            == ObjectCreationType.OBJECT_CREATION_TYPE_CREATE_IF_MISSING;
    if (mayCreate) {
      AppViews.requireName(name);
    }
    return world
        .environments()
        .meant(context, request.getEnvironmentName())
        .thenCompose(
            there ->
                (mayCreate ? deployed(context, there, name) : apps.requireDeployed(there, name))
                    .thenApply(
                        app ->
                            AppGetOrCreateResponse.newBuilder()
                                .setAppId(app.app().value())
                                .setHandleMetadata(AppViews.handle(app, there.name()))
                                .build()));
  }

  private CompletionStage<AppView> deployed(RpcContext context, Environment there, String name) {
    return apps.find(there, name)
        .thenCompose(
            found ->
                found
                    .filter(app -> app.phase() == Phase.DEPLOYED)
                    .map(CompletableFuture::completedStage)
                    .orElseGet(() -> deployEmpty(context, there, name)));
  }

  /** A deployed app without functions, as a place for what is made outside of a deployment. */
  private CompletionStage<AppView> deployEmpty(RpcContext context, Environment there, String name) {
    return make(context, "AppGetOrCreate", there.name(), name, Phase.INITIALIZING, Map.of())
        .thenCompose(
            app ->
                publish(
                        context,
                        app.app(),
                        AppPublishRequest.newBuilder().setName(name).build(),
                        Phase.DEPLOYED)
                    .thenCompose(_ -> apps.requireDeployed(there, name)));
  }

  private CompletionStage<AppGetByDeploymentNameResponse> byName(
      RpcContext context, AppGetByDeploymentNameRequest request) {
    return world
        .environments()
        .meant(context, request.getEnvironmentName())
        .thenCompose(
            there ->
                apps.find(there, request.getName())
                    .thenApply(found -> byName(there.name(), found)));
  }

  private static AppGetByDeploymentNameResponse byName(
      String environment, Optional<AppView> found) {
    AppGetByDeploymentNameResponse.Builder answer =
        AppGetByDeploymentNameResponse.newBuilder().setEnvironmentName(environment);
    found.ifPresent(
        app -> {
          answer.setLifecycle(AppViews.lifecycle(app));
          if (app.phase() == Phase.DEPLOYED) {
            answer.setAppId(app.app().value());
          } else {
            answer.setPreviousAppId(app.app().value());
          }
        });
    return answer.build();
  }

  private CompletionStage<AppGetLayoutResponse> layout(
      RpcContext context, AppGetLayoutRequest request) {
    return apps.require(context, new AppId(request.getAppId()))
        .thenApply(
            app -> AppGetLayoutResponse.newBuilder().setAppLayout(AppViews.layout(app)).build());
  }

  private CompletionStage<AppGetLifecycleResponse> lifecycle(
      RpcContext context, AppGetLifecycleRequest request) {
    return apps.require(context, new AppId(request.getAppId()))
        .thenApply(
            app ->
                AppGetLifecycleResponse.newBuilder().setLifecycle(AppViews.lifecycle(app)).build());
  }

  private CompletionStage<AppListResponse> list(RpcContext context, AppListRequest request) {
    return world
        .environments()
        .meant(context, request.getEnvironmentName())
        .thenCompose(
            there ->
                world
                    .directory()
                    .list(Directory.Kind.APP, there.key(), LISTED)
                    .thenApply(
                        entries ->
                            entries.stream()
                                .filter(there::holds)
                                .map(entry -> AppViews.item(entry, there.name()))
                                .filter(this::isShown)
                                .toList()))
        .thenApply(items -> AppListResponse.newBuilder().addAllApps(items).build());
  }

  private boolean isShown(AppListItem item) {
    double forgotten = Outputs.seconds(world.clock().instant().minus(SHOWN_AFTER_END));
    return item.getStoppedAt() == 0 || item.getStoppedAt() > forgotten;
  }

  // ---- publication

  private CompletionStage<AppPublishResponse> publish(
      RpcContext context, AppPublishRequest request) {
    if (request.getStaged()) {
      throw RpcFailure.unimplemented("Troupe does not serve staged deployments yet.");
    }
    if (request.getRollbackVersion() != 0) {
      throw RpcFailure.unimplemented("Troupe goes back to a version by AppRollback alone.");
    }
    AppId app = new AppId(request.getAppId());
    if (!request.getName().isEmpty()) {
      AppViews.requireName(request.getName());
    }
    return publish(context, app, request, AppViews.phase(request.getAppState()))
        .thenApply(
            published ->
                AppPublishResponse.newBuilder()
                    .setUrl(page(context, app))
                    .setDeployedAt(published.changed() ? Outputs.seconds(published.at()) : 0)
                    .build());
  }

  private CompletionStage<PublishReply.Published> publish(
      RpcContext context, AppId app, AppPublishRequest request, @Nullable Phase phase) {
    Deployer deployer =
        new Deployer(
            world.username(context.caller()),
            request.getClientVersion().isEmpty()
                ? context.clientVersion()
                : request.getClientVersion(),
            request.getCommitInfo().toByteArray(),
            "");
    return world
        .entities()
        .app(app)
        .<PublishReply>ask(
            replyTo ->
                new Publish(
                    phase,
                    request.getName(),
                    request.getFunctionIdsMap(),
                    request.getClassIdsMap(),
                    request.getDefinitionIdsMap(),
                    request.getDeploymentTag(),
                    request.getTagsMap(),
                    deployer,
                    replyTo),
            PUBLISH_TIMEOUT)
        .thenApply(AppVersionsService::published);
  }

  // ---- the client's presence

  private CompletionStage<Empty> heartbeat(RpcContext context, AppHeartbeatRequest request) {
    return apps.ask(new AppId(request.getAppId()), Heartbeat::new)
        .thenApply(_ -> Empty.getDefaultInstance());
  }

  private CompletionStage<Empty> disconnect(
      RpcContext context, AppClientDisconnectRequest request) {
    String reason = AppViews.reason(request.getReason(), request.getException());
    return end(new AppId(request.getAppId()), replyTo -> new Disconnect(reason, replyTo));
  }

  private CompletionStage<Empty> stop(RpcContext context, AppStopRequest request) {
    return end(
        new AppId(request.getAppId()),
        replyTo ->
            new StopApp(
                AppViews.source(request.getSource()), world.username(context.caller()), replyTo));
  }

  /** To end what has ended is no error: the client that repeats it must come to its own end. */
  private CompletionStage<Empty> end(AppId app, Apps.Ask ask) {
    return world
        .entities()
        .app(app)
        .<AppReply>ask(ask::to, world.settings().askTimeout())
        .thenApply(
            reply ->
                switch (reply) {
                  case AppReply.Ok _, AppReply.Ended _ -> Empty.getDefaultInstance();
                  case AppReply.NoApp(var missing) -> throw Apps.missing(missing);
                });
  }

  /** Where a user may look at an app. */
  static String page(RpcContext context, AppId app) {
    return context.blobUrl() + "/apps/" + app;
  }
}
