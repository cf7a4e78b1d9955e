package dev.troupe.node.image;

import dev.troupe.actors.id.Ids;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/**
 * Finds what a {@code COPY} names in the folders that it may copy from, a later one over an
 * earlier.
 */
final class CopySources {

  private final List<RootFolder> roots;

  CopySources(List<RootFolder> roots) {
    this.roots = List.copyOf(roots);
  }

  /** What a word means; fails with a {@link BuildFailure} where that is nothing. */
  List<Path> find(String word) throws IOException {
    String path = Path.of("/").resolve(word).normalize().toString();
    List<Path> found = isPattern(word) ? matching(path) : named(path);
    if (found.isEmpty()) {
      throw new BuildFailure("There is no file '%s' to be copied.".formatted(word));
    }
    return found;
  }

  static boolean isPattern(String word) {
    return word.matches(".*[*?\\[].*");
  }

  private List<Path> named(String path) throws IOException {
    List<Path> found = new ArrayList<>();
    for (RootFolder root : roots) {
      Path place = root.resolve(path);
      if (Files.exists(place, LinkOption.NOFOLLOW_LINKS)) {
        found.add(place);
      }
    }
    return found;
  }

  /** A pattern's wildcards stand for no slash. */
  private List<Path> matching(String pattern) throws IOException {
    PathMatcher matcher = FileSystems.getDefault().getPathMatcher("glob:" + pattern);
    int depth = Path.of(pattern).getNameCount();
    List<Path> found = new ArrayList<>();
    for (RootFolder root : roots) {
      try (Stream<Path> files = Files.walk(root.path(), depth)) {
        files
            .filter(file -> matcher.matches(Path.of("/").resolve(root.path().relativize(file))))
            .sorted()
            .forEach(found::add);
      }
    }
    return found;
  }

  /** A digest of these files: names, kinds, modes, owners and contents. */
  String digest(List<Path> sources) throws IOException {
    MessageDigest digest = Ids.sha256();
    for (Path source : sources) {
      // What a folder that stands for all is called is of no meaning, and may be another next time.
      boolean isRoot = roots.stream().anyMatch(root -> root.path().equals(source));
      String name = isRoot ? "" : String.valueOf(source.getFileName());
      try (Stream<Path> files = Files.walk(source)) {
        for (Path file : files.sorted().toList()) {
          describe(digest, name, source, file);
        }
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static void describe(MessageDigest digest, String name, Path source, Path file)
      throws IOException {
    boolean link = Files.isSymbolicLink(file);
    String head =
        "%s\0%s\0%o\0%s\0%s\0"
            .formatted(
                name,
                source.relativize(file),
                (Integer) Files.getAttribute(file, "unix:mode", LinkOption.NOFOLLOW_LINKS),
                Files.getAttribute(file, "unix:uid", LinkOption.NOFOLLOW_LINKS),
                link ? Files.readSymbolicLink(file) : "");
    digest.update(head.getBytes(StandardCharsets.UTF_8));
    if (!link && Files.isRegularFile(file)) {
      digest.update(Long.toString(Files.size(file)).getBytes(StandardCharsets.UTF_8));
      try (InputStream content = new DigestInputStream(Files.newInputStream(file), digest)) {
        content.transferTo(OutputStream.nullOutputStream());
      }
    }
  }
}
