package dev.troupe.gateway.service;

import dev.troupe.actors.app.AppProtocol;
import dev.troupe.actors.app.AppProtocol.AppObject;
import dev.troupe.actors.app.AppProtocol.AppView;
import dev.troupe.actors.app.AppProtocol.Register;
import dev.troupe.actors.function.FunctionDefinition;
import dev.troupe.actors.function.FunctionProtocol;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.ClassId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.gateway.rpc.RpcContext;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.RpcService;
import dev.troupe.gateway.rpc.RpcTable;
import dev.troupe.gateway.service.Definitions.Origin;
import dev.troupe.protocol.modal.ClassCreateRequest;
import dev.troupe.protocol.modal.ClassCreateResponse;
import dev.troupe.protocol.modal.ClassGetRequest;
import dev.troupe.protocol.modal.ClassGetResponse;
import dev.troupe.protocol.modal.ClassHandleMetadata;
import dev.troupe.protocol.modal.FunctionBindParamsRequest;
import dev.troupe.protocol.modal.FunctionBindParamsResponse;
import dev.troupe.protocol.modal.FunctionOptions;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Classes, and variants of functions. The code of class {@code C} is its service function {@code
 * C.*}; the class itself is a name. An instance with parameters, or a function with other options,
 * is a function of its own: a variant.
 */
final class ClassesService implements RpcService {

  /** What a class's service function is called: the class and this. */
  private static final String SERVICE_SUFFIX = ".*";

  private final World world;
  private final Apps apps;
  private final Definer definer;

  ClassesService(World world, Apps apps, Definer definer) {
    this.world = world;
    this.apps = apps;
    this.definer = definer;
  }

  @Override
  public void register(RpcTable.Builder table) {
    table
        .unary("ClassCreate", ClassCreateRequest.parser(), this::create)
        .unary("ClassGet", ClassGetRequest.parser(), this::get)
        .unary("FunctionBindParams", FunctionBindParamsRequest.parser(), this::bind);
  }

  private CompletionStage<ClassCreateResponse> create(
      RpcContext context, ClassCreateRequest request) {
    ClassId id =
        request.getExistingClassId().isEmpty()
            ? new ClassId(
                ClassId.PREFIX
                    + world
                        .mint()
                        .keyFor(
                            context.caller().identity(),
                            "ClassCreate",
                            context.idempotencyKey(),
                            request.getAppId()))
            : new ClassId(request.getExistingClassId());
    ClassHandleMetadata handle =
        ClassHandleMetadata.newBuilder().addAllMethods(request.getMethodsList()).build();
    AppObject object = new AppObject(id.value(), "", handle.toByteArray());
    return apps.ask(new AppId(request.getAppId()), replyTo -> new Register(object, replyTo))
        .thenApply(
            _ ->
                ClassCreateResponse.newBuilder()
                    .setClassId(id.value())
                    .setHandleMetadata(handle)
                    .build());
  }

  private CompletionStage<ClassGetResponse> get(RpcContext context, ClassGetRequest request) {
    FunctionsService.refusePinned(request.getAppVersion());
    return world
        .environments()
        .meant(context, request.getEnvironmentName())
        .thenCompose(
            there ->
                apps.requireDeployed(there, request.getAppName())
                    .thenApply(app -> answer(there, app, request.getObjectTag())));
  }

  private static ClassGetResponse answer(Environment there, AppView app, String tag) {
    String id = app.classes().get(tag);
    if (id == null) {
      throw RpcFailure.notFound(
          "App '%s' of environment '%s' has no class '%.80s'. %s"
              .formatted(
                  app.name(), there.name(), tag, Apps.names(app.classes().keySet().stream())));
    }
    ClassHandleMetadata.Builder handle = ClassHandleMetadata.newBuilder();
    String service = app.functions().get(tag + SERVICE_SUFFIX);
    if (service != null) {
      handle.setClassFunctionId(service);
      app.objects().stream()
          .filter(object -> object.id().equals(service))
          .findFirst()
          .ifPresent(
              object -> handle.setClassFunctionMetadata(Handles.parse(object.handleMetadata())));
    }
    return ClassGetResponse.newBuilder().setClassId(id).setHandleMetadata(handle).build();
  }

  // ---- variants

  private CompletionStage<FunctionBindParamsResponse> bind(
      RpcContext context, FunctionBindParamsRequest request) {
    FunctionId base = new FunctionId(request.getFunctionId());
    byte[] params = request.getSerializedParams().toByteArray();
    FunctionOptions options = request.getFunctionOptions();
    FunctionId variant = Variants.id(base, params, options);
    return definer
        .require(base)
        .thenCompose(
            known -> {
              FunctionDefinition definition = Definer.inForce(known);
              context.requireWithin(definition.environment());
              Unserved.check(definition.name(), options);
              if (definition.baseFunction() != null) {
                throw RpcFailure.invalid(
                    "'%s' is a variant itself, and can't be bound again.".formatted(base));
              }
              return define(definition, variant, params, options);
            })
        .thenCompose(this::publish)
        .thenApply(
            definition ->
                FunctionBindParamsResponse.newBuilder()
                    .setBoundFunctionId(variant.value())
                    .setHandleMetadata(Handles.parse(definition.handleMetadata()))
                    .build());
  }

  private CompletionStage<FunctionDefinition> define(
      FunctionDefinition base, FunctionId variant, byte[] params, FunctionOptions options) {
    Origin origin =
        new Origin(
            variant,
            base.app(),
            base.appName(),
            base.environment(),
            base.function(),
            params,
            base.clientVersion(),
            base.builderVersion());
    return definer
        .read(base)
        .thenCompose(
            ranked ->
                definer.define(origin, Variants.with(ranked.function(), ranked.gpus(), options)));
  }

  /** Brings a variant into force with the version of its app that is live, if one is. */
  private CompletionStage<FunctionDefinition> publish(FunctionDefinition variant) {
    return apps.ask(variant.app(), AppProtocol.Describe::new)
        .thenApply(FunctionsService::requireAlive)
        .thenCompose(
            app ->
                app.version() == 0
                    ? CompletableFuture.completedStage(variant)
                    : world
                        .entities()
                        .function(variant.function())
                        .<FunctionProtocol.Published>ask(
                            replyTo ->
                                new FunctionProtocol.Publish(app.version(), 0, false, replyTo),
                            world.settings().askTimeout())
                        .thenApply(_ -> variant));
  }
}
