package dev.troupe.node.image;

import dev.troupe.actors.blob.ContentSource;
import dev.troupe.actors.id.Ids;
import dev.troupe.actors.id.MountId;
import dev.troupe.node.linux.FileTree;
import dev.troupe.protocol.link.Mount;
import dev.troupe.protocol.link.MountFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.util.HexFormat;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Mounts as layers: each made once, under its id, which is made from its files. They are not
 * written out to disk before use, since a start may wait for one; so after a reboot, when some may
 * be incomplete, all are thrown away.
 */
public final class MountStore {

  private static final Path BOOT = Path.of("/proc/sys/kernel/random/boot_id");
  private static final int DEFAULT_MODE = 0644;

  private final Path folder;
  private final ContentSource contents;
  private final Map<String, ReentrantLock> making = new ConcurrentHashMap<>();

  private MountStore(Path folder, ContentSource contents) {
    this.folder = folder;
    this.contents = contents;
  }

  /** Opens the store in a folder. */
  public static MountStore open(Path folder, ContentSource contents) throws IOException {
    Path boot = folder.resolve("boot");
    String now = Files.readString(BOOT);
    if (!Files.exists(boot) || !Files.readString(boot).equals(now)) {
      FileTree.delete(folder);
      Files.createDirectories(folder);
      Files.writeString(boot, now);
    }
    FileTree.delete(folder.resolve("unfinished"));
    Files.createDirectories(folder.resolve("unfinished"));
    return new MountStore(folder, contents);
  }

  /** The layer of a mount, made if it is not there. */
  public Path ensure(Mount mount) throws IOException, InterruptedException {
    String id = new MountId(mount.getMountId()).value();
    Path place = folder.resolve(id);
    if (Files.isDirectory(place)) {
      return place;
    }
    ReentrantLock lock = making.computeIfAbsent(id, _ -> new ReentrantLock());
    lock.lockInterruptibly();
    try {
      if (!Files.isDirectory(place)) {
        Path fresh =
            Files.createDirectory(
                folder.resolve("unfinished").resolve(UUID.randomUUID().toString()));
        try {
          for (MountFile file : mount.getFilesList()) {
            write(file, LayerFolders.place(fresh, file.getPath()));
          }
          Files.move(fresh, place, StandardCopyOption.ATOMIC_MOVE);
        } finally {
          FileTree.delete(fresh);
        }
      }
      return place;
    } finally {
      lock.unlock();
      making.remove(id, lock);
    }
  }

  private void write(MountFile file, Path to) throws IOException {
    DigestInputStream digested;
    try (InputStream bytes = contents.open(file.getSha256Hex(), file.getKey());
        OutputStream out = Files.newOutputStream(to)) {
      digested = new DigestInputStream(bytes, Ids.sha256());
      digested.transferTo(out);
    }
    String digest = HexFormat.of().formatHex(digested.getMessageDigest().digest());
    if (!digest.equals(file.getSha256Hex())) {
      throw new IOException(
          "the content of %s has the digest %s, not %s"
              .formatted(file.getPath(), digest, file.getSha256Hex()));
    }
    LayerFolders.setMode(to, file.getMode() == 0 ? DEFAULT_MODE : file.getMode());
  }
}
