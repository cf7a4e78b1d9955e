package dev.troupe.node;

import dev.troupe.protocol.link.Capacity;
import dev.troupe.protocol.link.Condition;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What this machine has to give. */
final class Machine {

  private static final Logger LOG = LoggerFactory.getLogger(Machine.class);

  /** Processors and memory that this process may use, and its GPUs by type. */
  static Capacity capacity(List<String> gpus) throws IOException {
    return Capacity.newBuilder()
        .setMilliCpu(Runtime.getRuntime().availableProcessors() * 1000)
        .setMemoryBytes(memoryBytes(Files.readAllLines(Path.of("/proc/meminfo"))))
        .addAllGpus(gpus)
        .build();
  }

  /** How it is just now; what can't be found out is 0. */
  static Condition condition(Path data, boolean draining) {
    Condition.Builder condition = Condition.newBuilder().setDraining(draining);
    try {
      FileStore disk = Files.getFileStore(data);
      condition.setDiskBytes(disk.getTotalSpace()).setDiskFreeBytes(disk.getUsableSpace());
      String load = Files.readString(Path.of("/proc/loadavg")).split(" ", 2)[0];
      condition.setMilliLoad((int) (Double.parseDouble(load) * 1000));
    } catch (IOException | NumberFormatException unknown) {
      LOG.debug("the condition of the machine is not known", unknown);
    }
    return condition.build();
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
