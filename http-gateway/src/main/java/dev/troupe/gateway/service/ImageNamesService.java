package dev.troupe.gateway.service;

import com.google.protobuf.Empty;
import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.image.ImageProtocol.Describe;
import dev.troupe.actors.image.ImageProtocol.ImageReply;
import dev.troupe.actors.imagename.ImageNameProtocol;
import dev.troupe.actors.imagename.ImageNameProtocol.Current;
import dev.troupe.actors.imagename.ImageNameProtocol.Delete;
import dev.troupe.actors.imagename.ImageNameProtocol.Deleted;
import dev.troupe.actors.imagename.ImageNameProtocol.GetHistory;
import dev.troupe.actors.imagename.ImageNameProtocol.History;
import dev.troupe.actors.imagename.ImageNameProtocol.Publish;
import dev.troupe.actors.imagename.ImageNameProtocol.Published;
import dev.troupe.actors.imagename.ImageNameProtocol.Read;
import dev.troupe.actors.imagename.ImageNameProtocol.Revision;
import dev.troupe.gateway.rpc.RpcContext;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.RpcService;
import dev.troupe.gateway.rpc.RpcTable;
import dev.troupe.protocol.modal.ImageGetByTagRequest;
import dev.troupe.protocol.modal.ImageGetByTagResponse;
import dev.troupe.protocol.modal.ImageListTagsItem;
import dev.troupe.protocol.modal.ImageListTagsRequest;
import dev.troupe.protocol.modal.ImageListTagsResponse;
import dev.troupe.protocol.modal.ImageNameDeleteRequest;
import dev.troupe.protocol.modal.ImagePublishRequest;
import dev.troupe.protocol.modal.ImagePublishResponse;
import dev.troupe.protocol.modal.ImageTagRevisionsRequest;
import dev.troupe.protocol.modal.ImageTagRevisionsResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;

/** Names of images: published, found, listed, deleted. */
final class ImageNamesService implements RpcService {

  /** Names or revisions of one page; also names that are looked through for those of one image. */
  private static final int PAGE_LIMIT = 1_000;

  private static final String REVISION_PREFIX = "ir-";

  private final World world;
  private final Duration patience;

  ImageNamesService(World world) {
    this.world = world;
    this.patience = world.settings().askTimeout();
  }

  @Override
  public void register(RpcTable.Builder table) {
    table
        .unary("ImagePublish", ImagePublishRequest.parser(), this::publish)
        .unary("ImageGetByTag", ImageGetByTagRequest.parser(), this::getByTag)
        .unary("ImageListTags", ImageListTagsRequest.parser(), this::list)
        .unary("ImageTagRevisions", ImageTagRevisionsRequest.parser(), this::history)
        .unary("ImageNameDelete", ImageNameDeleteRequest.parser(), this::delete);
  }

  private CompletionStage<ImagePublishResponse> publish(
      RpcContext context, ImagePublishRequest request) {
    if (request.getAllowPublic()) {
      throw RpcFailure.unimplemented(
          "Images that are public to other workspaces are not served: publish it without"
              + " 'is_public'.");
    }
    ImageId image = new ImageId(request.getImageId());
    return resolve(context, request.getTag(), request.getEnvironmentName())
        .thenCompose(name -> requireBuilt(image).thenCompose(_ -> publish(context, name, image)))
        .thenApply(
            published ->
                ImagePublishResponse.newBuilder()
                    .setImageId(published.revision().image().value())
                    .setRevisionId(published.revision().id())
                    .build());
  }

  private CompletionStage<Published> publish(
      RpcContext context, ImageName.Placed name, ImageId image) {
    String by = context.caller().identity();
    String revision =
        REVISION_PREFIX
            + world.mint().keyFor(by, "ImagePublish", context.idempotencyKey(), name.id().value());
    return world
        .entities()
        .imageName(name.id())
        .ask(
            replyTo ->
                new Publish(name.environment().key(), name.name(), image, revision, by, replyTo),
            patience);
  }

  private CompletionStage<ImageGetByTagResponse> getByTag(
      RpcContext context, ImageGetByTagRequest request) {
    return resolve(context, request.getTag(), request.getEnvironmentName())
        .thenCompose(
            name ->
                world
                    .entities()
                    .imageName(name.id())
                    .<Current>ask(Read::new, patience)
                    .thenApply(
                        current -> {
                          if (current.revision() == null) {
                            throw name.unused();
                          }
                          return ImageGetByTagResponse.newBuilder()
                              .setImageId(current.revision().image().value())
                              .build();
                        }));
  }

  private CompletionStage<Empty> delete(RpcContext context, ImageNameDeleteRequest request) {
    return resolve(context, request.getTag(), "")
        .thenCompose(
            name ->
                world
                    .entities()
                    .imageName(name.id())
                    .<Deleted>ask(Delete::new, patience)
                    .thenApply(
                        deleted -> {
                          if (!deleted.wasThere()) {
                            throw name.unused();
                          }
                          return Empty.getDefaultInstance();
                        }));
  }

  // ---- listings

  private CompletionStage<ImageListTagsResponse> list(
      RpcContext context, ImageListTagsRequest request) {
    int most = page(request.getMaxObjects());
    String image = request.getImageId();
    int seen = image.isEmpty() ? most : PAGE_LIMIT;
    return world
        .environments()
        .meant(context, request.getEnvironmentName())
        .thenCompose(
            there ->
                world
                    .directory()
                    .named(
                        Kind.IMAGE_NAME,
                        there.key(),
                        request.getTagPrefix(),
                        request.getPageToken(),
                        seen + 1)
                    .thenApply(
                        entries ->
                            page(entries, image, most, seen)
                                .setEnvironmentName(there.name())
                                .build()));
  }

  /**
   * Of {@code seen} names, and one that tells whether there are more, up to {@code most}: of one
   * image only where it is not empty. The next page begins behind the last name looked at.
   */
  private static ImageListTagsResponse.Builder page(
      List<Entry> entries, String image, int most, int seen) {
    ImageListTagsResponse.Builder page = ImageListTagsResponse.newBuilder();
    String last = "";
    for (Entry entry : entries) {
      if (seen == 0 || page.getItemsCount() == most) {
        return page.setNextPageToken(last);
      }
      ImageListTagsItem item = item(entry);
      if (image.isEmpty() || item.getImageId().equals(image)) {
        page.addItems(item);
      }
      last = entry.name();
      seen--;
    }
    return page;
  }

  private static ImageListTagsItem item(Entry entry) {
    Map<String, String> newest = entry.attributes();
    String updatedAt = newest.get(ImageNameProtocol.UPDATED_AT_ATTRIBUTE);
    return ImageListTagsItem.newBuilder()
        .setTag(entry.name())
        .setImageId(newest.getOrDefault(ImageNameProtocol.IMAGE_ATTRIBUTE, ""))
        .setRevisionId(newest.getOrDefault(ImageNameProtocol.REVISION_ATTRIBUTE, ""))
        .setCreatedAt(Outputs.seconds(entry.createdAt()))
        .setUpdatedAt(
            Outputs.seconds(updatedAt == null ? entry.createdAt() : Instant.parse(updatedAt)))
        .setLastPublishedBy(newest.getOrDefault(ImageNameProtocol.PUBLISHED_BY_ATTRIBUTE, ""))
        .build();
  }

  /** A name that nothing has, has no revisions: the client says so itself. */
  private CompletionStage<ImageTagRevisionsResponse> history(
      RpcContext context, ImageTagRevisionsRequest request) {
    long before = before(request.getPageToken());
    int most = page(request.getMaxObjects());
    return resolve(context, request.getTag(), request.getEnvironmentName())
        .thenCompose(
            name ->
                world
                    .entities()
                    .imageName(name.id())
                    .<History>ask(replyTo -> new GetHistory(before, most, replyTo), patience)
                    .thenApply(
                        history ->
                            page(history)
                                .setTag(name.name())
                                .setEnvironmentName(name.environment().name())
                                .build()));
  }

  private static ImageTagRevisionsResponse.Builder page(History history) {
    ImageTagRevisionsResponse.Builder page = ImageTagRevisionsResponse.newBuilder();
    for (Revision revision : history.revisions()) {
      page.addItemsBuilder()
          .setImageId(revision.image().value())
          .setRevisionId(revision.id())
          .setCreatedAt(Outputs.seconds(revision.at()))
          .setPublishedBy(revision.publishedBy());
    }
    return history.more()
        ? page.setNextPageToken(Long.toString(history.revisions().getLast().number()))
        : page;
  }

  private static long before(String pageToken) {
    try {
      return pageToken.isEmpty() ? Long.MAX_VALUE : Long.parseLong(pageToken);
    } catch (NumberFormatException malformed) {
      throw RpcFailure.invalid("'%.60s' is no page of a history.".formatted(pageToken));
    }
  }

  /** As many as are asked for, if they are not too many; all that one page may hold otherwise. */
  private static int page(int asked) {
    return asked > 0 ? Math.min(asked, PAGE_LIMIT) : PAGE_LIMIT;
  }

  // ---- what is named

  /** The name in its environment: the one before its slash, the request's, or the caller's. */
  private CompletionStage<ImageName.Placed> resolve(
      RpcContext context, String text, String environment) {
    ImageName name = ImageName.parse(text);
    if (!environment.isEmpty()
        && !name.environment().isEmpty()
        && !name.environment().equals(environment)) {
      throw RpcFailure.invalid(
          "'%s' names another environment than '%.80s', which the request is about."
              .formatted(text, environment));
    }
    String named = name.environment().isEmpty() ? environment : name.environment();
    return world.environments().meant(context, named).thenApply(there -> name.in(there));
  }

  private CompletionStage<ImageReply> requireBuilt(ImageId image) {
    return world
        .entities()
        .image(image)
        .<ImageReply>ask(Describe::new, patience)
        .thenApply(
            reply ->
                switch (reply) {
                  case ImageReply.Built built -> built;
                  case ImageReply.Building _ ->
                      throw RpcFailure.precondition(
                          "Image '%s' is being built: publish it once its build has ended."
                              .formatted(image));
                  case ImageReply.Failed _ ->
                      throw RpcFailure.precondition(
                          "The build of image '%s' failed: only what is built can be published."
                              .formatted(image));
                  case ImageReply.Unknown _ ->
                      throw RpcFailure.notFound("Image '%s' does not exist.".formatted(image));
                });
  }
}
