package dev.troupe.persistence.store;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.troupe.cluster.DirectoryLock;
import dev.troupe.persistence.StartRefused;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The directory that holds everything a server keeps, owned by one server at a time.
 *
 * <pre>
 *   VERSION   version of this layout, in decimal; written last
 *   LOCK      locked while a server runs; holds its process id
 *   keys/     server.key, vault.json
 *   store/    journal.mv.db; calls.mv.db, which holds call log and directory;
 *             calls/, where commits of the call log go ahead of its tables;
 *             empty where PostgreSQL has the store
 *   blobs/    see FileBlobStore; not there where the blobs are elsewhere
 *   spool/    what is on its way to a bucket; nothing has a name there
 * </pre>
 *
 * <p>The directories may be read by their owner only. Others may lie beside them.
 */
public final class DataDirectory implements AutoCloseable {

  /** Version of the layout this server reads and writes. */
  static final int LAYOUT = 1;

  private final Path root;
  private final DirectoryLock lock;
  private final boolean fresh;

  private DataDirectory(Path root, DirectoryLock lock, boolean fresh) {
    this.root = root;
    this.lock = lock;
    this.fresh = fresh;
  }

  /**
   * Takes the directory for this process, making it where it isn't there.
   *
   * @throws StartRefused when it is another version's, in use, or no directory to write to
   */
  public static DataDirectory open(Path directory) {
    Path root = directory.toAbsolutePath().normalize();
    DirectoryLock lock = null;
    boolean opened = false;
    try {
      Files.createDirectories(root);
      lock = DirectoryLock.take(root);
      boolean fresh = checkVersion(root);
      opened = true;
      return new DataDirectory(root, lock, fresh);
    } catch (DirectoryLock.InUse inUse) {
      throw new StartRefused(
          ("The data directory %s is in use by another server (pid %s). Stop that one, or give"
                  + " --data another directory.")
              .formatted(root, inUse.owner()));
    } catch (IOException failure) {
      throw new StartRefused(
          "The data directory %s can't be used: %s.".formatted(root, reason(failure)), failure);
    } finally {
      if (!opened) {
        closeQuietly(lock);
      }
    }
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

  /**
   * Makes the directory of the databases; keys must be there before.
   *
   * @param elsewhere whether the store is a database that is not in here
   * @throws StartRefused where it was the other way before: nothing is moved from one to the other
   */
  public void prepareStore(boolean elsewhere) throws IOException {
    DurableFiles.createPrivateDirectory(root.resolve("store"));
    boolean here = Files.exists(root.resolve("store").resolve("journal.mv.db"));
    if (elsewhere && here) {
      throw new StartRefused(
          ("The data directory %s has a store of its own, and nothing of it would be in"
                  + " the database of troupe.store.url. Leave that setting empty, or give --data another"
                  + " directory.")
              .formatted(root));
    }
    if (!elsewhere && !here && Files.exists(root.resolve("VERSION"))) {
      throw new StartRefused(
          ("The store of the data directory %s is not in it. Where it is on PostgreSQL, start with"
                  + " troupe.store.url; where it is lost, restore %s from a backup.")
              .formatted(root, root.resolve("store")));
    }
  }

  /**
   * Looks whether the blobs are where they were before.
   *
   * @param elsewhere whether they are not to be in here
   * @throws StartRefused where they are not: nothing is moved from one place to the other
   */
  public void prepareBlobs(boolean elsewhere) {
    boolean here = Files.isDirectory(blobs());
    if (elsewhere && here) {
      throw new StartRefused(
          ("The data directory %s has blobs of its own, which functions and calls need. Leave"
                  + " troupe.blob.url empty; or copy them to the new place, as docs/operating.md says,"
                  + " and move %s away.")
              .formatted(root, blobs()));
    }
    if (!elsewhere && !here && Files.exists(root.resolve("VERSION"))) {
      throw new StartRefused(
          ("The blobs of the data directory %s are not in it. Where they are in a bucket or a shared"
                  + " directory, start with troupe.blob.url; where they are lost, restore %s from a"
                  + " backup.")
              .formatted(root, blobs()));
    }
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

  /** The directory of what is on its way to a bucket. */
  public Path spool() {
    return root.resolve("spool");
  }

  /** The H2 file of the journal, without its suffix. */
  public Path journalFile() {
    return root.resolve("store").resolve("journal");
  }

  /** The H2 file of call log and directory, without its suffix. */
  public Path callsFile() {
    return root.resolve("store").resolve("calls");
  }

  /** The directory of commits of the call log. */
  public Path callLog() {
    return root.resolve("store").resolve("calls");
  }

  /** Gives the directory free. */
  @Override
  public void close() {
    closeQuietly(lock);
  }

  private static void closeQuietly(@Nullable DirectoryLock lock) {
    if (lock == null) {
      return;
    }
    try {
      lock.close();
    } catch (IOException unimportant) {
      // The lock ends with the process in any case.
    }
  }

  private static String reason(IOException failure) {
    return failure.getClass().getSimpleName() + ": " + failure.getMessage();
  }
}
