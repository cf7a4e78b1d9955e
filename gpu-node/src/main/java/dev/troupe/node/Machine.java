package dev.troupe.node;

import dev.troupe.actors.id.Ids;
import dev.troupe.node.linux.FileTree;
import dev.troupe.protocol.link.Capacity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;

/** This machine: its name, which it keeps, and what it has to give. */
final class Machine {

  private static final String ID_PREFIX = "ma-";

  /** The machine's id, made at its first start and kept in its data directory. */
  static String id(Path dataDirectory) throws IOException {
    Path file = dataDirectory.resolve("machine-id");
    if (Files.exists(file)) {
      return Files.readString(file).strip();
    }
    byte[] random = new byte[16];
    new SecureRandom().nextBytes(random);
    String id = ID_PREFIX + Ids.key(random);
    Files.createDirectories(dataDirectory);
    FileTree.write(file, id + "\n");
    return id;
  }

  /** Processors and memory that this process may use, and the devices it pretends to have. */
  static Capacity capacity(List<String> simulatedGpus) throws IOException {
    return Capacity.newBuilder()
        .setMilliCpu(Runtime.getRuntime().availableProcessors() * 1000)
        .setMemoryBytes(memoryBytes(Files.readAllLines(Path.of("/proc/meminfo"))))
        .addAllGpus(simulatedGpus)
        .build();
  }

  static long memoryBytes(List<String> meminfo) {
    return meminfo.stream()
        .filter(line -> line.startsWith("MemTotal:"))
        .map(line -> line.replaceAll("[^0-9]", ""))
        .mapToLong(kibibytes -> Long.parseLong(kibibytes) * 1024)
        .findFirst()
        .orElse(0);
  }

  private Machine() {}
}
