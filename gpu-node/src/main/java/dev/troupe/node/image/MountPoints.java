package dev.troupe.node.image;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The files and folders that a container runtime makes in order to mount something on them: those
 * that were not there are taken away from what a step leaves, unless the step put something into
 * them, and so are the traces of that in the folders above them.
 */
final class MountPoints {

  private static final String ATTRIBUTES = "unix:mode,uid,gid";

  private final List<Path> made;
  private final Map<Path, Map<String, Object>> above;

  private MountPoints(List<Path> made, Map<Path, Map<String, Object>> above) {
    this.made = made;
    this.above = above;
  }

  /** Those that are missing, before the step begins. */
  static MountPoints missing(RootFolder files, Collection<String> targets) throws IOException {
    Set<Path> made = new LinkedHashSet<>();
    Map<Path, Map<String, Object>> above = new LinkedHashMap<>();
    for (String target : targets) {
      Path inside = files.path().relativize(files.resolve(target));
      Path at = Path.of("");
      Map<Path, Map<String, Object>> there = new LinkedHashMap<>();
      int before = made.size();
      for (Path name : inside) {
        at = at.resolve(name);
        Path place = files.path().resolve(at);
        if (Files.exists(place, LinkOption.NOFOLLOW_LINKS)) {
          there.put(at, Files.readAttributes(place, ATTRIBUTES, LinkOption.NOFOLLOW_LINKS));
        } else {
          made.add(at);
        }
      }
      if (made.size() > before) {
        above.putAll(there);
      }
    }
    return new MountPoints(List.copyOf(made), above);
  }

  /** Takes them out of a step's changes, the innermost first. */
  void removeFrom(Path changes) throws IOException {
    for (Path place : made.reversed()) {
      Path path = changes.resolve(place);
      if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
        if (Files.size(path) == 0) {
          Files.delete(path);
        }
      } else if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
        removeIfEmpty(path);
      }
    }
    List<Path> folders = new ArrayList<>(above.keySet());
    folders.sort(Comparator.comparingInt(Path::getNameCount).reversed());
    for (Path place : folders) {
      Path path = changes.resolve(place);
      if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)
          && Files.readAttributes(path, ATTRIBUTES, LinkOption.NOFOLLOW_LINKS)
              .equals(above.get(place))) {
        removeIfEmpty(path);
      }
    }
  }

  private static void removeIfEmpty(Path folder) throws IOException {
    try {
      Files.delete(folder);
    } catch (DirectoryNotEmptyException used) {
      // The step's own files are in it.
    }
  }
}
