package dev.troupe.node.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Set;

/**
 * Writes folders and files of layers that are made here. A layer's folder hides the rights of the
 * one below it, so folders that images give special rights get these.
 */
final class LayerFolders {

  private static final Set<PosixFilePermission> FOLDER =
      PosixFilePermissions.fromString("rwxr-xr-x");

  /** The place of an absolute path of the container in a layer, its parents made. */
  static Path place(Path layer, String path) throws IOException {
    Path relative = Path.of("/").relativize(Path.of(path).normalize());
    if (!path.startsWith("/") || relative.toString().isEmpty() || relative.startsWith("..")) {
      throw new BuildFailure("'" + path + "' is no absolute path of a file");
    }
    Path parent = relative.getParent();
    if (parent != null) {
      folder(layer, parent);
    }
    return layer.resolve(relative);
  }

  /** Makes a folder and its parents. */
  static void folder(Path layer, Path relative) throws IOException {
    Path at = layer;
    for (Path name : relative) {
      at = at.resolve(name);
      if (!Files.isDirectory(at, LinkOption.NOFOLLOW_LINKS)) {
        Files.createDirectory(at);
        setRights(at, layer.relativize(at).toString());
      }
    }
  }

  private static void setRights(Path folder, String name) throws IOException {
    switch (name) {
      case "tmp", "var/tmp" -> Files.setAttribute(folder, "unix:mode", 01777);
      case "root" -> Files.setAttribute(folder, "unix:mode", 0700);
      default -> Files.setPosixFilePermissions(folder, FOLDER);
    }
  }

  /** Sets the nine ordinary bits of a mode. */
  static void setMode(Path file, int mode) throws IOException {
    Set<PosixFilePermission> rights = EnumSet.noneOf(PosixFilePermission.class);
    PosixFilePermission[] all = {
      PosixFilePermission.OTHERS_EXECUTE,
      PosixFilePermission.OTHERS_WRITE,
      PosixFilePermission.OTHERS_READ,
      PosixFilePermission.GROUP_EXECUTE,
      PosixFilePermission.GROUP_WRITE,
      PosixFilePermission.GROUP_READ,
      PosixFilePermission.OWNER_EXECUTE,
      PosixFilePermission.OWNER_WRITE,
      PosixFilePermission.OWNER_READ
    };
    for (int bit = 0; bit < all.length; bit++) {
      if ((mode & (1 << bit)) != 0) {
        rights.add(all[bit]);
      }
    }
    Files.setPosixFilePermissions(file, rights);
  }

  private LayerFolders() {}
}
