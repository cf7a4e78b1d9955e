package dev.troupe.launcher;

import com.sun.security.auth.module.UnixSystem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** What a machine must have to run containers, checked before anything is started. */
final class Preflight {

  private static final List<String> PROGRAMS = List.of("runc", "ip", "nft");

  private Preflight() {}

  /** Refuses a start without root, or without a program that containers need. */
  static void check() {
    if (new UnixSystem().getUid() != 0) {
      throw new Refusal(
          "The server runs containers and needs root for it. Start it as root, for example with"
              + " sudo.");
    }
    List<String> missing = PROGRAMS.stream().filter(program -> find(program).isEmpty()).toList();
    if (!missing.isEmpty()) {
      throw new Refusal(
          "Not found on this machine: %s. On Debian: apt-get install runc iproute2 nftables"
              .formatted(String.join(", ", missing)));
    }
  }

  private static Optional<Path> find(String program) {
    String path = System.getenv().getOrDefault("PATH", "") + ":/usr/sbin:/sbin";
    return Arrays.stream(path.split(":", -1))
        .filter(folder -> !folder.isEmpty())
        .map(folder -> Path.of(folder, program))
        .filter(Files::isExecutable)
        .findFirst();
  }
}
