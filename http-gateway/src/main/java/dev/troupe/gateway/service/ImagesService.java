package dev.troupe.gateway.service;

import com.google.protobuf.Empty;
import com.google.protobuf.Timestamp;
import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.image.ImageProtocol.Chain;
import dev.troupe.actors.image.ImageProtocol.Delete;
import dev.troupe.actors.image.ImageProtocol.Deletion;
import dev.troupe.actors.image.ImageProtocol.Describe;
import dev.troupe.actors.image.ImageProtocol.Ensure;
import dev.troupe.actors.image.ImageProtocol.Ensured;
import dev.troupe.actors.image.ImageProtocol.GetChain;
import dev.troupe.actors.image.ImageProtocol.GetRun;
import dev.troupe.actors.image.ImageProtocol.ImageReply;
import dev.troupe.actors.image.ImageProtocol.Join;
import dev.troupe.actors.image.ImageProtocol.LastRun;
import dev.troupe.actors.image.ImageProtocol.Layer;
import dev.troupe.actors.image.ImageProtocol.Progress;
import dev.troupe.actors.image.ImageProtocol.Renew;
import dev.troupe.actors.image.ImageProtocol.RenewedBy;
import dev.troupe.actors.image.ImageProtocol.Run;
import dev.troupe.gateway.rpc.Failures;
import dev.troupe.gateway.rpc.RpcContext;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.RpcService;
import dev.troupe.gateway.rpc.RpcTable;
import dev.troupe.protocol.modal.ImageBuildChainGetRequest;
import dev.troupe.protocol.modal.ImageBuildChainGetResponse;
import dev.troupe.protocol.modal.ImageBuildStep;
import dev.troupe.protocol.modal.ImageDeleteRequest;
import dev.troupe.protocol.modal.ImageFromIdRequest;
import dev.troupe.protocol.modal.ImageFromIdResponse;
import dev.troupe.protocol.modal.ImageGetOrCreateRequest;
import dev.troupe.protocol.modal.ImageGetOrCreateResponse;
import dev.troupe.protocol.modal.ImageJoinStreamingRequest;
import dev.troupe.protocol.modal.ImageJoinStreamingResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.NotUsed;
import org.apache.pekko.japi.Pair;
import org.apache.pekko.stream.javadsl.Source;
import org.jspecify.annotations.Nullable;

/** Images: built on demand, their build logs followed. */
final class ImagesService implements RpcService {

  private static final Duration LONGEST_JOIN = Duration.ofSeconds(55);

  private final World world;

  ImagesService(World world) {
    this.world = world;
  }

  @Override
  public void register(RpcTable.Builder table) {
    table
        .unary("ImageGetOrCreate", ImageGetOrCreateRequest.parser(), this::getOrCreate)
        .unary("ImageFromId", ImageFromIdRequest.parser(), this::fromId)
        .unary("ImageBuildChainGet", ImageBuildChainGetRequest.parser(), this::chain)
        .unary("ImageDelete", ImageDeleteRequest.parser(), this::delete)
        .stream("ImageJoinStreaming", ImageJoinStreamingRequest.parser(), this::join);
  }

  private CompletionStage<ImageGetOrCreateResponse> getOrCreate(
      RpcContext context, ImageGetOrCreateRequest request) {
    String builderVersion =
        request.getBuilderVersion().isEmpty()
            ? world.settings().imageBuilderVersion()
            : request.getBuilderVersion();
    Layer layer = ImageDefinitions.layer(request, builderVersion);
    if (layer.definition().length > world.settings().messageLimit()) {
      throw RpcFailure.tooLarge(
          "The definition of an image, with the files in it, may have up to %d bytes."
              .formatted(world.settings().messageLimit()));
    }
    if (!request.getForceBuild() && !request.getIgnoreCache()) {
      return ensure(layer);
    }
    String own =
        world
            .mint()
            .keyFor(
                context.caller().identity(),
                "ImageGetOrCreate",
                context.idempotencyKey(),
                layer.image().value());
    return renew(layer, new ImageId(ImageId.PREFIX + own), null);
  }

  /** Builds what stands for a definition, unless it is built. */
  private CompletionStage<ImageGetOrCreateResponse> ensure(Layer layer) {
    return world
        .entities()
        .image(layer.image())
        .<Ensured>ask(replyTo -> new Ensure(layer, replyTo), world.settings().askTimeout())
        .thenCompose(
            reply ->
                switch (reply) {
                  case ImageReply how ->
                      CompletableFuture.completedStage(ensured(layer.image(), how));
                  case RenewedBy(var image) -> ensure(ImageDefinitions.anew(layer, image));
                });
  }

  /**
   * Builds a definition as an image of its own, using nothing that was kept; who wants the same
   * while such a build is under way shares it.
   *
   * @param over an image that stands for the definition and is not under way
   */
  private CompletionStage<ImageGetOrCreateResponse> renew(
      Layer layer, ImageId own, @Nullable ImageId over) {
    return world
        .entities()
        .image(layer.image())
        .<RenewedBy>ask(replyTo -> new Renew(own, over, replyTo), world.settings().askTimeout())
        .thenCompose(
            renewed ->
                renewed.image().equals(own)
                    ? ensure(ImageDefinitions.anew(layer, own))
                    : shareOrRenew(layer, own, renewed.image()));
  }

  private CompletionStage<ImageGetOrCreateResponse> shareOrRenew(
      Layer layer, ImageId own, ImageId present) {
    return world
        .entities()
        .image(present)
        .<ImageReply>ask(Describe::new, world.settings().askTimeout())
        .thenCompose(
            how ->
                how instanceof ImageReply.Building
                    ? ensure(ImageDefinitions.anew(layer, present))
                    : renew(layer, own, present));
  }

  private static ImageGetOrCreateResponse ensured(ImageId image, ImageReply reply) {
    ImageGetOrCreateResponse.Builder answer =
        ImageGetOrCreateResponse.newBuilder().setImageId(image.value());
    return switch (reply) {
      case ImageReply.Built(var facts) ->
          answer
              .setResult(ImageDefinitions.success())
              .setMetadata(ImageDefinitions.metadata(facts))
              .build();
      case ImageReply.Building() -> answer.build();
      case ImageReply.Failed(var why) -> answer.setResult(ImageDefinitions.failure(why)).build();
      case ImageReply.Unknown() -> throw missing(image);
    };
  }

  private CompletionStage<ImageFromIdResponse> fromId(
      RpcContext context, ImageFromIdRequest request) {
    ImageId image = new ImageId(request.getImageId());
    return world
        .entities()
        .image(image)
        .<ImageReply>ask(Describe::new, world.settings().askTimeout())
        .thenApply(
            reply ->
                switch (reply) {
                  case ImageReply.Built(var facts) ->
                      ImageFromIdResponse.newBuilder()
                          .setImageId(image.value())
                          .setMetadata(ImageDefinitions.metadata(facts))
                          .build();
                  case ImageReply.Building _, ImageReply.Failed _ ->
                      throw RpcFailure.precondition("Image '%s' is not built.".formatted(image));
                  case ImageReply.Unknown _ -> throw missing(image);
                });
  }

  /** Nothing new is made of it; functions that have it go on. */
  private CompletionStage<Empty> delete(RpcContext context, ImageDeleteRequest request) {
    ImageId image = new ImageId(request.getImageId());
    return world
        .entities()
        .image(image)
        .<Deletion>ask(Delete::new, world.settings().askTimeout())
        .thenApply(
            deletion ->
                switch (deletion) {
                  case DELETED -> Empty.getDefaultInstance();
                  case BUILDING ->
                      throw RpcFailure.precondition(
                          "Image '%s' is being built: delete it once its build has ended."
                              .formatted(image));
                  case UNKNOWN -> throw missing(image);
                });
  }

  // ---- build logs

  private static Timestamp timestamp(Instant at) {
    return Timestamp.newBuilder().setSeconds(at.getEpochSecond()).setNanos(at.getNano()).build();
  }

  /** The builds of an image and of those below it, from the base up, as far as they are kept. */
  private CompletionStage<ImageBuildChainGetResponse> chain(
      RpcContext context, ImageBuildChainGetRequest request) {
    return chain(world, new ImageId(request.getImageId()))
        .thenApply(layers -> layers.stream().map(layer -> step(layer.image())).toList())
        .thenCompose(
            steps ->
                CompletableFuture.allOf(steps.toArray(CompletableFuture[]::new))
                    .thenApply(
                        _ ->
                            ImageBuildChainGetResponse.newBuilder()
                                .addAllBuildSteps(
                                    steps.stream().flatMap(step -> step.join().stream()).toList())
                                .build()));
  }

  /** The layers of an image; NOT_FOUND where it is unknown. */
  static CompletionStage<List<Layer>> chain(World world, ImageId image) {
    return world
        .entities()
        .image(image)
        .<Chain>ask(GetChain::new, world.settings().askTimeout())
        .thenApply(
            chain -> {
              if (chain.layers().isEmpty()) {
                throw missing(image);
              }
              return chain.layers();
            });
  }

  /** The lines of a build are a log under the image's id; each build's are of a task of its own. */
  private CompletableFuture<Optional<ImageBuildStep>> step(ImageId image) {
    return world
        .entities()
        .image(image)
        .<LastRun>ask(GetRun::new, world.settings().askTimeout())
        .thenApply(
            last ->
                Optional.ofNullable(last.run())
                    .map(
                        run ->
                            ImageBuildStep.newBuilder()
                                .setImageId(image.value())
                                .setStartedAt(timestamp(run.since()))
                                .setFinishedAt(timestamp(run.until()))
                                .setBuilderAppId(image.value())
                                .setBuilderTaskId(Run.task(run.build()).value())
                                .build()))
        .toCompletableFuture();
  }

  /** Ends with the end of the build, or cleanly when the time is up: the client joins again. */
  private Source<ImageJoinStreamingResponse, NotUsed> join(
      RpcContext context, ImageJoinStreamingRequest request) {
    ImageId image = new ImageId(request.getImageId());
    Duration asked = Duration.ofMillis((long) (request.getTimeout() * 1000));
    Duration limit = asked.compareTo(LONGEST_JOIN) < 0 ? asked : LONGEST_JOIN;
    return Source.unfoldAsync(
            Optional.of(lastLine(request.getLastEntryId())),
            (Optional<Long> after) ->
                after.isEmpty()
                    ? CompletableFuture.completedStage(
                        Optional.<Pair<Optional<Long>, ImageJoinStreamingResponse>>empty())
                    : next(image, after.get()))
        .filter(response -> response.getEof() || response.getTaskLogsCount() > 0)
        .takeWithin(limit.isNegative() ? Duration.ZERO : limit);
  }

  private CompletionStage<Optional<Pair<Optional<Long>, ImageJoinStreamingResponse>>> next(
      ImageId image, long after) {
    Duration renewal = world.settings().renewal();
    return world
        .entities()
        .image(image)
        .<Progress>ask(
            replyTo -> new Join(after, renewal, replyTo),
            renewal.plus(world.settings().askTimeout()))
        .exceptionally(failure -> unheard(after, failure))
        .thenApply(progress -> step(image, progress));
  }

  /** An image that is moving is asked again; anything else ends the stream. */
  private static Progress unheard(long after, Throwable failure) {
    if (Failures.unwrapped(failure) instanceof TimeoutException) {
      return new Progress(List.of(), after, null);
    }
    throw new CompletionException(failure);
  }

  /** What a look at the build gives, and where to go on from: nowhere once it is over. */
  private static Optional<Pair<Optional<Long>, ImageJoinStreamingResponse>> step(
      ImageId image, Progress progress) {
    ImageJoinStreamingResponse.Builder response =
        ImageJoinStreamingResponse.newBuilder()
            .addAllTaskLogs(progress.lines().stream().map(ImageDefinitions::line).toList())
            .setEntryId(Long.toString(progress.last()));
    switch (progress.end()) {
      case null -> {}
      case ImageReply.Building() -> {}
      case ImageReply.Built(var facts) ->
          response
              .setResult(ImageDefinitions.success())
              .setMetadata(ImageDefinitions.metadata(facts))
              .setEof(true);
      case ImageReply.Failed(var why) ->
          response.setResult(ImageDefinitions.failure(why)).setEof(true);
      case ImageReply.Unknown() -> throw missing(image);
    }
    Optional<Long> on = response.getEof() ? Optional.empty() : Optional.of(progress.last());
    return Optional.of(Pair.create(on, response.build()));
  }

  private static long lastLine(String entryId) {
    try {
      return entryId.isEmpty() ? 0 : Long.parseLong(entryId);
    } catch (NumberFormatException malformed) {
      throw RpcFailure.invalid("'%.60s' is no line of a build log.".formatted(entryId));
    }
  }

  private static RpcFailure missing(ImageId image) {
    return RpcFailure.notFound("Image '%s' does not exist.".formatted(image));
  }
}
