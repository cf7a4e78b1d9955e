package dev.troupe.gateway.service;

import com.google.protobuf.Empty;
import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.id.SecretId;
import dev.troupe.actors.secret.SecretProtocol.Delete;
import dev.troupe.actors.secret.SecretProtocol.Read;
import dev.troupe.actors.secret.SecretProtocol.SecretReply;
import dev.troupe.actors.secret.SecretProtocol.SecretReply.Secret;
import dev.troupe.actors.secret.SecretProtocol.Write;
import dev.troupe.gateway.rpc.RpcContext;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.RpcService;
import dev.troupe.gateway.rpc.RpcTable;
import dev.troupe.gateway.secret.SecretBox;
import dev.troupe.protocol.modal.SecretDeleteRequest;
import dev.troupe.protocol.modal.SecretGetInfoRequest;
import dev.troupe.protocol.modal.SecretGetInfoResponse;
import dev.troupe.protocol.modal.SecretGetOrCreateRequest;
import dev.troupe.protocol.modal.SecretGetOrCreateResponse;
import dev.troupe.protocol.modal.SecretListRequest;
import dev.troupe.protocol.modal.SecretListResponse;
import dev.troupe.protocol.modal.SecretUpdateRequest;
import java.security.GeneralSecurityException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Secrets: written, found, listed, deleted. Values are sealed here, before anything else sees them.
 */
final class SecretsService implements RpcService {

  private static final int LISTED = 1_000;

  /** Named secrets of an environment that are looked through for one page. */
  private static final int NAMED_LIMIT = 100_000;

  /** Names and values of one secret, in characters: an environment has no room for more. */
  private static final int VALUES_LIMIT = 128 << 10;

  private final World world;
  private final SecretBox box;

  SecretsService(World world) {
    this.world = world;
    this.box = new SecretBox(world.vault());
  }

  @Override
  public void register(RpcTable.Builder table) {
    table
        .unary("SecretGetOrCreate", SecretGetOrCreateRequest.parser(), this::getOrCreate)
        .unary("SecretList", SecretListRequest.parser(), this::list)
        .unary("SecretDelete", SecretDeleteRequest.parser(), this::delete)
        .unary("SecretGetInfo", SecretGetInfoRequest.parser(), this::getInfo)
        .unary("SecretUpdate", SecretUpdateRequest.parser(), this::update);
  }

  private CompletionStage<SecretGetOrCreateResponse> getOrCreate(
      RpcContext context, SecretGetOrCreateRequest request) {
    requireFitting(request.getEnvDictMap());
    return world
        .environments()
        .meant(context, request.getEnvironmentName())
        .thenCompose(
            there ->
                getOrCreate(context, there, request)
                    .thenApply(
                        secret ->
                            SecretGetOrCreateResponse.newBuilder()
                                .setSecretId(secret.secret().value())
                                .setMetadata(SecretViews.metadata(secret, there.name()))
                                .build()));
  }

  private CompletionStage<Secret> getOrCreate(
      RpcContext context, Environment there, SecretGetOrCreateRequest request) {
    String name = request.getDeploymentName();
    String environment = there.key();
    return switch (request.getObjectCreationType()) {
      case OBJECT_CREATION_TYPE_UNSPECIFIED ->
          require(there, name)
              .thenApply(
                  secret -> SecretViews.requireKeys(secret, name, request.getRequiredKeysList()));
      case OBJECT_CREATION_TYPE_CREATE_IF_MISSING ->
          create(context, environment, request)
              .thenCompose(
                  made ->
                      made.earlier() == null
                          ? write(made.id(), environment, name, request.getEnvDictMap())
                          : CompletableFuture.completedStage(made.earlier()));
      case OBJECT_CREATION_TYPE_CREATE_FAIL_IF_EXISTS ->
          create(context, environment, request)
              .thenCompose(
                  made -> {
                    if (made.earlier() != null && !made.earlier().secret().equals(made.id())) {
                      throw RpcFailure.exists(
                          "Secret '%s' exists in environment '%s'.".formatted(name, there.name()));
                    }
                    return write(made.id(), environment, name, request.getEnvDictMap());
                  });
      case OBJECT_CREATION_TYPE_CREATE_OVERWRITE_IF_EXISTS ->
          create(context, environment, request)
              .thenCompose(
                  made ->
                      write(
                          made.earlier() == null ? made.id() : made.earlier().secret(),
                          environment,
                          name,
                          request.getEnvDictMap()));
      case OBJECT_CREATION_TYPE_ANONYMOUS_OWNED_BY_APP ->
          anonymous(environment, request.getAppId(), request.getEnvDictMap());
      case OBJECT_CREATION_TYPE_EPHEMERAL ->
          anonymous(environment, context.caller().identity(), request.getEnvDictMap());
      case UNRECOGNIZED ->
          throw RpcFailure.invalid("How the secret is to be made is not known here.");
    };
  }

  // ---- named

  /** A name that is claimed: for {@code id}, or by {@code earlier}, which was written before. */
  private record Claim(SecretId id, @Nullable Secret earlier) {}

  private CompletionStage<Claim> create(
      RpcContext context, String environment, SecretGetOrCreateRequest request) {
    String name = request.getDeploymentName();
    SecretViews.requireName(name);
    SecretId id =
        new SecretId(
            SecretId.PREFIX
                + world
                    .mint()
                    .keyFor(
                        context.caller().identity(),
                        "SecretGetOrCreate",
                        context.idempotencyKey(),
                        "%s %s".formatted(environment, name)));
    Entry claim =
        new Entry(Kind.SECRET, environment, name, id.value(), world.clock().instant(), Map.of());
    return world
        .directory()
        .claim(claim)
        .thenCompose(holder -> read(new SecretId(holder.id())))
        // A name whose holder was never written was left by a crash: it is free.
        .thenApply(reply -> new Claim(id, reply instanceof Secret secret ? secret : null));
  }

  private CompletionStage<Secret> require(Environment there, String name) {
    return world
        .directory()
        .find(Kind.SECRET, there.key(), name)
        .thenCompose(
            found ->
                found
                    .map(entry -> read(new SecretId(entry.id())))
                    .orElseThrow(() -> missing(there, name)))
        .thenApply(
            reply -> {
              if (reply instanceof Secret secret) {
                return secret;
              }
              throw missing(there, name);
            });
  }

  private static RpcFailure missing(Environment there, String name) {
    return RpcFailure.notFound(
        "Secret '%.80s' does not exist in environment '%s'.".formatted(name, there.name()));
  }

  // ---- without a name

  /**
   * A secret of an app's own code. Named by its values, so that the same code deployed again has
   * the same secret, and nothing has changed.
   */
  private CompletionStage<Secret> anonymous(
      String environment, String owner, Map<String, String> values) {
    SecretId id =
        new SecretId(
            SecretId.PREFIX
                + world
                    .mint()
                    .keyFor(
                        owner,
                        "SecretGetOrCreate",
                        SecretViews.canonical(environment, values),
                        "anonymous"));
    return read(id)
        .thenCompose(
            reply ->
                reply instanceof Secret secret
                    ? CompletableFuture.completedStage(secret)
                    : write(id, environment, "", values));
  }

  // ---- by id

  private CompletionStage<SecretListResponse> list(RpcContext context, SecretListRequest request) {
    double before = request.getPagination().getCreatedBefore();
    int asked = request.getPagination().getMaxObjects();
    int most = asked > 0 ? Math.min(asked, LISTED) : LISTED;
    Instant end = before > 0 ? Outputs.instant(before) : Instant.MAX;
    return world
        .environments()
        .meant(context, request.getEnvironmentName())
        .thenCompose(
            there ->
                world
                    .directory()
                    .list(Kind.SECRET, there.key(), NAMED_LIMIT)
                    .thenApply(
                        entries ->
                            SecretListResponse.newBuilder()
                                .setEnvironmentName(there.name())
                                .addAllItems(
                                    entries.stream()
                                        .filter(entry -> !entry.name().isEmpty())
                                        .filter(entry -> entry.createdAt().isBefore(end))
                                        .limit(most)
                                        .map(entry -> SecretViews.item(entry, there.name()))
                                        .toList())
                                .build()));
  }

  private CompletionStage<Empty> delete(RpcContext context, SecretDeleteRequest request) {
    SecretId id = new SecretId(request.getSecretId());
    return requireById(context, id)
        .thenCompose(
            _ ->
                world
                    .entities()
                    .secret(id)
                    .<SecretReply>ask(Delete::new, world.settings().askTimeout()))
        .thenApply(_ -> Empty.getDefaultInstance());
  }

  private CompletionStage<SecretGetInfoResponse> getInfo(
      RpcContext context, SecretGetInfoRequest request) {
    return requireById(context, new SecretId(request.getSecretId()))
        .thenCompose(
            secret ->
                world
                    .environments()
                    .nameOf(secret.environment())
                    .thenApply(
                        environment ->
                            SecretGetInfoResponse.newBuilder()
                                .setMetadata(SecretViews.metadata(secret, environment))
                                .build()));
  }

  private CompletionStage<Empty> update(RpcContext context, SecretUpdateRequest request) {
    return requireById(context, new SecretId(request.getSecretId()))
        .thenCompose(
            secret -> {
              Map<String, String> values = new TreeMap<>(open(secret));
              for (SecretUpdateRequest.Update update : request.getUpdatesList()) {
                if (update.hasValue()) {
                  values.put(update.getKey(), update.getValue());
                } else {
                  values.remove(update.getKey());
                }
              }
              requireFitting(values);
              return write(secret.secret(), secret.environment(), secret.name(), values);
            })
        .thenApply(_ -> Empty.getDefaultInstance());
  }

  private CompletionStage<Secret> requireById(RpcContext context, SecretId id) {
    return read(id)
        .thenApply(
            reply ->
                switch (reply) {
                  case Secret secret -> {
                    context.requireWithin(secret.environment());
                    yield secret;
                  }
                  case SecretReply.NoSecret(var missing, _) ->
                      throw RpcFailure.notFound("Secret '%s' does not exist.".formatted(missing));
                });
  }

  // ---- the entity

  private CompletionStage<SecretReply> read(SecretId id) {
    return world.entities().secret(id).ask(Read::new, world.settings().askTimeout());
  }

  private CompletionStage<Secret> write(
      SecretId id, String environment, String name, Map<String, String> values) {
    byte[] sealed = box.seal(id, values);
    List<String> keys = values.keySet().stream().sorted().toList();
    return world
        .entities()
        .secret(id)
        .<SecretReply>ask(
            replyTo -> new Write(environment, name, keys, sealed, replyTo),
            world.settings().askTimeout())
        .thenApply(
            reply -> {
              if (reply instanceof Secret secret) {
                return secret;
              }
              throw new IllegalStateException("Secret %s is gone as it is written".formatted(id));
            });
  }

  private Map<String, String> open(Secret secret) {
    try {
      return box.open(secret.secret(), secret.sealedValues());
    } catch (GeneralSecurityException broken) {
      throw new IllegalStateException(
          "The values of %s can't be opened with this server's key".formatted(secret.secret()),
          broken);
    }
  }

  private static void requireFitting(Map<String, String> values) {
    int size = 0;
    for (Map.Entry<String, String> entry : values.entrySet()) {
      String key = entry.getKey();
      if (key.isEmpty() || key.indexOf('=') >= 0 || key.indexOf('\0') >= 0) {
        throw RpcFailure.invalid(
            "'%.80s' can't be the name of an environment variable.".formatted(key));
      }
      if (entry.getValue().indexOf('\0') >= 0) {
        throw RpcFailure.invalid("The value of '%.80s' has a zero byte.".formatted(key));
      }
      size += key.length() + entry.getValue().length();
    }
    if (size > VALUES_LIMIT) {
      throw RpcFailure.invalid(
          "The values of a secret may have up to %d characters.".formatted(VALUES_LIMIT));
    }
  }
}
