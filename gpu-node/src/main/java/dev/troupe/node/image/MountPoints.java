package dev.troupe.node.image;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * The files and folders that a container runtime makes in order to mount something on them: those
 * that were not there are taken away from what a step leaves, unless the step put something into
 * them.
 */
final class MountPoints {

  private final List<Path> made;

  private MountPoints(List<Path> made) {
    this.made = made;
  }

  /** Those that are missing, before the step begins. */
  static MountPoints missing(RootFolder files, Collection<String> targets) throws IOException {
    List<Path> made = new ArrayList<>();
    for (String target : targets) {
      Path inside = files.path().relativize(files.resolve(target));
      Path at = Path.of("");
      for (Path name : inside) {
        at = at.resolve(name);
        if (!Files.exists(files.path().resolve(at), LinkOption.NOFOLLOW_LINKS)) {
          made.add(at);
        }
      }
    }
    return new MountPoints(made);
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
        try {
          Files.delete(path);
        } catch (DirectoryNotEmptyException used) {
          // The step's own files are in it.
        }
      }
    }
  }
}
