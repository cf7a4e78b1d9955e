package dev.troupe.gateway.mount;

import dev.troupe.actors.blob.BlobStore;
import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.id.Ids;
import dev.troupe.actors.id.MountId;
import dev.troupe.protocol.link.Mount;
import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/**
 * The lists of files that mounts are. A list is kept as content, and the directory says which
 * content a mount's id stands for; the id is made from the list, so equal lists are one mount.
 */
public final class MountManifests {

  private static final String MANIFEST = "manifest_sha256";

  private final BlobStore blobs;
  private final Directory directory;
  private final Executor blocking;
  private final InstantSource clock;

  /** Lists kept in this store; {@code blocking} runs what waits for it. */
  public MountManifests(
      BlobStore blobs, Directory directory, Executor blocking, InstantSource clock) {
    this.blobs = blobs;
    this.directory = directory;
    this.blocking = blocking;
    this.clock = clock;
  }

  /** The id of a list of files; its own {@code mount_id} is not read. */
  public static MountId idOf(Mount list) {
    return new MountId(MountId.PREFIX + Ids.key(Ids.sha256().digest(canonical(list))));
  }

  /**
   * Keeps a list of files.
   *
   * @param name the deployment name the mount shall have; empty for none
   */
  public CompletionStage<MountId> keep(String environment, String name, Mount list) {
    MountId mount = idOf(list);
    byte[] bytes = canonical(list);
    String sha256 = HexFormat.of().formatHex(Ids.sha256().digest(bytes));
    Directory.Entry entry =
        new Directory.Entry(
            Directory.Kind.MOUNT,
            environment,
            name,
            mount.value(),
            clock.instant(),
            Map.of(MANIFEST, sha256));
    return CompletableFuture.runAsync(() -> write(sha256, bytes), blocking)
        .thenCompose(written -> directory.put(entry))
        .thenApply(put -> mount);
  }

  /** The files of a mount; fails with {@link FileNotFoundException} where there is none. */
  public CompletionStage<Mount> load(MountId mount) {
    return directory
        .byId(Directory.Kind.MOUNT, mount.value())
        .thenApplyAsync(
            found -> {
              try {
                String sha256 =
                    found
                        .map(entry -> entry.attributes().get(MANIFEST))
                        .orElseThrow(() -> new FileNotFoundException("no mount " + mount));
                return read(mount, sha256);
              } catch (IOException failed) {
                throw new UncheckedIOException(failed);
              }
            },
            blocking);
  }

  private void write(String sha256, byte[] bytes) {
    try {
      blobs.putContent(sha256, new ByteArrayInputStream(bytes));
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  private Mount read(MountId mount, String sha256) throws IOException {
    try (InputStream content = blobs.open(sha256)) {
      return Mount.parseFrom(content).toBuilder().setMountId(mount.value()).build();
    }
  }

  private static byte[] canonical(Mount list) {
    Mount.Builder sorted = Mount.newBuilder().setStandalonePython(list.getStandalonePython());
    list.getFilesList().stream()
        .sorted(java.util.Comparator.comparing(file -> file.getPath()))
        .forEach(sorted::addFiles);
    return sorted.build().toByteArray();
  }
}
