package dev.troupe.node.image;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/**
 * Who builds images of a store and who removes layers from it, of this process or another: many
 * build at once, and who removes is alone. A build uses layers that no image names yet.
 */
public final class BuildGate {

  private final Path file;
  private final ReentrantReadWriteLock ofThisProcess = new ReentrantReadWriteLock();
  private int inside;
  private @Nullable Entry entry;

  /** A lock of the file, for all of a process. */
  private record Entry(FileChannel channel, FileLock lock) {}

  private BuildGate(Path file) {
    this.file = file;
  }

  /** The gate of a store; a process has one. */
  public static BuildGate of(Path store) throws IOException {
    Files.createDirectories(store);
    return new BuildGate(store.resolve("BUILDING"));
  }

  /** A way in, until closed by the thread that went in. */
  @FunctionalInterface
  public interface Inside extends AutoCloseable {
    @Override
    void close() throws IOException;
  }

  /** Goes in to build; waits while layers are taken away, which is short. */
  Inside build() throws IOException, InterruptedException {
    ofThisProcess.readLock().lockInterruptibly();
    boolean done = false;
    try {
      enter();
      done = true;
    } finally {
      if (!done) {
        ofThisProcess.readLock().unlock();
      }
    }
    return this::leave;
  }

  private synchronized void enter() throws IOException {
    if (inside == 0) {
      FileChannel channel = open();
      boolean done = false;
      try {
        entry = new Entry(channel, channel.lock(0, Long.MAX_VALUE, true));
        done = true;
      } finally {
        if (!done) {
          channel.close();
        }
      }
    }
    inside++;
  }

  private void leave() throws IOException {
    try {
      synchronized (this) {
        inside--;
        if (inside == 0 && entry != null) {
          entry.channel().close();
          entry = null;
        }
      }
    } finally {
      ofThisProcess.readLock().unlock();
    }
  }

  /** Goes in to remove layers; empty where somebody builds. */
  public Optional<Inside> alone() throws IOException {
    if (!ofThisProcess.writeLock().tryLock()) {
      return Optional.empty();
    }
    FileChannel channel = open();
    boolean done = false;
    try {
      done = channel.tryLock() != null;
    } catch (OverlappingFileLockException anotherGate) {
      done = false;
    } finally {
      if (!done) {
        channel.close();
        ofThisProcess.writeLock().unlock();
      }
    }
    return done
        ? Optional.of(
            () -> {
              try {
                channel.close();
              } finally {
                ofThisProcess.writeLock().unlock();
              }
            })
        : Optional.empty();
  }

  private FileChannel open() throws IOException {
    return FileChannel.open(
        file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
  }
}
