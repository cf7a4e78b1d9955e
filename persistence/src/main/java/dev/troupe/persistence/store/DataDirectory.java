package dev.troupe.persistence.store;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.troupe.persistence.StartRefused;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * The directory that holds everything a server keeps, owned by one server at a time.
 *
 * <pre>
 *   VERSION   version of this layout, in decimal; written last
 *   LOCK      locked while a server runs; holds its process id
 *   keys/     server.key, vault.json
 *   store/    journal.mv.db; calls.mv.db, which holds call log and directory
 *   blobs/    see FileBlobStore
 * </pre>
 *
 * <p>The three directories may be read by their owner only. Others may lie beside them.
 */
public final class DataDirectory implements AutoCloseable {

  /** Version of the layout this server reads and writes. */
  static final int LAYOUT = 1;

  private final Path root;
  private final FileChannel lockChannel;
  private final boolean fresh;

  private DataDirectory(Path root, FileChannel lockChannel, boolean fresh) {
    this.root = root;
    this.lockChannel = lockChannel;
    this.fresh = fresh;
  }

  /**
   * Takes the directory for this process, making it where it isn't there.
   *
   * @throws StartRefused when it is another version's, in use, or no directory to write to
   */
  public static DataDirectory open(Path directory) {
    Path root = directory.toAbsolutePath().normalize();
    FileChannel channel = null;
    boolean opened = false;
    try {
      Files.createDirectories(root);
      channel =
          FileChannel.open(
              root.resolve("LOCK"),
              StandardOpenOption.CREATE,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE);
      lock(root, channel);
      boolean fresh = checkVersion(root);
      opened = true;
      return new DataDirectory(root, channel, fresh);
    } catch (IOException failure) {
      throw new StartRefused(
          "The data directory %s can't be used: %s.".formatted(root, reason(failure)), failure);
    } finally {
      if (!opened) {
        closeQuietly(channel);
      }
    }
  }

  private static void lock(Path root, FileChannel channel) throws IOException {
    FileLock lock;
    try {
      lock = channel.tryLock();
    } catch (OverlappingFileLockException sameProcess) {
      lock = null;
    }
    if (lock == null) {
      throw new StartRefused(
          ("The data directory %s is in use by another server (pid %s). Stop that one, or give"
                  + " --data another directory.")
              .formatted(root, owner(channel)));
    }
    channel.truncate(0);
    channel.write(ByteBuffer.wrap((ProcessHandle.current().pid() + "\n").getBytes(UTF_8)), 0);
  }

  private static String owner(FileChannel channel) throws IOException {
    ByteBuffer text = ByteBuffer.allocate(32);
    channel.read(text, 0);
    String pid = UTF_8.decode(text.flip()).toString().strip();
    return pid.isEmpty() ? "unknown" : pid;
  }

  /** Whether nothing was ever kept here; refuses a directory of another version. */
  private static boolean checkVersion(Path root) throws IOException {
    Path file = root.resolve("VERSION");
    if (Files.notExists(file)) {
      return Files.notExists(root.resolve("store"));
    }
    String text = Files.readString(file, UTF_8).strip();
    if (text.equals(Integer.toString(LAYOUT))) {
      return false;
    }
    if (!text.matches("[1-9][0-9]{0,8}")) {
      throw new StartRefused(
          ("The file %s doesn't hold the number of a version: the directory is damaged, or no data"
                  + " directory. Restore it from a backup, or give --data another directory.")
              .formatted(file));
    }
    throw new StartRefused(
        ("The data directory %s has version %s, this server needs version %d. Start it with the"
                + " release of Troupe that made it, or give --data another directory.")
            .formatted(root, text, LAYOUT));
  }

  /** Makes the directory of the databases; keys must be there before. */
  public void prepareStore() throws IOException {
    DurableFiles.createPrivateDirectory(root.resolve("store"));
  }

  /** Marks the directory as whole: to be called once everything in it was made. */
  public void complete() throws IOException {
    Path file = root.resolve("VERSION");
    if (Files.notExists(file)) {
      DurableFiles.write(file, (LAYOUT + "\n").getBytes(UTF_8));
    }
  }

  /** True where nothing was ever kept: keys may be made. */
  public boolean fresh() {
    return fresh;
  }

  /** The directory itself, absolute. */
  public Path root() {
    return root;
  }

  /** The directory of keys. */
  public Path keys() {
    return root.resolve("keys");
  }

  /** The directory of blobs. */
  public Path blobs() {
    return root.resolve("blobs");
  }

  /** The H2 file of the journal, without its suffix. */
  public Path journalFile() {
    return root.resolve("store").resolve("journal");
  }

  /** The H2 file of call log and directory, without its suffix. */
  public Path callsFile() {
    return root.resolve("store").resolve("calls");
  }

  /** Gives the directory free. */
  @Override
  public void close() {
    closeQuietly(lockChannel);
  }

  private static void closeQuietly(@Nullable FileChannel channel) {
    if (channel == null) {
      return;
    }
    try {
      channel.close();
    } catch (IOException unimportant) {
      // The lock ends with the process in any case.
    }
  }

  private static String reason(IOException failure) {
    return failure.getClass().getSimpleName() + ": " + failure.getMessage();
  }
}
