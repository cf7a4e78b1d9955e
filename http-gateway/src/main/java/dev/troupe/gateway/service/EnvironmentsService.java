package dev.troupe.gateway.service;

import com.google.protobuf.Empty;
import dev.troupe.actors.app.AppProtocol.AppReply;
import dev.troupe.actors.app.AppProtocol.StopApp;
import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.SecretId;
import dev.troupe.actors.secret.SecretProtocol.Delete;
import dev.troupe.actors.secret.SecretProtocol.SecretReply;
import dev.troupe.gateway.rpc.Caller;
import dev.troupe.gateway.rpc.RpcContext;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.RpcService;
import dev.troupe.gateway.rpc.RpcTable;
import dev.troupe.protocol.modal.EnvironmentCreateRequest;
import dev.troupe.protocol.modal.EnvironmentDeleteRequest;
import dev.troupe.protocol.modal.EnvironmentGetOrCreateRequest;
import dev.troupe.protocol.modal.EnvironmentGetOrCreateResponse;
import dev.troupe.protocol.modal.EnvironmentListItem;
import dev.troupe.protocol.modal.EnvironmentListResponse;
import dev.troupe.protocol.modal.EnvironmentMetadata;
import dev.troupe.protocol.modal.EnvironmentSettings;
import dev.troupe.protocol.modal.EnvironmentType;
import dev.troupe.protocol.modal.EnvironmentUpdateRequest;
import dev.troupe.protocol.modal.ObjectCreationType;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.regex.Pattern;

/** Environments: made, found, listed, set, deleted with what is in them. */
final class EnvironmentsService implements RpcService {

  /** Things of an environment that are ended or deleted at a time. */
  private static final int AT_A_TIME = 32;

  /** Things of a kind that are looked through. */
  private static final int LISTED = 100_000;

  private static final Pattern BUILDER_VERSION = Pattern.compile("(20\\d\\d\\.\\d\\d|PREVIEW)?");

  /** Field of EnvironmentUpdateRequest that is not declared, since it is not served. */
  private static final int BLOCK_UNAUTHENTICATED_RESOURCES = 6;

  private final World world;

  EnvironmentsService(World world) {
    this.world = world;
  }

  @Override
  public void register(RpcTable.Builder table) {
    table
        .unary("EnvironmentGetOrCreate", EnvironmentGetOrCreateRequest.parser(), this::getOrCreate)
        .unary("EnvironmentCreate", EnvironmentCreateRequest.parser(), this::create)
        .unary("EnvironmentUpdate", EnvironmentUpdateRequest.parser(), this::update)
        .unary("EnvironmentDelete", EnvironmentDeleteRequest.parser(), this::delete)
        .unary("EnvironmentList", Empty.parser(), this::list);
  }

  private CompletionStage<EnvironmentGetOrCreateResponse> getOrCreate(
      RpcContext context, EnvironmentGetOrCreateRequest request) {
    String name = request.getDeploymentName();
    boolean mayCreate =
        request.getObjectCreationType()
            == ObjectCreationType.OBJECT_CREATION_TYPE_CREATE_IF_MISSING;
    Environments environments = world.environments();
    return (mayCreate && !name.isEmpty() && !(context.caller() instanceof Caller.Task)
            ? environments.ensure(name)
            : environments.meant(context, name))
        .thenCompose(environments::withSettings)
        .thenApply(
            environment ->
                EnvironmentGetOrCreateResponse.newBuilder()
                    .setEnvironmentId(environment.id())
                    .setMetadata(
                        EnvironmentMetadata.newBuilder()
                            .setName(environment.name())
                            .setSettings(
                                EnvironmentSettings.newBuilder()
                                    .setImageBuilderVersion(
                                        environment
                                            .builderVersion()
                                            .orElse(world.settings().imageBuilderVersion()))))
                    .build());
  }

  private CompletionStage<Empty> create(RpcContext context, EnvironmentCreateRequest request) {
    if (request.getIsManaged()
        || request.hasDefaultMemberRole()
        || !request.getDefaultMemberRoleStr().isEmpty()) {
      throw RpcFailure.unimplemented(
          "Troupe does not serve roles within environments (--restricted, --default-role) yet.");
    }
    if (request.getEnvironmentType() != EnvironmentType.ENVIRONMENT_TYPE_UNSPECIFIED) {
      throw RpcFailure.unimplemented("Troupe does not serve public environments.");
    }
    return world
        .environments()
        .create(request.getName(), key(context, "EnvironmentCreate", request.getName()))
        .thenApply(_ -> Empty.getDefaultInstance());
  }

  /** The same for each repeat of a request. */
  private String key(RpcContext context, String rpc, String name) {
    return world.mint().keyFor(context.caller().identity(), rpc, context.idempotencyKey(), name);
  }

  private CompletionStage<EnvironmentListItem> update(
      RpcContext context, EnvironmentUpdateRequest request) {
    if (request.hasWebSuffix()) {
      throw RpcFailure.unimplemented(
          "Troupe does not serve web suffixes of environments (--set-web-suffix) yet.");
    }
    if (request.hasMaxConcurrentTasks()
        || request.hasMaxConcurrentGpus()
        || request.getUnknownFields().hasField(BLOCK_UNAUTHENTICATED_RESOURCES)) {
      throw RpcFailure.unimplemented("Troupe does not serve limits of environments yet.");
    }
    String version = request.getImageBuilderVersion();
    if (!BUILDER_VERSION.matcher(version).matches()) {
      throw RpcFailure.invalid(
          "'%.40s' is no image builder version; one looks like %s."
              .formatted(version, world.settings().imageBuilderVersion()));
    }
    Environments environments = world.environments();
    String current = request.getCurrentName();
    String name = request.hasName() ? request.getName().getValue() : current;
    return (name.equals(current)
            ? environments.require(current)
            : environments.rename(current, name, key(context, "EnvironmentUpdate", name)))
        .thenCompose(environments::withSettings)
        .thenCompose(
            environment ->
                request.hasImageBuilderVersion()
                    ? environments.setBuilderVersion(environment, version)
                    : CompletableFuture.completedStage(environment))
        .thenApply(this::item);
  }

  /**
   * Deletes an environment with its apps and secrets. Each step may be repeated: where one fails,
   * the environment is not to be used any more, and the next deletion goes on from there.
   */
  private CompletionStage<Empty> delete(RpcContext context, EnvironmentDeleteRequest request) {
    Environments environments = world.environments();
    String by = world.username(context.caller());
    return environments
        .beginDeletion(request.getName())
        .thenCompose(
            environment ->
                world
                    .directory()
                    .list(Kind.APP, environment.key(), LISTED)
                    .thenCompose(
                        apps ->
                            Stages.inTurn(
                                apps.stream().filter(AppViews::isAlive).toList(),
                                AT_A_TIME,
                                app -> stop(app, by)))
                    .thenCompose(
                        _ -> world.directory().list(Kind.SECRET, environment.key(), LISTED))
                    .thenCompose(secrets -> Stages.inTurn(secrets, AT_A_TIME, this::deleteSecret))
                    .thenCompose(_ -> environments.endDeletion(environment)))
        .thenApply(_ -> Empty.getDefaultInstance());
  }

  private CompletionStage<AppReply> stop(Entry app, String by) {
    return world
        .entities()
        .app(new AppId(app.id()))
        .ask(
            replyTo -> new StopApp("the deletion of its environment", by, replyTo),
            world.settings().askTimeout());
  }

  private CompletionStage<SecretReply> deleteSecret(Entry secret) {
    return world
        .entities()
        .secret(new SecretId(secret.id()))
        .ask(Delete::new, world.settings().askTimeout());
  }

  private CompletionStage<EnvironmentListResponse> list(RpcContext context, Empty request) {
    return world
        .environments()
        .list()
        .thenApply(
            all ->
                EnvironmentListResponse.newBuilder()
                    .addAllItems(all.stream().map(this::item).toList())
                    .build());
  }

  private EnvironmentListItem item(Environment environment) {
    EnvironmentListItem.Builder item =
        EnvironmentListItem.newBuilder()
            .setName(environment.name())
            .setCreatedAt(Outputs.seconds(environment.createdAt()))
            .setDefault(environment.name().equals(world.settings().defaultEnvironment()))
            .setEnvironmentId(environment.id());
    environment.builderVersion().ifPresent(item::setImageBuilderVersion);
    return item.build();
  }
}
