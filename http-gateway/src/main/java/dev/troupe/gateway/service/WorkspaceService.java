package dev.troupe.gateway.service;

import com.google.protobuf.Empty;
import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.gateway.rpc.Caller;
import dev.troupe.gateway.rpc.RpcContext;
import dev.troupe.gateway.rpc.RpcService;
import dev.troupe.gateway.rpc.RpcTable;
import dev.troupe.protocol.modal.AuthTokenGetRequest;
import dev.troupe.protocol.modal.AuthTokenGetResponse;
import dev.troupe.protocol.modal.ClientHelloResponse;
import dev.troupe.protocol.modal.EnvironmentGetOrCreateRequest;
import dev.troupe.protocol.modal.EnvironmentGetOrCreateResponse;
import dev.troupe.protocol.modal.EnvironmentListItem;
import dev.troupe.protocol.modal.EnvironmentListResponse;
import dev.troupe.protocol.modal.EnvironmentMetadata;
import dev.troupe.protocol.modal.EnvironmentSettings;
import dev.troupe.protocol.modal.ObjectCreationType;
import dev.troupe.protocol.modal.TokenInfoGetRequest;
import dev.troupe.protocol.modal.TokenInfoGetResponse;
import dev.troupe.protocol.modal.UserIdentity;
import dev.troupe.protocol.modal.WorkspaceNameLookupResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** The workspace, its environments, and who calls. */
final class WorkspaceService implements RpcService {

  private static final Duration TOKEN_LIFE = Duration.ofHours(1);

  /** A header for our own kind of signature: clients look at the second part alone. */
  private static final String TOKEN_HEADER = "{\"alg\":\"troupe\",\"typ\":\"JWT\"}";

  private final World world;

  WorkspaceService(World world) {
    this.world = world;
  }

  @Override
  public void register(RpcTable.Builder table) {
    table
        .unary("ClientHello", Empty.parser(), this::hello)
        .unary("AuthTokenGet", AuthTokenGetRequest.parser(), this::authToken)
        .unary("WorkspaceNameLookup", Empty.parser(), this::name)
        .unary("TokenInfoGet", TokenInfoGetRequest.parser(), this::tokenInfo)
        .unary(
            "EnvironmentGetOrCreate",
            EnvironmentGetOrCreateRequest.parser(),
            this::environmentGetOrCreate)
        .unary("EnvironmentList", Empty.parser(), this::environmentList);
  }

  private CompletionStage<ClientHelloResponse> hello(RpcContext context, Empty request) {
    return CompletableFuture.completedStage(
        ClientHelloResponse.newBuilder()
            .setImageBuilderVersion(world.settings().imageBuilderVersion())
            .build());
  }

  /** A word of ours that the caller is who it is, in the shape of a JWT and good for an hour. */
  private CompletionStage<AuthTokenGetResponse> authToken(
      RpcContext context, AuthTokenGetRequest request) {
    String identity = context.caller().identity();
    long expires = world.clock().instant().plus(TOKEN_LIFE).getEpochSecond();
    String signed =
        base64(TOKEN_HEADER)
            + "."
            + base64("{\"sub\":\"%s\",\"exp\":%d}".formatted(identity, expires));
    String signature = world.mint().keyFor(identity, "AuthTokenGet", signed, "signature");
    return CompletableFuture.completedStage(
        AuthTokenGetResponse.newBuilder().setToken(signed + "." + signature).build());
  }

  private static String base64(String text) {
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  private CompletionStage<WorkspaceNameLookupResponse> name(RpcContext context, Empty request) {
    return CompletableFuture.completedStage(
        WorkspaceNameLookupResponse.newBuilder()
            .setWorkspaceName(world.settings().workspace())
            .setUsername(username(context.caller()))
            .build());
  }

  private CompletionStage<TokenInfoGetResponse> tokenInfo(
      RpcContext context, TokenInfoGetRequest request) {
    String identity = context.caller().identity();
    return CompletableFuture.completedStage(
        TokenInfoGetResponse.newBuilder()
            .setTokenId(identity)
            .setWorkspaceId(world.settings().workspace())
            .setWorkspaceName(world.settings().workspace())
            .setUserIdentity(
                UserIdentity.newBuilder()
                    .setUserId(identity)
                    .setUsername(username(context.caller())))
            .build());
  }

  /** There are no users yet: a token stands for the workspace, a container for itself. */
  private String username(Caller caller) {
    return switch (caller) {
      case Caller.Token _ -> world.settings().workspace();
      case Caller.Task _, Caller.Machine _ -> caller.identity();
    };
  }

  // ---- environments

  private CompletionStage<EnvironmentGetOrCreateResponse> environmentGetOrCreate(
      RpcContext context, EnvironmentGetOrCreateRequest request) {
    String name = context.environment(request.getDeploymentName());
    boolean mayCreate =
        request.getObjectCreationType()
            == ObjectCreationType.OBJECT_CREATION_TYPE_CREATE_IF_MISSING;
    Environments environments = world.environments();
    return (mayCreate ? environments.ensure(name) : environments.require(name))
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
                                        world.settings().imageBuilderVersion())))
                    .build());
  }

  private CompletionStage<EnvironmentListResponse> environmentList(
      RpcContext context, Empty request) {
    return world
        .environments()
        .list()
        .thenApply(
            all ->
                EnvironmentListResponse.newBuilder()
                    .addAllItems(all.stream().map(this::item).toList())
                    .build());
  }

  private EnvironmentListItem item(Entry environment) {
    return EnvironmentListItem.newBuilder()
        .setName(environment.name())
        .setCreatedAt(Outputs.seconds(environment.createdAt()))
        .setDefault(environment.name().equals(world.settings().defaultEnvironment()))
        .setEnvironmentId(environment.id())
        .setImageBuilderVersion(world.settings().imageBuilderVersion())
        .build();
  }
}
