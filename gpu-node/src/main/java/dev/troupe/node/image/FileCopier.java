package dev.troupe.node.image;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/**
 * Puts files into an image as {@code COPY} does: the content of a folder into a folder, links as
 * links, over what is there.
 *
 * @param owner null: as the source has it
 * @param mode null: as the source has it
 */
record FileCopier(RootFolder into, @Nullable Owner owner, @Nullable Integer mode) {

  /** Numbers of a user and a group. */
  record Owner(int user, int group) {}

  /** Copies a file, a link or the content of a folder to a path of the image. */
  void copy(Path source, String target) throws IOException {
    if (Files.isDirectory(source, LinkOption.NOFOLLOW_LINKS)) {
      copyContent(source, target);
    } else {
      copyFile(source, target);
    }
  }

  private void copyContent(Path source, String target) throws IOException {
    into.makeFolders(target);
    Files.walkFileTree(
        source,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes)
              throws IOException {
            if (!folder.equals(source)) {
              copyFolder(folder, below(target, source, folder));
            }
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            copyFile(file, below(target, source, file));
            return FileVisitResult.CONTINUE;
          }
        });
  }

  private static String below(String target, Path source, Path entry) {
    return Path.of(target).resolve(source.relativize(entry)).toString();
  }

  private void copyFolder(Path source, String target) throws IOException {
    boolean isNew = !into.isFolder(target);
    Path place = into.makeFolders(target);
    if (isNew) {
      for (String attribute : new String[] {"unix:uid", "unix:gid", "unix:mode"}) {
        Files.setAttribute(place, attribute, Files.getAttribute(source, attribute));
      }
      dress(place);
    }
  }

  private void copyFile(Path source, String target) throws IOException {
    Path folder = Path.of("/").resolve(target).normalize().getParent();
    if (folder == null) {
      throw new BuildFailure("'" + target + "' is a folder");
    }
    into.makeFolders(folder.toString());
    Path place = into.entry(target);
    if (Files.isDirectory(place, LinkOption.NOFOLLOW_LINKS)) {
      throw new BuildFailure("'" + target + "' is a folder, and can't be made a file");
    }
    Files.deleteIfExists(place);
    Files.copy(source, place, StandardCopyOption.COPY_ATTRIBUTES, LinkOption.NOFOLLOW_LINKS);
    if (!Files.isSymbolicLink(place)) {
      dress(place);
    }
  }

  private void dress(Path place) throws IOException {
    if (owner != null) {
      Files.setAttribute(place, "unix:uid", owner.user());
      Files.setAttribute(place, "unix:gid", owner.group());
    }
    if (mode != null) {
      Files.setAttribute(place, "unix:mode", mode);
    }
  }
}
