package dev.troupe.node.container;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The machine's control groups: version 2, version 1, or both at once (hybrid). A path such as
 * {@code /troupe-1a2b/ta-…} is one place in each hierarchy.
 */
public final class Cgroups {

  private static final Path ROOT = Path.of("/sys/fs/cgroup");

  private final boolean unified;
  private final List<Path> hierarchies;

  private Cgroups(boolean unified, List<Path> hierarchies) {
    this.unified = unified;
    this.hierarchies = hierarchies;
  }

  /** Looks at what is mounted. */
  public static Cgroups ofThisMachine() throws IOException {
    if (Files.exists(ROOT.resolve("cgroup.controllers"))) {
      return new Cgroups(true, List.of(ROOT));
    }
    try (Stream<Path> folders = Files.list(ROOT)) {
      return new Cgroups(
          false,
          folders.filter(folder -> Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)).toList());
    }
  }

  /** Whether version 2 alone is there, so that one mount shows a container all of its limits. */
  public boolean unified() {
    return unified;
  }

  /** Whether the kernel killed a process of this group since its memory ran out. */
  public boolean memoryRanOut(String path) {
    Path file =
        unified
            ? ROOT.resolve(path.substring(1)).resolve("memory.events")
            : ROOT.resolve("memory").resolve(path.substring(1)).resolve("memory.oom_control");
    try {
      return Files.readAllLines(file).stream()
          .anyMatch(line -> line.startsWith("oom_kill ") && !line.equals("oom_kill 0"));
    } catch (IOException gone) {
      return false;
    }
  }

  /** Whether there is swap that a limit must name, since memory beyond the limit would go there. */
  public boolean swapIsCounted() throws IOException {
    boolean thereIsSwap = Files.readAllLines(Path.of("/proc/swaps")).size() > 1;
    return thereIsSwap
        && (unified || Files.exists(ROOT.resolve("memory/memory.memsw.limit_in_bytes")));
  }

  /** Kills what still runs in the group or below it and removes the group, in each hierarchy. */
  public void remove(String path) throws IOException {
    for (Path hierarchy : hierarchies) {
      Path top = hierarchy.resolve(path.substring(1));
      for (Path group : deepestFirst(top)) {
        kill(group);
        removeEmpty(group);
      }
    }
  }

  private static List<Path> deepestFirst(Path top) throws IOException {
    if (!Files.isDirectory(top)) {
      return List.of();
    }
    List<Path> groups = new ArrayList<>();
    try (Stream<Path> walk = Files.find(top, 8, (_, attributes) -> attributes.isDirectory())) {
      walk.forEach(groups::add);
    }
    groups.sort(Comparator.comparingInt(Path::getNameCount).reversed());
    return groups;
  }

  private static void kill(Path group) throws IOException {
    for (String line : lines(group.resolve("cgroup.procs"))) {
      ProcessHandle.of(Long.parseLong(line)).ifPresent(Cgroups::killAndWait);
    }
  }

  private static void killAndWait(ProcessHandle process) {
    process.destroyForcibly();
    // A process that can't die (stuck in the kernel) makes the removal below fail, which says so.
    process.onExit().orTimeout(5, TimeUnit.SECONDS).exceptionally(_ -> process).join();
  }

  private static List<String> lines(Path file) throws IOException {
    try {
      return Files.readAllLines(file);
    } catch (NoSuchFileException gone) {
      return List.of();
    }
  }

  private static void removeEmpty(Path group) throws IOException {
    try {
      Files.deleteIfExists(group);
    } catch (FileSystemException busy) {
      throw new IOException("control group " + group + " can't be removed", busy);
    }
  }
}
