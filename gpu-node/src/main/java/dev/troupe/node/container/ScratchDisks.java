package dev.troupe.node.container;

import dev.troupe.node.linux.Command;
import dev.troupe.node.linux.FileTree;
import dev.troupe.node.linux.SpareWorker;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * File systems of a limited size for what containers write: ext4 in a sparse file over a loop
 * device, which the kernel gives back with the mount. One each of the sizes last asked for waits,
 * mounted, so that starting a container waits for none.
 *
 * <pre>
 *   scratch/7/image   the sparse file
 *   scratch/7/disk    where it is mounted
 * </pre>
 */
public final class ScratchDisks implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(ScratchDisks.class);
  private static final Duration COMMAND_LIMIT = Duration.ofSeconds(30);
  private static final Path BLOCK_DEVICES = Path.of("/sys/block");

  /** Inode tables and the like, which are no room for files: 256 bytes for each 16 KiB. */
  private static final int OVERHEAD_PART = 58;

  /** What the kernel keeps back, as ext4 does: a part, and no more than so many bytes. */
  private static final int RESERVED_PART = 50;

  private static final long RESERVED_MOST = 4096L * 4096;
  private static final long OVERHEAD = 1L << 20;

  private final Path folder;
  private final long defaultBytes;
  private final int stock;
  private final AtomicLong next = new AtomicLong();

  /** What waits, by size; the size last asked for comes last. */
  private final Map<Long, Path> ready = new LinkedHashMap<>();

  private final SpareWorker worker = new SpareWorker("scratch-disks");
  private boolean warned;

  private ScratchDisks(Path folder, long defaultBytes, int stock) {
    this.folder = folder;
    this.defaultBytes = defaultBytes;
    this.stock = stock;
  }

  /**
   * Sweeps what a dead agent left in the folder, its loop devices too, and no other.
   *
   * @param defaultBytes for who asks for no size; 0: no limit
   * @param stock of how many sizes one waits
   */
  public static ScratchDisks open(Path folder, long defaultBytes, int stock) throws IOException {
    sweep(folder);
    Files.createDirectories(folder);
    ScratchDisks disks = new ScratchDisks(folder, defaultBytes, stock);
    if (defaultBytes > 0) {
      disks.refill(defaultBytes);
    }
    return disks;
  }

  private static void sweep(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    Mounts.unmountAllBelow(folder);
    try (DirectoryStream<Path> devices = Files.newDirectoryStream(BLOCK_DEVICES, "loop*")) {
      for (Path device : devices) {
        Path file = device.resolve("loop/backing_file");
        // One without a file is free, and has no such entry.
        if (Files.exists(file) && Files.readString(file).startsWith(folder + "/")) {
          detach("/dev/" + device.getFileName());
        }
      }
    }
    FileTree.delete(folder);
  }

  private static void detach(String device) {
    try {
      Command.run(COMMAND_LIMIT, "losetup", "--detach", device);
    } catch (IOException alreadyGone) {
      LOG.debug("{} was given back meanwhile", device, alreadyGone);
    }
  }

  /**
   * An empty folder in which so many bytes can be written; empty where there is no limit but the
   * machine's disk, be it that the limit is not smaller, or that this machine can't set one.
   *
   * @param asked 0: the default
   */
  public Optional<Path> lease(long asked) {
    long bytes = asked == 0 ? defaultBytes : asked;
    try {
      if (bytes == 0 || bytes >= Files.getFileStore(folder).getTotalSpace()) {
        return Optional.empty();
      }
      @Nullable Path waiting = take(bytes);
      Path disk = waiting != null ? waiting : make(bytes);
      refill(bytes);
      return Optional.of(disk);
    } catch (IOException failure) {
      warn(failure);
      return Optional.empty();
    }
  }

  private synchronized @Nullable Path take(long bytes) {
    return ready.remove(bytes);
  }

  private synchronized void warn(IOException failure) {
    if (!warned) {
      LOG.warn(
          "ephemeral_disk is not enforced on this machine, containers share its whole disk: an ext4"
              + " file system can't be made in a file of {} and mounted over a loop device. It takes"
              + " mkfs.ext4 (apt-get install e2fsprogs), mount, and /dev/loop-control. Placement does"
              + " not count disks. This is said once.",
          folder,
          failure);
    }
    warned = true;
  }

  /** Gives one back; it is removed, with all that was written. */
  public void release(Path disk) {
    worker.submit(() -> remove(disk));
  }

  private void refill(long bytes) {
    worker.submit(
        () -> {
          try {
            if (stock > 0) {
              Path disk = make(bytes);
              addReady(bytes, disk);
            }
          } catch (IOException failure) {
            warn(failure);
          }
        });
  }

  private void addReady(long bytes, Path disk) {
    @Nullable Path spare;
    synchronized (this) {
      spare = ready.remove(bytes);
      ready.put(bytes, disk);
      if (spare == null && ready.size() > stock) {
        Iterator<Path> oldest = ready.values().iterator();
        spare = oldest.next();
        oldest.remove();
      }
    }
    if (spare != null) {
      remove(spare);
    }
  }

  private Path make(long bytes) throws IOException {
    Path place = folder.resolve(Long.toString(next.incrementAndGet()));
    Path disk = Files.createDirectories(place.resolve("disk"));
    Path image = place.resolve("image");
    try {
      try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
        long reserved = Math.min(bytes / RESERVED_PART, RESERVED_MOST);
        file.setLength(bytes + bytes / OVERHEAD_PART + reserved + OVERHEAD);
      }
      // It never outlives its container, so it has no journal; its tables are holes, which are
      // zeros, so neither the program nor the kernel writes them.
      Command.run(
          COMMAND_LIMIT,
          "mkfs.ext4",
          "-q",
          "-F",
          "-b",
          "4096",
          "-I",
          "256",
          "-i",
          "16384",
          "-m",
          "0",
          "-O",
          "^has_journal,^resize_inode,sparse_super2",
          "-E",
          "lazy_itable_init=1,nodiscard",
          image.toString());
      // Deleted files are taken out of the sparse file at once.
      Command.run(
          COMMAND_LIMIT,
          "mount",
          "-t",
          "ext4",
          "-o",
          "loop,noatime,discard,noinit_itable",
          image.toString(),
          disk.toString());
      return disk;
    } catch (IOException failure) {
      remove(disk);
      throw failure;
    }
  }

  /** What was written goes first: else it would be written to the disk at the unmount. */
  private static void remove(Path disk) {
    Path place = Objects.requireNonNull(disk.getParent());
    try {
      try (DirectoryStream<Path> written = Files.newDirectoryStream(disk)) {
        for (Path path : written) {
          FileTree.delete(path);
        }
      }
      Mounts.unmountAllBelow(place);
      FileTree.delete(place);
    } catch (IOException | RuntimeException failure) {
      LOG.warn("{} is left behind until the next start", place, failure);
    }
  }

  /** Removes all; nothing uses them any more. */
  @Override
  public void close() {
    worker.close();
    if (Thread.currentThread().isInterrupted()) {
      return;
    }
    try {
      sweep(folder);
    } catch (IOException failure) {
      LOG.warn("{} is left behind until the next start", folder, failure);
    }
  }
}
