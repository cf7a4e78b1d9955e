package dev.troupe.gateway.link;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.actors.app.AppProtocol;
import dev.troupe.actors.app.AppProtocol.AppReply;
import dev.troupe.actors.app.AppProtocol.AppView;
import dev.troupe.actors.blob.BlobStore;
import dev.troupe.actors.function.FunctionDefinition;
import dev.troupe.actors.function.FunctionDefinition.Resources;
import dev.troupe.actors.function.FunctionProtocol;
import dev.troupe.actors.function.FunctionProtocol.Description;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.id.MountId;
import dev.troupe.actors.id.SecretId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.image.ImageProtocol;
import dev.troupe.actors.node.NodeProtocol.Launch;
import dev.troupe.actors.node.NodeProtocol.Share;
import dev.troupe.actors.secret.SecretProtocol;
import dev.troupe.actors.secret.SecretProtocol.SecretReply;
import dev.troupe.gateway.mount.MountManifests;
import dev.troupe.gateway.rpc.Failures;
import dev.troupe.gateway.secret.SecretBox;
import dev.troupe.gateway.service.Blocking;
import dev.troupe.gateway.service.Entities;
import dev.troupe.protocol.link.ImageChain;
import dev.troupe.protocol.link.Layer;
import dev.troupe.protocol.link.Limits;
import dev.troupe.protocol.link.Mount;
import dev.troupe.protocol.link.StartContainer;
import dev.troupe.protocol.modal.AppLayout;
import dev.troupe.protocol.modal.Function;
import dev.troupe.protocol.modal.Image;
import java.io.InputStream;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gathers all that a machine must know to start a container: it is given no more than that, and
 * only for a container placed on it.
 */
final class LaunchResolver {

  private static final Logger LOG = LoggerFactory.getLogger(LaunchResolver.class);

  private final Entities entities;
  private final BlobStore blobs;
  private final MountManifests mounts;
  private final SecretBox secrets;
  private final Blocking disk;
  private final EnvironmentNames environmentNames;
  private final Duration askTimeout;

  /** The names of environments by their keys. */
  @FunctionalInterface
  interface EnvironmentNames {
    CompletionStage<String> of(String key);
  }

  LaunchResolver(
      Entities entities,
      BlobStore blobs,
      MountManifests mounts,
      SecretBox secrets,
      Executor blocking,
      EnvironmentNames environmentNames,
      Duration askTimeout) {
    this.entities = entities;
    this.blobs = blobs;
    this.mounts = mounts;
    this.secrets = secrets;
    this.disk = new Blocking(blocking);
    this.environmentNames = environmentNames;
    this.askTimeout = askTimeout;
  }

  /** A launch that can never be: the message is for the user. */
  static final class Unstartable extends RuntimeException {
    private static final long serialVersionUID = 1;

    Unstartable(String message) {
      super(message, null, false, false);
    }
  }

  /** Why a container can't be started, for its user. */
  static String sentence(TaskId task, Throwable why) {
    if (why instanceof Unstartable unstartable) {
      return String.valueOf(unstartable.getMessage());
    }
    LOG.error("Container {} can't be started", task, why);
    return "What container %s needs could not be gathered: %s.".formatted(task, why);
  }

  /**
   * The order that starts a container; fails with {@link Unstartable} where that can't be.
   *
   * @param built images that the machine has
   */
  CompletionStage<StartContainer> resolve(Launch launch, Predicate<ImageId> built) {
    return resolve(launch, built, environmentNames.of(launch.definition().environment()));
  }

  private CompletionStage<StartContainer> resolve(
      Launch launch, Predicate<ImageId> built, CompletionStage<String> environmentName) {
    FunctionDefinition definition = launch.definition();
    CompletableFuture<String> environment = environmentName.toCompletableFuture();
    CompletableFuture<Function> function = function(definition).toCompletableFuture();
    CompletableFuture<AppView> app = app(definition.app()).toCompletableFuture();
    CompletableFuture<AppLayout> layout =
        function
            .thenCombine(app, (sent, view) -> ContainerLayouts.of(view, definition, sent))
            .thenCompose(
                given -> ContainerLayouts.withForeignFunctions(given, entities, askTimeout));
    CompletableFuture<ImageChain> image =
        image(definition, launch.task().value(), built).toCompletableFuture();
    CompletableFuture<List<Mount>> files = mounts(definition.mounts());
    CompletableFuture<Map<String, String>> variables = variables(definition.secrets());
    return CompletableFuture.allOf(layout, image, files, variables, environment)
        .thenApply(
            _ ->
                StartContainer.newBuilder()
                    .setTaskId(launch.task().value())
                    .setFunctionId(definition.function().value())
                    .setAppId(definition.app().value())
                    .setImage(image.join())
                    .addAllMounts(files.join())
                    .putAllEnvironment(variables.join())
                    .setContainerArguments(
                        ContainerLayouts.arguments(
                                launch, function.join(), layout.join(), environment.join())
                            .toByteString())
                    .setLimits(limits(definition.resources()))
                    .setBlockNetwork(definition.blockNetwork())
                    .setClientVersion(definition.clientVersion())
                    .setBuilderVersion(definition.builderVersion())
                    .setEnvironmentName(environment.join())
                    .setShare(LinkMessages.share(launch.share()))
                    .build());
  }

  private CompletionStage<Function> function(FunctionDefinition definition) {
    return disk.call(
        () -> {
          try (InputStream bytes = blobs.open(definition.definitionSha256())) {
            return Function.parseFrom(bytes);
          }
        });
  }

  /** An app as it is now. */
  CompletionStage<AppView> app(AppId app) {
    return entities
        .app(app)
        .<AppReply>ask(AppProtocol.Describe::new, askTimeout)
        .thenApply(
            reply ->
                switch (reply) {
                  case AppReply.Ok(var view) -> view;
                  case AppReply.NoApp _ ->
                      throw new Unstartable("App %s does not exist.".formatted(app));
                  case AppReply.Ended(_, var why) ->
                      throw new Unstartable("App %s has ended: %s.".formatted(app, why));
                });
  }

  /** An app, asked for until its entity is there, unless nobody wants it any more. */
  CompletionStage<AppView> appAtLast(AppId app, BooleanSupplier givenUp) {
    return app(app)
        .exceptionallyCompose(
            failure ->
                Failures.unwrapped(failure) instanceof TimeoutException && !givenUp.getAsBoolean()
                    ? appAtLast(app, givenUp)
                    : CompletableFuture.failedFuture(failure));
  }

  private CompletionStage<ImageChain> image(
      FunctionDefinition definition, String build, Predicate<ImageId> built) {
    ImageId image = definition.image();
    if (image == null) {
      return CompletableFuture.failedFuture(
          new Unstartable("Function %s has no image.".formatted(definition.name())));
    }
    return entities
        .image(image)
        .<ImageProtocol.Chain>ask(ImageProtocol.GetChain::new, askTimeout)
        .thenCompose(
            chain -> {
              if (chain.layers().isEmpty()) {
                throw new Unstartable("Image %s does not exist.".formatted(image));
              }
              return chain(chain.layers(), build, built);
            });
  }

  /**
   * Layers with what their builds need; those of images that are built need nothing.
   *
   * @param build for which they are made; the containers of their functions are named after it
   * @param built images that the machine has
   */
  CompletionStage<ImageChain> chain(
      List<ImageProtocol.Layer> layers, String build, Predicate<ImageId> built) {
    return all(layers.stream()
            .map(layer -> layer(layer, build, built.test(layer.image())))
            .toList())
        .thenApply(each -> ImageChain.newBuilder().addAllLayers(each).build());
  }

  private CompletionStage<Layer> layer(ImageProtocol.Layer layer, String build, boolean built) {
    Layer.Builder message = LinkMessages.layer(layer);
    if (built) {
      return CompletableFuture.completedStage(message.build());
    }
    Image definition;
    try {
      definition = Image.parseFrom(layer.definition());
    } catch (InvalidProtocolBufferException malformed) {
      return CompletableFuture.failedFuture(
          new Unstartable("The definition of image %s can't be read.".formatted(layer.image())));
    }
    List<MountId> context =
        definition.getContextMountId().isEmpty()
            ? List.of()
            : List.of(new MountId(definition.getContextMountId()));
    List<SecretId> secretIds = definition.getSecretIdsList().stream().map(SecretId::new).toList();
    String registrySecret = definition.getImageRegistryConfig().getSecretId();
    List<SecretId> signIn =
        registrySecret.isEmpty() ? List.of() : List.of(new SecretId(registrySecret));
    return mounts(context)
        .thenCombine(
            variables(secretIds),
            (files, variables) -> {
              files.forEach(message::setContext);
              return message.putAllEnvironment(variables);
            })
        .thenCombine(
            variables(signIn), (_, variables) -> message.putAllRegistrySecret(variables).build())
        .thenCompose(
            complete -> {
              FunctionId function = layer.buildFunction();
              return function == null
                  ? CompletableFuture.completedStage(complete)
                  : buildFunction(function, ImageProtocol.Run.task(build + "/" + layer.image()))
                      .thenApply(start -> complete.toBuilder().setBuildFunction(start).build());
            });
  }

  /** A container of a function that makes a layer: none of the function's own, nor of its share. */
  private CompletionStage<StartContainer> buildFunction(FunctionId function, TaskId task) {
    Share nothing = new Share(0, 0, List.of());
    return entities
        .function(function)
        .<Description>ask(FunctionProtocol.Describe::new, askTimeout)
        .thenCompose(
            described ->
                switch (described) {
                  case Description.Known(var latest, _, _) ->
                      // Of the layers below nothing is built for it alone.
                      // Its environment's key, by which it is known where it calls.
                      resolve(
                          new Launch(task, latest, nothing),
                          _ -> true,
                          CompletableFuture.completedStage(latest.environment()));
                  case Description.Unknown() ->
                      throw new Unstartable(
                          "Function %s, which makes an image, does not exist.".formatted(function));
                });
  }

  /** The mounts that have files; a machine puts the client's own package there by itself. */
  private CompletableFuture<List<Mount>> mounts(List<MountId> ids) {
    MountId clientPackage = MountManifests.idOf(Mount.getDefaultInstance());
    return all(ids.stream().filter(id -> !id.equals(clientPackage)).map(mounts::load).toList());
  }

  private CompletableFuture<Map<String, String>> variables(List<SecretId> ids) {
    return all(ids.stream().map(this::values).toList())
        .thenApply(
            each -> {
              Map<String, String> variables = new HashMap<>();
              each.forEach(variables::putAll);
              return variables;
            });
  }

  private CompletionStage<Map<String, String>> values(SecretId id) {
    return entities
        .secret(id)
        .<SecretReply>ask(SecretProtocol.Read::new, askTimeout)
        .thenApply(
            reply ->
                switch (reply) {
                  case SecretReply.Secret secret -> open(secret);
                  case SecretReply.NoSecret(var missing, var name) ->
                      throw new Unstartable(gone(missing, name));
                });
  }

  private static String gone(SecretId id, String name) {
    return name.isEmpty()
        ? "Secret %s does not exist.".formatted(id)
        : "Secret '%s' (%s) was deleted: make it again and deploy the app anew."
            .formatted(name, id);
  }

  private Map<String, String> open(SecretReply.Secret secret) {
    try {
      return secrets.open(secret.secret(), secret.sealedValues());
    } catch (GeneralSecurityException broken) {
      throw new Unstartable(
          "Secret %s can't be opened with this server's key.".formatted(secret.secret()));
    }
  }

  private static Limits limits(Resources resources) {
    return Limits.newBuilder()
        .setMilliCpuRequest(resources.cpuMillis())
        .setMilliCpuLimit(resources.cpuLimitMillis())
        .setMemoryBytesRequest(resources.memoryBytes())
        .setMemoryBytesLimit(resources.memoryLimitBytes())
        .setDiskBytes(resources.diskBytes())
        .build();
  }

  /** All results, in order. */
  private static <T> CompletableFuture<List<T>> all(List<CompletionStage<T>> stages) {
    List<CompletableFuture<T>> futures =
        stages.stream().map(CompletionStage::toCompletableFuture).toList();
    return CompletableFuture.allOf(futures.toArray(CompletableFuture[]::new))
        .thenApply(
            _ -> {
              List<T> results = new ArrayList<>();
              futures.forEach(future -> results.add(future.join()));
              return results;
            });
  }
}
