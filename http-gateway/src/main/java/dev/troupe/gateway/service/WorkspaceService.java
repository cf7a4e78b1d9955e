package dev.troupe.gateway.service;

import com.google.protobuf.Empty;
import dev.troupe.gateway.rpc.RpcContext;
import dev.troupe.gateway.rpc.RpcService;
import dev.troupe.gateway.rpc.RpcTable;
import dev.troupe.protocol.modal.AuthTokenGetRequest;
import dev.troupe.protocol.modal.AuthTokenGetResponse;
import dev.troupe.protocol.modal.ClientHelloResponse;
import dev.troupe.protocol.modal.TokenInfoGetRequest;
import dev.troupe.protocol.modal.TokenInfoGetResponse;
import dev.troupe.protocol.modal.UserIdentity;
import dev.troupe.protocol.modal.WorkspaceNameLookupResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** The workspace, and who calls. */
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
        .unary("TokenInfoGet", TokenInfoGetRequest.parser(), this::tokenInfo);
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
            .setUsername(world.username(context.caller()))
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
                    .setUsername(world.username(context.caller())))
            .build());
  }
}
