package dev.troupe.node.image;

import dev.troupe.node.container.ContainerDriver.Bind;
import dev.troupe.node.linux.Command;
import dev.troupe.node.network.HostFiles;
import dev.troupe.node.network.NetworkPlan.Sandbox;
import dev.troupe.node.network.SandboxPool;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Fetches what {@code ADD} names by an address. It is done in a network like that of a build step,
 * so that an address leads nowhere that a step could not go: not to the machine's own ports.
 */
final class Downloads {

  private static final Duration LIMIT = Duration.ofHours(2);
  private static final int BLOCK = 512;
  private static final int NOT_FOUND = 127;

  /** In mount and network namespaces of its own: the step's name servers, a limit, the program. */
  private static final String SCRIPT =
      "mount --bind \"$1\" /etc/resolv.conf; ulimit -f \"$2\"; shift 2; exec curl \"$@\"";

  private final SandboxPool sandboxes;
  private final Path resolver;
  private final long limitBytes;

  /**
   * Those of a machine.
   *
   * @param limitBytes of one file
   */
  Downloads(SandboxPool sandboxes, HostFiles hostFiles, long limitBytes) {
    this.sandboxes = sandboxes;
    this.resolver =
        hostFiles.binds().stream()
            .filter(bind -> bind.target().equals("/etc/resolv.conf"))
            .map(Bind::source)
            .findFirst()
            .orElseThrow();
    this.limitBytes = limitBytes;
  }

  /** The name of the file at an address; empty where it has none. */
  static String nameOf(String address) throws BuildFailure {
    try {
      String path = URI.create(address).getPath();
      String name = path == null ? "" : path.substring(path.lastIndexOf('/') + 1);
      return name.equals("..") || name.equals(".") || name.indexOf('\0') >= 0 ? "" : name;
    } catch (IllegalArgumentException wrong) {
      throw new BuildFailure("'%s' is no address.".formatted(address));
    }
  }

  /** Fetches a file; its time is the one that the server tells. */
  void fetch(String address, Path to) throws IOException {
    Sandbox sandbox = sandboxes.lease(true);
    try {
      Command.Result ended =
          Command.execute(LIMIT, "", command(address, to, sandbox), Map.of(), _ -> {});
      if (ended.exitCode() == NOT_FOUND) {
        throw new BuildFailure(
            "ADD of an address needs the program curl on this machine; on Debian: apt-get install curl");
      }
      if (ended.exitCode() != 0 || !Files.isRegularFile(to)) {
        throw new BuildFailure(
            "%s can't be fetched: %s".formatted(address, reason(ended.output().strip())));
      }
      LayerFolders.setMode(to, 0600);
    } finally {
      sandboxes.release(sandbox);
    }
  }

  private String reason(String said) {
    return said.isEmpty() || said.contains("size limit")
        ? "it broke off, or is longer than %d MiB (troupe.images.layer-limit)"
            .formatted(limitBytes >> 20)
        : said;
  }

  private List<String> command(String address, Path to, Sandbox sandbox) {
    List<String> command = new ArrayList<>(List.of("nsenter", "--net=" + sandbox.path(), "--"));
    command.addAll(List.of("unshare", "--mount", "--", "sh", "-c", SCRIPT, "sh"));
    command.addAll(List.of(resolver.toString(), String.valueOf(limitBytes / BLOCK)));
    // Settings of the machine's own user are not meant.
    command.addAll(List.of("--disable", "--silent", "--show-error", "--fail", "--globoff"));
    command.addAll(List.of("--proto", "=http,https", "--proto-redir", "=http,https"));
    command.addAll(List.of("--location", "--max-redirs", "10", "--connect-timeout", "15"));
    command.addAll(List.of("--speed-limit", "1", "--speed-time", "60", "--retry", "2"));
    command.addAll(List.of("--max-filesize", String.valueOf(limitBytes), "--remote-time"));
    command.addAll(List.of("--output", to.toString(), "--", address));
    return command;
  }
}
