package dev.troupe.node.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * A folder that stands for the root of a filesystem, whose links and {@code ..} lead nowhere out of
 * it: as a container sees its files, told from outside. Nobody else changes it meanwhile.
 */
final class RootFolder {

  /** As many links as the kernel follows. */
  private static final int LINKS_LIMIT = 40;

  private final Path root;

  RootFolder(Path root) {
    this.root = root;
  }

  /** Where a path of the container is, all links on the way and the last one followed. */
  Path resolve(String path) throws IOException {
    return resolve(path, true);
  }

  /** Where a path of the container is; where that is a link, the link itself. */
  Path entry(String path) throws IOException {
    return resolve(path, false);
  }

  private Path resolve(String path, boolean followLast) throws IOException {
    Deque<Path> left = new ArrayDeque<>();
    Path.of(path).forEach(left::add);
    Path at = root;
    int links = 0;
    while (!left.isEmpty()) {
      String name = left.remove().toString();
      if (name.isEmpty() || name.equals(".")) {
        continue;
      }
      if (name.equals("..")) {
        at = at.equals(root) ? root : parent(at);
        continue;
      }
      Path next = at.resolve(name);
      if (Files.isSymbolicLink(next) && (followLast || !left.isEmpty())) {
        if (++links > LINKS_LIMIT) {
          throw new BuildFailure("'" + path + "' leads through too many links");
        }
        Path target = Files.readSymbolicLink(next);
        at = target.isAbsolute() ? root : at;
        Deque<Path> further = new ArrayDeque<>();
        target.forEach(further::add);
        further.descendingIterator().forEachRemaining(left::push);
      } else {
        at = next;
      }
    }
    return at;
  }

  private static Path parent(Path path) throws IOException {
    Path parent = path.getParent();
    if (parent == null) {
      throw new NoSuchFileException(path.toString());
    }
    return parent;
  }

  boolean isFolder(String path) throws IOException {
    return Files.isDirectory(resolve(path), LinkOption.NOFOLLOW_LINKS);
  }

  /** Makes a folder and those it is in; returns where it is. */
  Path makeFolders(String path) throws IOException {
    Path place = resolve(path);
    Path at = root;
    // What was resolved has no more links in it.
    for (Path name : root.relativize(place)) {
      at = at.resolve(name);
      if (name.toString().isEmpty() || Files.isDirectory(at, LinkOption.NOFOLLOW_LINKS)) {
        continue;
      }
      if (Files.exists(at, LinkOption.NOFOLLOW_LINKS)) {
        throw new BuildFailure("'/%s' is a file, and no folder".formatted(root.relativize(at)));
      }
      Files.createDirectory(at);
      LayerFolders.setMode(at, 0755);
    }
    return place;
  }

  /** A small file; empty where it isn't there. */
  String read(String path) throws IOException {
    Path file = resolve(path);
    return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) ? Files.readString(file) : "";
  }

  Path path() {
    return root;
  }
}
