package dev.troupe.node.network;

import dev.troupe.node.network.SharedLocks.Held;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The machine's switch for passing packets on, which containers with a way out need. It is on while
 * some server of the machine has such a container, and afterwards as it was: the folder holds the
 * old value and one locked file for each server that needs it.
 */
final class IpForwarding {

  private final Path folder;
  private final Path control;
  private final String server;
  private @Nullable Held held;
  private int containers;

  /**
   * @param folder shared by all servers of the machine
   * @param control the kernel's switch
   */
  IpForwarding(Path folder, Path control, String server) {
    this.folder = folder;
    this.control = control;
    this.server = server;
  }

  static IpForwarding ofThisMachine(Path shared, String server) {
    return new IpForwarding(
        shared.resolve("ip_forward"), Path.of("/proc/sys/net/ipv4/ip_forward"), server);
  }

  /** One more container needs it. */
  synchronized void acquire() throws IOException {
    if (++containers == 1) {
      exclusively(this::switchOn);
    }
  }

  /** One container less needs it. */
  synchronized void release() throws IOException {
    if (--containers == 0) {
      exclusively(this::switchBack);
    }
  }

  /** Takes back what servers that are dead by now had needed. */
  synchronized void sweep() throws IOException {
    exclusively(
        () -> {
          if (held == null) {
            switchBack();
          }
        });
  }

  private void exclusively(SharedLocks.Work work) throws IOException {
    SharedLocks.exclusively(folder.resolve("lock"), work);
  }

  private void switchOn() throws IOException {
    Path before = folder.resolve("before");
    if (!Files.exists(before)) {
      Files.writeString(before, Files.readString(control));
    }
    held = SharedLocks.tryLock(folder.resolve("needed-by-" + server));
    Files.writeString(control, "1");
  }

  private void switchBack() throws IOException {
    Path before = folder.resolve("before");
    if (held != null) {
      held.close();
      held = null;
    }
    if (!Files.exists(before) || anotherServerNeedsIt()) {
      return;
    }
    Files.writeString(control, Files.readString(before));
    Files.delete(before);
  }

  private boolean anotherServerNeedsIt() throws IOException {
    boolean needed = false;
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file :
          files.filter(file -> file.getFileName().toString().startsWith("needed-by-")).toList()) {
        Held free = SharedLocks.tryLock(file);
        if (free == null) {
          needed = true;
        } else {
          Files.deleteIfExists(file);
          free.close();
        }
      }
    }
    return needed;
  }
}
