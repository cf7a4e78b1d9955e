package dev.troupe.node.container;

import dev.troupe.node.linux.Posix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Overlays, and what is mounted on this machine. */
public final class Mounts {

  private static final Path MOUNT_TABLE = Path.of("/proc/self/mountinfo");

  /** The kernel takes one page of options; a longer list of folders is given by descriptors. */
  private static final int OPTIONS_LIMIT = 4_000;

  /**
   * Mounts an overlay.
   *
   * @param lowestFirst read-only folders; a later one hides an earlier one
   * @param durable false lets the kernel skip all writing to disk for the upper folder, which is
   *     then of no use after a crash
   */
  public static void mountOverlay(
      List<Path> lowestFirst, Path upper, Path work, Path target, boolean durable)
      throws IOException {
    for (Path path : lowestFirst) {
      if (path.toString().matches(".*[:,\\\\].*")) {
        throw new IOException("a folder of an overlay can't have ':' or ',' in its name: " + path);
      }
    }
    List<Integer> open = new ArrayList<>();
    try {
      List<String> folders = lowestFirst.reversed().stream().map(Path::toString).toList();
      String options = overlayOptions(folders, upper, work, durable);
      if (options.length() > OPTIONS_LIMIT) {
        List<String> byDescriptor = new ArrayList<>();
        for (String folder : folders) {
          int descriptor = Posix.open(folder, Posix.O_CLOEXEC);
          open.add(descriptor);
          byDescriptor.add("/proc/self/fd/" + descriptor);
        }
        options = overlayOptions(byDescriptor, upper, work, durable);
      }
      Posix.mount("overlay", target.toString(), "overlay", options);
    } finally {
      for (int descriptor : open) {
        Posix.close(descriptor);
      }
    }
  }

  private static String overlayOptions(
      List<String> topFirst, Path upper, Path work, boolean durable) {
    // Redirects and metacopies would bind an upper folder to the very layers it was made over.
    return "lowerdir=%s,upperdir=%s,workdir=%s,redirect_dir=off,metacopy=off,index=off%s"
        .formatted(String.join(":", topFirst), upper, work, durable ? "" : ",volatile");
  }

  /**
   * Mounts a folder in memory.
   *
   * @param bytes the most it takes; 0: half of the machine's memory
   */
  public static void mountMemory(Path target, long bytes) throws IOException {
    Posix.mount(
        "tmpfs", target.toString(), "tmpfs", bytes == 0 ? "mode=1777" : "mode=1777,size=" + bytes);
  }

  /** Whether something is mounted there. */
  static boolean isMountPoint(Path path) throws IOException {
    return mountPoints().contains(path.toString());
  }

  /** Unmounts all that is mounted at or below a folder, the innermost first. */
  public static void unmountAllBelow(Path folder) throws IOException {
    List<String> below =
        mountPoints().stream()
            .filter(point -> Path.of(point).startsWith(folder))
            .sorted(Comparator.comparingInt(String::length).reversed())
            .toList();
    for (String point : below) {
      Posix.unmount(point);
    }
  }

  private static List<String> mountPoints() throws IOException {
    return Files.readAllLines(MOUNT_TABLE).stream()
        .map(line -> unescape(line.split(" ", 6)[4]))
        .toList();
  }

  /** The table writes blanks and the like as a backslash and three octal digits. */
  private static String unescape(String text) {
    if (text.indexOf('\\') < 0) {
      return text;
    }
    StringBuilder plain = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) == '\\' && i + 3 < text.length()) {
        plain.append((char) Integer.parseInt(text.substring(i + 1, i + 4), 8));
        i += 3;
      } else {
        plain.append(text.charAt(i));
      }
    }
    return plain.toString();
  }

  private Mounts() {}
}
