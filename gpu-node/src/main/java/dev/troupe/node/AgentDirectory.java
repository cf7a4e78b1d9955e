package dev.troupe.node;

import dev.troupe.actors.id.Ids;
import dev.troupe.actors.id.InvalidId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.cluster.DirectoryLock;
import dev.troupe.node.linux.FileTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;

/**
 * The directory of an agent, owned by one process at a time, and the name of its machine, which it
 * keeps.
 */
final class AgentDirectory implements AutoCloseable {

  private static final String ID_PREFIX = "ma-";

  private final Path root;
  private final DirectoryLock lock;

  private AgentDirectory(Path root, DirectoryLock lock) {
    this.root = root;
    this.lock = lock;
  }

  /**
   * Takes the directory, making it where it isn't there.
   *
   * @throws AgentRefused when another agent has it
   */
  static AgentDirectory open(Path directory) throws IOException {
    Path root = Files.createDirectories(directory);
    try {
      return new AgentDirectory(root, DirectoryLock.take(root));
    } catch (DirectoryLock.InUse inUse) {
      throw new AgentRefused(
          ("The data directory %s is in use by another agent (pid %s). Stop that one, or give"
                  + " --data another directory.")
              .formatted(root, inUse.owner()));
    }
  }

  Path root() {
    return root;
  }

  /**
   * The machine's id, made at its first start and kept.
   *
   * @param given the name it was enrolled under; empty where it may choose
   * @throws AgentRefused when the directory is another machine's
   */
  String machineId(String given) throws IOException {
    Path file = root.resolve("machine-id");
    if (Files.exists(file)) {
      String kept = Files.readString(file).strip();
      if (!given.isEmpty() && !given.equals(kept)) {
        throw new AgentRefused(
            "The data directory %s is that of machine %s. Give machine %s another directory."
                .formatted(root, kept, given));
      }
      return kept;
    }
    String id = given.isEmpty() ? random() : checked(given);
    FileTree.write(file, id + "\n");
    return id;
  }

  private static String random() {
    byte[] random = new byte[16];
    new SecureRandom().nextBytes(random);
    return ID_PREFIX + Ids.key(random);
  }

  private static String checked(String given) {
    try {
      return new MachineId(given).value();
    } catch (InvalidId invalid) {
      throw new AgentRefused(String.valueOf(invalid.getMessage()));
    }
  }

  @Override
  public void close() throws IOException {
    lock.close();
  }
}
