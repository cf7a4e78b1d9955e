package dev.troupe.gateway.service;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.actors.app.AppProtocol;
import dev.troupe.actors.app.AppProtocol.AppObject;
import dev.troupe.actors.app.AppProtocol.AppView;
import dev.troupe.actors.app.AppProtocol.Deployer;
import dev.troupe.actors.app.AppProtocol.History;
import dev.troupe.actors.app.AppProtocol.HistoryReply;
import dev.troupe.actors.app.AppProtocol.Phase;
import dev.troupe.actors.app.AppProtocol.PublishReply;
import dev.troupe.actors.app.AppProtocol.Rollback;
import dev.troupe.actors.app.AppProtocol.Rollover;
import dev.troupe.actors.app.AppProtocol.Version;
import dev.troupe.actors.function.FunctionProtocol.Containers;
import dev.troupe.actors.function.FunctionProtocol.ListContainers;
import dev.troupe.actors.function.FunctionProtocol.StopContainer;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.gateway.rpc.RpcContext;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.RpcService;
import dev.troupe.gateway.rpc.RpcTable;
import dev.troupe.protocol.modal.AppDeploymentHistory;
import dev.troupe.protocol.modal.AppDeploymentHistoryRequest;
import dev.troupe.protocol.modal.AppDeploymentHistoryResponse;
import dev.troupe.protocol.modal.AppRollbackRequest;
import dev.troupe.protocol.modal.AppRollbackResponse;
import dev.troupe.protocol.modal.AppRolloverRequest;
import dev.troupe.protocol.modal.AppRolloverResponse;
import dev.troupe.protocol.modal.CommitInfo;
import dev.troupe.protocol.modal.DeploymentType;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorRef;

/** The versions of a deployed app: listed, gone back to, made live anew. */
final class AppVersionsService implements RpcService {

  /** Functions, and containers of one, that are spoken to at a time. */
  private static final int AT_A_TIME = 32;

  private final World world;
  private final Apps apps;

  AppVersionsService(World world, Apps apps) {
    this.world = world;
    this.apps = apps;
  }

  @Override
  public void register(RpcTable.Builder table) {
    table
        .unary("AppDeploymentHistory", AppDeploymentHistoryRequest.parser(), this::history)
        .unary("AppRollback", AppRollbackRequest.parser(), this::rollback)
        .unary("AppRollover", AppRolloverRequest.parser(), this::rollover);
  }

  private CompletionStage<AppDeploymentHistoryResponse> history(
      RpcContext context, AppDeploymentHistoryRequest request) {
    AppId app = new AppId(request.getAppId());
    return apps.require(context, app)
        .thenCompose(
            view ->
                world
                    .entities()
                    .app(app)
                    .<HistoryReply>ask(History::new, world.settings().askTimeout())
                    .thenApply(history -> answer(view, history)));
  }

  private static AppDeploymentHistoryResponse answer(AppView app, HistoryReply history) {
    boolean isDeployed = app.phase() == Phase.DEPLOYED;
    AppDeploymentHistoryResponse.Builder answer = AppDeploymentHistoryResponse.newBuilder();
    for (Version version : history.versions()) {
      boolean isLive = isDeployed && version.number() == app.version();
      answer.addAppDeploymentHistories(line(app.app(), version, isDeployed && !isLive));
    }
    return answer.setProductionAppVersion(isDeployed ? app.version() : 0).build();
  }

  private static AppDeploymentHistory line(AppId app, Version version, boolean mayGoBackTo) {
    AppDeploymentHistory.Builder line =
        AppDeploymentHistory.newBuilder()
            .setAppId(app.value())
            .setVersion(version.number())
            .setClientVersion(version.deployer().clientVersion())
            .setDeployedAt(Outputs.seconds(version.at()))
            .setDeployedBy(version.deployer().by())
            .setTag(version.tag())
            .setRollbackVersion(version.rollbackOf())
            .setRollbackAllowed(mayGoBackTo)
            .setDeploymentType(type(version));
    if (version.deployer().commit().length > 0) {
      line.setCommitInfo(commit(version.deployer().commit()));
    }
    return line.build();
  }

  private static DeploymentType type(Version version) {
    if (version.rollbackOf() != 0) {
      return DeploymentType.DEPLOYMENT_TYPE_ROLLBACK;
    }
    return version.fresh()
        ? DeploymentType.DEPLOYMENT_TYPE_ROLLOVER
        : DeploymentType.DEPLOYMENT_TYPE_STANDARD;
  }

  private static CommitInfo commit(byte[] bytes) {
    try {
      return CommitInfo.parseFrom(bytes);
    } catch (InvalidProtocolBufferException damaged) {
      throw new IllegalStateException("The commit of a version is damaged", damaged);
    }
  }

  // ---- new versions from old ones

  private CompletionStage<AppRollbackResponse> rollback(
      RpcContext context, AppRollbackRequest request) {
    int version = request.getVersion();
    if (version < AppProtocol.PREVIOUS) {
      throw RpcFailure.invalid("There are no versions below v1; v%d was named.".formatted(version));
    }
    AppId app = new AppId(request.getAppId());
    Deployer deployer = deployer(context, "AppRollback", app);
    return publish(context, app, replyTo -> new Rollback(version, deployer, replyTo))
        .thenApply(
            published ->
                AppRollbackResponse.newBuilder()
                    .setUrl(AppsService.page(context, app))
                    .setDeployedAt(Outputs.seconds(published.at()))
                    .build());
  }

  private CompletionStage<AppRolloverResponse> rollover(
      RpcContext context, AppRolloverRequest request) {
    AppId app = new AppId(request.getAppId());
    Deployer deployer = deployer(context, "AppRollover", app);
    return publish(context, app, replyTo -> new Rollover(deployer, replyTo))
        .thenCompose(published -> renewVariants(context, app).thenApply(_ -> published))
        .thenApply(
            published ->
                AppRolloverResponse.newBuilder()
                    .setUrl(AppsService.page(context, app))
                    .setDeployedAt(Outputs.seconds(published.at()))
                    .build());
  }

  /** Variants are no part of a version: their containers are replaced one by one. */
  private CompletionStage<Void> renewVariants(RpcContext context, AppId app) {
    return apps.require(context, app)
        .thenCompose(
            view ->
                Stages.inTurn(
                    view.objects().stream()
                        .map(AppObject::id)
                        .filter(id -> id.startsWith(FunctionId.PREFIX))
                        .filter(id -> !view.functions().containsValue(id))
                        .toList(),
                    AT_A_TIME,
                    id -> letGo(new FunctionId(id))));
  }

  private CompletionStage<Void> letGo(FunctionId function) {
    Duration patience = world.settings().askTimeout();
    return world
        .entities()
        .function(function)
        .<Containers>ask(ListContainers::new, patience)
        .thenCompose(
            reply ->
                Stages.inTurn(
                    reply.containers(),
                    AT_A_TIME,
                    container ->
                        world
                            .entities()
                            .function(function)
                            .<Containers>ask(
                                replyTo -> new StopContainer(container.task(), true, replyTo),
                                patience)));
  }

  /** Says who it is, and which request: the repeat of one must not go back another step. */
  private Deployer deployer(RpcContext context, String rpc, AppId app) {
    return new Deployer(
        world.username(context.caller()),
        context.clientVersion(),
        new byte[0],
        world
            .mint()
            .keyFor(context.caller().identity(), rpc, context.idempotencyKey(), app.value()));
  }

  /** What makes a version. */
  @FunctionalInterface
  private interface Ask {
    AppProtocol.Command to(ActorRef<PublishReply> replyTo);
  }

  private CompletionStage<PublishReply.Published> publish(RpcContext context, AppId app, Ask ask) {
    return apps.require(context, app)
        .thenCompose(
            _ -> world.entities().app(app).<PublishReply>ask(ask::to, AppsService.PUBLISH_TIMEOUT))
        .thenApply(AppVersionsService::published);
  }

  /** What was published; else why not. */
  static PublishReply.Published published(PublishReply reply) {
    return switch (reply) {
      case PublishReply.Published published -> published;
      case PublishReply.Refused(var why) -> throw RpcFailure.precondition(why);
      case PublishReply.NoVersion(var why) -> throw RpcFailure.notFound(why);
    };
  }
}
