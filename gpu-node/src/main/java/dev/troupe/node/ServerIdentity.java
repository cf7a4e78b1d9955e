package dev.troupe.node;

import dev.troupe.actors.id.Ids;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HexFormat;

/**
 * Which server's things are which on a machine that may run several: each is named after the data
 * directory it belongs to, so that a start sweeps what its own predecessor left and nothing else.
 *
 * @param id eight hexadecimal digits
 */
public record ServerIdentity(String id) {

  private static final Path RUN = Path.of("/run/troupe");

  /** The identity of whoever uses this data directory. */
  public static ServerIdentity of(Path dataDirectory) {
    byte[] path =
        dataDirectory.toAbsolutePath().normalize().toString().getBytes(StandardCharsets.UTF_8);
    return new ServerIdentity(HexFormat.of().formatHex(Ids.sha256().digest(path), 0, 4));
  }

  /** Folder for sockets, pipes and what else must have a short path and not outlive a reboot. */
  public Path runDirectory() {
    return RUN.resolve(id);
  }

  /** Folder that all servers of the machine share: locks and references. */
  public static Path sharedDirectory() {
    return RUN;
  }

  /** Parent of the control groups of its containers. */
  public String cgroup() {
    return "/troupe-" + id;
  }
}
