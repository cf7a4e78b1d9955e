package dev.troupe.gateway.service;

import dev.troupe.actors.id.BlobId;
import dev.troupe.gateway.rpc.RpcContext;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.RpcService;
import dev.troupe.gateway.rpc.RpcTable;
import dev.troupe.protocol.modal.BlobCreateRequest;
import dev.troupe.protocol.modal.BlobCreateResponse;
import dev.troupe.protocol.modal.BlobGetRequest;
import dev.troupe.protocol.modal.BlobGetResponse;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Blobs: where a caller may send one, and where it may fetch one. */
final class BlobsService implements RpcService {

  private final World world;

  BlobsService(World world) {
    this.world = world;
  }

  @Override
  public void register(RpcTable.Builder table) {
    table
        .unary("BlobCreate", BlobCreateRequest.parser(), this::create)
        .unary("BlobGet", BlobGetRequest.parser(), this::get);
  }

  private CompletionStage<BlobCreateResponse> create(
      RpcContext context, BlobCreateRequest request) {
    long length = request.getContentLength();
    if (length < 0) {
      throw RpcFailure.invalid("A blob can't have %d bytes.".formatted(length));
    }
    if (length > world.settings().uploadLimit()) {
      throw RpcFailure.tooLarge(
          "A blob may have up to %d bytes, not %d."
              .formatted(world.settings().uploadLimit(), length));
    }
    String caller = context.caller().identity();
    BlobId blob =
        new BlobId(
            BlobId.PREFIX
                + world.mint().keyFor(caller, "BlobCreate", context.idempotencyKey(), "blob"));
    return CompletableFuture.completedStage(
        world.links().upload(blob, length, context.blobUrl(), caller));
  }

  private CompletionStage<BlobGetResponse> get(RpcContext context, BlobGetRequest request) {
    BlobId blob = new BlobId(request.getBlobId());
    return world
        .disk()
        .call(() -> world.blobs().payloadSize(blob))
        .thenApply(
            size -> {
              if (size.isEmpty()) {
                throw RpcFailure.notFound(
                    "Blob '%s' does not exist, or has expired.".formatted(blob));
              }
              return BlobGetResponse.newBuilder()
                  .setDownloadUrl(
                      world.links().download(blob, context.blobUrl(), context.caller().identity()))
                  .build();
            });
  }
}
