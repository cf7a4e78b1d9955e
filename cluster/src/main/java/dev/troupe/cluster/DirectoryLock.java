package dev.troupe.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Keeps a directory for one process at a time: the file {@code LOCK} in it, locked while that
 * process lives, with its process id.
 */
public final class DirectoryLock implements AutoCloseable {

  private final FileChannel channel;

  private DirectoryLock(FileChannel channel) {
    this.channel = channel;
  }

  /** The directory is another's. */
  public static final class InUse extends Exception {
    private static final long serialVersionUID = 1;

    private final String owner;

    private InUse(String owner) {
      super("in use by pid " + owner);
      this.owner = owner;
    }

    /** The process id of the other; {@code unknown} where it has not written it. */
    public String owner() {
      return owner;
    }
  }

  /**
   * Takes a directory that is there, until {@link #close} or the end of this process.
   *
   * @throws InUse when another process has it, or this one has it already
   */
  public static DirectoryLock take(Path directory) throws IOException, InUse {
    FileChannel channel =
        FileChannel.open(
            directory.resolve("LOCK"),
            StandardOpenOption.CREATE,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE);
    boolean taken = false;
    try {
      if (!lock(channel)) {
        throw new InUse(owner(channel));
      }
      channel.truncate(0);
      channel.write(ByteBuffer.wrap((ProcessHandle.current().pid() + "\n").getBytes(UTF_8)), 0);
      taken = true;
      return new DirectoryLock(channel);
    } finally {
      if (!taken) {
        channel.close();
      }
    }
  }

  private static boolean lock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock() != null;
    } catch (OverlappingFileLockException sameProcess) {
      return false;
    }
  }

  private static String owner(FileChannel channel) throws IOException {
    ByteBuffer text = ByteBuffer.allocate(32);
    channel.read(text, 0);
    String pid = UTF_8.decode(text.flip()).toString().strip();
    return pid.isEmpty() ? "unknown" : pid;
  }

  /** Gives the directory free. */
  @Override
  public void close() throws IOException {
    channel.close();
  }
}
