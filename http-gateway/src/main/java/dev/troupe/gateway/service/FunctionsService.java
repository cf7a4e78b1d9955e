package dev.troupe.gateway.service;

import dev.troupe.actors.app.AppProtocol.AppView;
import dev.troupe.actors.app.AppProtocol.Phase;
import dev.troupe.actors.function.FunctionDefinition;
import dev.troupe.actors.function.FunctionProtocol.Description;
import dev.troupe.actors.function.FunctionProtocol.Measure;
import dev.troupe.actors.function.FunctionProtocol.Measured;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.image.ImageProtocol;
import dev.troupe.actors.image.ImageProtocol.ImageReply;
import dev.troupe.gateway.rpc.RpcContext;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.RpcService;
import dev.troupe.gateway.rpc.RpcTable;
import dev.troupe.gateway.rpc.StatusCode;
import dev.troupe.gateway.service.Definitions.Origin;
import dev.troupe.protocol.modal.FunctionCreateRequest;
import dev.troupe.protocol.modal.FunctionCreateResponse;
import dev.troupe.protocol.modal.FunctionGetByIdRequest;
import dev.troupe.protocol.modal.FunctionGetByIdResponse;
import dev.troupe.protocol.modal.FunctionGetCurrentStatsRequest;
import dev.troupe.protocol.modal.FunctionGetRequest;
import dev.troupe.protocol.modal.FunctionGetResponse;
import dev.troupe.protocol.modal.FunctionLookupError;
import dev.troupe.protocol.modal.FunctionPrecreateRequest;
import dev.troupe.protocol.modal.FunctionPrecreateResponse;
import dev.troupe.protocol.modal.FunctionStats;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Functions: defined, found, measured. */
final class FunctionsService implements RpcService {

  private final World world;
  private final Apps apps;
  private final Definer definer;

  FunctionsService(World world, Apps apps, Definer definer) {
    this.world = world;
    this.apps = apps;
    this.definer = definer;
  }

  @Override
  public void register(RpcTable.Builder table) {
    table
        .unary("FunctionPrecreate", FunctionPrecreateRequest.parser(), this::precreate)
        .unary("FunctionCreate", FunctionCreateRequest.parser(), this::create)
        .unary("FunctionGet", FunctionGetRequest.parser(), this::get)
        .unary("FunctionGetById", FunctionGetByIdRequest.parser(), this::getById)
        .unary(
            "FunctionGetCurrentStats", FunctionGetCurrentStatsRequest.parser(), this::currentStats);
  }

  // ---- defining

  /** Gives a function its id, so that others can name it before it is defined. */
  private CompletionStage<FunctionPrecreateResponse> precreate(
      RpcContext context, FunctionPrecreateRequest request) {
    FunctionId function =
        id(context, request.getExistingFunctionId(), request.getAppId(), request.getFunctionName());
    return apps.require(context, new AppId(request.getAppId()))
        .thenApply(
            _ ->
                FunctionPrecreateResponse.newBuilder()
                    .setFunctionId(function.value())
                    .setHandleMetadata(Handles.of(request))
                    .build());
  }

  private FunctionId id(RpcContext context, String existing, String app, String name) {
    return existing.isEmpty()
        ? new FunctionId(
            FunctionId.PREFIX
                + world
                    .mint()
                    .keyFor(
                        context.caller().identity(),
                        "FunctionCreate",
                        context.idempotencyKey(),
                        app + " " + name))
        : new FunctionId(existing);
  }

  private CompletionStage<FunctionCreateResponse> create(
      RpcContext context, FunctionCreateRequest request) {
    RankedFunction ranked = RankedFunction.of(request);
    String name = ranked.function().getFunctionName();
    Unserved.check(
        request.hasSchedule()
            ? ranked.function().toBuilder().setSchedule(request.getSchedule()).build()
            : ranked.function());
    AppId app = new AppId(request.getAppId());
    FunctionId function = id(context, request.getExistingFunctionId(), request.getAppId(), name);
    return apps.require(context, app)
        .thenApply(FunctionsService::requireAlive)
        .thenCombine(requireFreeOrOwn(function, app), (view, _) -> view)
        .thenCombine(
            builderVersion(ranked.function().getImageId()),
            (view, builderVersion) ->
                new Origin(
                    function,
                    app,
                    view.name().isEmpty() ? view.description() : view.name(),
                    view.environment(),
                    null,
                    new byte[0],
                    context.clientVersion(),
                    builderVersion))
        .thenCompose(origin -> definer.define(origin, ranked))
        .thenApply(definition -> answer(request, ranked, definition));
  }

  private static FunctionCreateResponse answer(
      FunctionCreateRequest request, RankedFunction ranked, FunctionDefinition definition) {
    return FunctionCreateResponse.newBuilder()
        .setFunctionId(definition.function().value())
        .setFunction(ranked.function())
        .setFunctionData(request.hasFunctionData() ? request.getFunctionData() : ranked.data())
        .setHandleMetadata(Handles.parse(definition.handleMetadata()))
        .build();
  }

  static AppView requireAlive(AppView app) {
    if (app.phase() == Phase.STOPPING || app.phase() == Phase.STOPPED) {
      throw RpcFailure.precondition("App '%s' has ended.".formatted(app.app()));
    }
    return app;
  }

  /** An id that the client names must be new, or that of a function of the same app. */
  private CompletionStage<FunctionId> requireFreeOrOwn(FunctionId function, AppId app) {
    return definer
        .describe(function)
        .thenApply(
            description -> {
              if (description instanceof Description.Known(var latest, _, _)
                  && !latest.app().equals(app)) {
                throw RpcFailure.invalid(
                    "Function '%s' is not one of app '%s'.".formatted(function, app));
              }
              return function;
            });
  }

  private CompletionStage<String> builderVersion(String imageId) {
    if (imageId.isEmpty()) {
      return CompletableFuture.completedStage(world.settings().imageBuilderVersion());
    }
    ImageId image = new ImageId(imageId);
    return world
        .entities()
        .image(image)
        .<ImageReply>ask(ImageProtocol.Describe::new, world.settings().askTimeout())
        .thenApply(
            reply ->
                switch (reply) {
                  case ImageReply.Built(var facts) -> facts.builderVersion();
                  case ImageReply.Building _, ImageReply.Failed _ ->
                      throw RpcFailure.precondition("Image '%s' is not built.".formatted(image));
                  case ImageReply.Unknown _ ->
                      throw RpcFailure.notFound("Image '%s' does not exist.".formatted(image));
                });
  }

  // ---- finding

  private CompletionStage<FunctionGetResponse> get(RpcContext context, FunctionGetRequest request) {
    refusePinned(request.getAppVersion());
    return world
        .environments()
        .meant(context, request.getEnvironmentName())
        .thenCompose(
            there ->
                apps.requireDeployed(there, request.getAppName())
                    .thenApply(app -> tagged(there, app, request.getObjectTag())))
        .thenCompose(definer::require)
        .thenCompose(
            known -> {
              FunctionDefinition definition = Definer.inForce(known);
              return definer
                  .read(definition)
                  .thenApply(
                      ranked ->
                          FunctionGetResponse.newBuilder()
                              .setFunctionId(definition.function().value())
                              .setHandleMetadata(Handles.parse(definition.handleMetadata()))
                              .setFunction(ranked.data())
                              .build());
            });
  }

  static void refusePinned(int appVersion) {
    if (appVersion != 0) {
      throw RpcFailure.unimplemented(
          "Troupe does not serve earlier versions of an app yet (version=%d)."
              .formatted(appVersion));
    }
  }

  private static FunctionId tagged(Environment there, AppView app, String tag) {
    String id = app.functions().get(tag);
    if (id != null) {
      return new FunctionId(id);
    }
    if (app.classes().containsKey(tag)) {
      throw RpcFailure.of(
          StatusCode.NOT_FOUND,
          "'%s' is a class of app '%s'; use Cls.from_name.".formatted(tag, app.name()),
          FunctionLookupError.newBuilder()
              .setReason(FunctionLookupError.Reason.REASON_CLASS_NAME_USED)
              .build());
    }
    throw RpcFailure.notFound(
        "App '%s' of environment '%s' has no function '%.80s'. %s"
            .formatted(
                app.name(), there.name(), tag, Apps.names(app.functions().keySet().stream())));
  }

  private CompletionStage<FunctionGetByIdResponse> getById(
      RpcContext context, FunctionGetByIdRequest request) {
    return definer
        .require(new FunctionId(request.getFunctionId()))
        .thenCompose(
            known -> {
              FunctionDefinition definition = Definer.inForce(known);
              context.requireWithin(definition.environment());
              return definer
                  .read(definition)
                  .thenApply(
                      ranked ->
                          FunctionGetByIdResponse.newBuilder()
                              .setFunction(ranked.data())
                              .setHandleMetadata(Handles.parse(definition.handleMetadata()))
                              .build());
            });
  }

  private CompletionStage<FunctionStats> currentStats(
      RpcContext context, FunctionGetCurrentStatsRequest request) {
    FunctionId function = new FunctionId(request.getFunctionId());
    return definer
        .require(function)
        .thenCompose(
            known -> {
              context.requireWithin(known.latest().environment());
              return world
                  .entities()
                  .function(function)
                  .<Measured>ask(Measure::new, world.settings().askTimeout());
            })
        .thenApply(
            measured ->
                FunctionStats.newBuilder()
                    .setBacklog(measured.waiting())
                    .setNumRunningInputs(measured.running())
                    .setNumTotalTasks(measured.containers())
                    .setInputHeadroom(measured.headroom())
                    .build());
  }
}
