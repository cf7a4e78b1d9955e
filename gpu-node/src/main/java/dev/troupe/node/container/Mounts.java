package dev.troupe.node.container;

import dev.troupe.node.linux.Posix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/** Overlays, and what is mounted on this machine. */
public final class Mounts {

  private static final Path MOUNT_TABLE = Path.of("/proc/self/mountinfo");

  /**
   * Options of an overlay.
   *
   * @param lowestFirst read-only folders; a later one hides an earlier one
   * @param durable false lets the kernel skip all writing to disk for the upper folder, which is
   *     then of no use after a crash
   */
  static String overlayOptions(List<Path> lowestFirst, Path upper, Path work, boolean durable)
      throws IOException {
    for (Path path : lowestFirst) {
      if (path.toString().matches(".*[:,\\\\].*")) {
        throw new IOException("a folder of an overlay can't have ':' or ',' in its name: " + path);
      }
    }
    String lower =
        lowestFirst.reversed().stream().map(Path::toString).collect(Collectors.joining(":"));
    // Redirects and metacopies would bind an upper folder to the very layers it was made over.
    return "lowerdir=%s,upperdir=%s,workdir=%s,redirect_dir=off,metacopy=off,index=off%s"
        .formatted(lower, upper, work, durable ? "" : ",volatile");
  }

  /** Mounts an overlay whose upper folder is to be kept. */
  public static void mountOverlay(List<Path> lowestFirst, Path upper, Path work, Path target)
      throws IOException {
    Posix.mount(
        "overlay", target.toString(), "overlay", overlayOptions(lowestFirst, upper, work, true));
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
