package dev.troupe.node.network;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * What the servers of one machine share is guarded by locked files: a lock ends with the process
 * that holds it, however it ends, so nobody has to guess whether another server still lives.
 */
final class SharedLocks {

  /** A file that is locked until closed. */
  record Held(FileChannel channel) implements AutoCloseable {
    @Override
    public void close() throws IOException {
      channel.close();
    }
  }

  @FunctionalInterface
  interface Work {
    void run() throws IOException;
  }

  private static final ReentrantLock IN_THIS_PROCESS = new ReentrantLock();

  /** Locks a file, or returns null where a living server has it. */
  static @Nullable Held tryLock(Path file) throws IOException {
    Files.createDirectories(file.toAbsolutePath().getParent());
    FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    @Nullable FileLock lock = null;
    try {
      lock = channel.tryLock();
    } catch (OverlappingFileLockException heldByThisProcess) {
      lock = null;
    }
    if (lock == null) {
      channel.close();
      return null;
    }
    return new Held(channel);
  }

  /** Runs something while no other server of the machine does the same under this file. */
  static void exclusively(Path file, Work work) throws IOException {
    Files.createDirectories(file.toAbsolutePath().getParent());
    IN_THIS_PROCESS.lock();
    try (FileChannel channel =
            FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock _ = channel.lock()) {
      work.run();
    } finally {
      IN_THIS_PROCESS.unlock();
    }
  }

  private SharedLocks() {}
}
