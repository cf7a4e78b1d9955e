package dev.troupe.gateway.service;

import com.google.protobuf.Timestamp;
import dev.troupe.actors.blob.BlobStore;
import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.id.BlobId;
import dev.troupe.actors.id.MountId;
import dev.troupe.gateway.mount.MountManifests;
import dev.troupe.gateway.rpc.RpcContext;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.RpcService;
import dev.troupe.gateway.rpc.RpcTable;
import dev.troupe.protocol.link.Mount;
import dev.troupe.protocol.modal.DeploymentNamespace;
import dev.troupe.protocol.modal.MountBatchedCheckExistenceRequest;
import dev.troupe.protocol.modal.MountBatchedCheckExistenceResponse;
import dev.troupe.protocol.modal.MountGetOrCreateRequest;
import dev.troupe.protocol.modal.MountGetOrCreateResponse;
import dev.troupe.protocol.modal.MountHandleMetadata;
import dev.troupe.protocol.modal.MountPutFileRequest;
import dev.troupe.protocol.modal.MountPutFileResponse;
import dev.troupe.protocol.modal.ObjectCreationType;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/** Mounts: files are stored by content, a mount is a list of them. */
final class MountsService implements RpcService {

  /** Hashes in one question; clients send 64. */
  private static final int HASHES_LIMIT = 10_000;

  private final World world;

  MountsService(World world) {
    this.world = world;
  }

  @Override
  public void register(RpcTable.Builder table) {
    table
        .unary(
            "MountBatchedCheckExistence",
            MountBatchedCheckExistenceRequest.parser(),
            this::checkExistence)
        .unary("MountPutFile", MountPutFileRequest.parser(), this::putFile)
        .unary("MountGetOrCreate", MountGetOrCreateRequest.parser(), this::getOrCreate);
  }

  // ---- files

  private CompletionStage<MountBatchedCheckExistenceResponse> checkExistence(
      RpcContext context, MountBatchedCheckExistenceRequest request) {
    List<String> hashes =
        request.getSha256HexHashesList().stream().map(MountFiles::requireDigest).toList();
    if (hashes.size() > HASHES_LIMIT) {
      throw RpcFailure.invalid(
          "At most %d files can be asked for at a time.".formatted(HASHES_LIMIT));
    }
    return world
        .disk()
        .call(() -> world.blobs().missingContent(hashes))
        .thenApply(
            missing ->
                MountBatchedCheckExistenceResponse.newBuilder()
                    .addAllMissingSha256HexHashes(missing)
                    .setCheckedAt(now())
                    .build());
  }

  private CompletionStage<MountPutFileResponse> putFile(
      RpcContext context, MountPutFileRequest request) {
    String digest = MountFiles.requireDigest(request.getSha256Hex());
    return world
        .disk()
        .call(() -> store(digest, request))
        .thenApply(
            exists ->
                MountPutFileResponse.newBuilder().setExists(exists).setCheckedAt(now()).build());
  }

  /** Whether the file is there now. A request without data only asks. */
  private boolean store(String digest, MountPutFileRequest request) throws IOException {
    BlobStore blobs = world.blobs();
    try {
      switch (request.getDataOneofCase()) {
        case DATA -> blobs.putContent(digest, request.getData().newInput());
        case DATA_BLOB_ID -> {
          BlobId blob = new BlobId(request.getDataBlobId());
          if (blobs.payloadSize(blob).isEmpty()) {
            // A repeat, after the first attempt took the blob in.
            return blobs.missingContent(Set.of(digest)).isEmpty();
          }
          try (InputStream bytes = blobs.openPayload(blob, 0)) {
            blobs.putContent(digest, bytes);
          }
          blobs.deletePayloads(List.of(blob));
        }
        case DATAONEOF_NOT_SET -> {
          return blobs.missingContent(Set.of(digest)).isEmpty();
        }
      }
    } catch (BlobStore.DigestMismatch mismatch) {
      throw RpcFailure.invalid("The file is not what it was announced as: " + message(mismatch));
    }
    return true;
  }

  private static String message(BlobStore.DigestMismatch mismatch) {
    return String.valueOf(mismatch.getMessage()) + ".";
  }

  // ---- mounts

  private CompletionStage<MountGetOrCreateResponse> getOrCreate(
      RpcContext context, MountGetOrCreateRequest request) {
    String name = request.getDeploymentName();
    if (request.getNamespace() == DeploymentNamespace.DEPLOYMENT_NAMESPACE_GLOBAL) {
      return global(name);
    }
    boolean lookup =
        request.getObjectCreationType() == ObjectCreationType.OBJECT_CREATION_TYPE_UNSPECIFIED;
    return world
        .environments()
        .meant(context, request.getEnvironmentName())
        .thenCompose(there -> lookup ? find(there, name) : make(there.key(), request));
  }

  /**
   * What a server is to have ready. The client's own package is put into every container by its
   * machine, so the mount of that name has no files.
   */
  private CompletionStage<MountGetOrCreateResponse> global(String name) {
    if (MountFiles.isClientPackage(name)) {
      return keep("", "", Mount.getDefaultInstance());
    }
    if (MountFiles.isStandalonePython(name)) {
      // Its files are on the machines, by a setting of theirs.
      return keep("", "", Mount.newBuilder().setStandalonePython(name).build());
    }
    throw RpcFailure.notFound("There is no global mount '%.120s'.".formatted(name));
  }

  private CompletionStage<MountGetOrCreateResponse> find(Environment there, String name) {
    return world
        .directory()
        .find(Kind.MOUNT, there.key(), name)
        .thenApply(
            found ->
                answer(
                    new MountId(
                        found
                            .map(Entry::id)
                            .orElseThrow(
                                () ->
                                    RpcFailure.notFound(
                                        "Mount '%.120s' does not exist in environment '%s'."
                                            .formatted(name, there.name()))))));
  }

  private CompletionStage<MountGetOrCreateResponse> make(
      String environment, MountGetOrCreateRequest request) {
    Mount list = MountFiles.list(request.getFilesList());
    return world
        .disk()
        .call(() -> world.blobs().missingContent(MountFiles.digests(list)))
        .thenCompose(
            missing -> {
              if (!missing.isEmpty()) {
                throw RpcFailure.precondition(
                    "%d files of the mount were not sent, '%s' among them."
                        .formatted(missing.size(), MountFiles.pathOf(list, missing)));
              }
              return keep(environment, request.getDeploymentName(), list);
            });
  }

  private CompletionStage<MountGetOrCreateResponse> keep(
      String environment, String name, Mount list) {
    MountManifests mounts = world.mounts();
    return mounts.keep(environment, name, list).thenApply(MountsService::answer);
  }

  /** A mount's id is made from its files, so it tells of their content as well as any digest. */
  private static MountGetOrCreateResponse answer(MountId mount) {
    return MountGetOrCreateResponse.newBuilder()
        .setMountId(mount.value())
        .setHandleMetadata(
            MountHandleMetadata.newBuilder()
                .setContentChecksumSha256Hex(
                    Canonical.sha256Hex(
                        mount.value().getBytes(java.nio.charset.StandardCharsets.UTF_8))))
        .build();
  }

  private Timestamp now() {
    Instant now = world.clock().instant();
    return Timestamp.newBuilder().setSeconds(now.getEpochSecond()).setNanos(now.getNano()).build();
  }
}
