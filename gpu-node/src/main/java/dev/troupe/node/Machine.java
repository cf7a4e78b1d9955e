package dev.troupe.node;

import dev.troupe.protocol.link.Capacity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What this machine has to give. */
final class Machine {

  /** Processors and memory that this process may use, and its GPUs by type. */
  static Capacity capacity(List<String> gpus) throws IOException {
    return Capacity.newBuilder()
        .setMilliCpu(Runtime.getRuntime().availableProcessors() * 1000)
        .setMemoryBytes(memoryBytes(Files.readAllLines(Path.of("/proc/meminfo"))))
        .addAllGpus(gpus)
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
