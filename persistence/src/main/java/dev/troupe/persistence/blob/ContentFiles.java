package dev.troupe.persistence.blob;

import dev.troupe.actors.blob.BlobStore.DigestMismatch;
import dev.troupe.persistence.store.DurableFiles;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.InstantSource;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.regex.Pattern;

/** Content by digest, in directories by the digest's first two characters. */
final class ContentFiles {

  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

  private final Path root;
  private final Aside aside;
  private final InstantSource clock;

  private ContentFiles(Path root, Aside aside, InstantSource clock) {
    this.root = root;
    this.aside = aside;
    this.clock = clock;
  }

  static ContentFiles open(Path root, Aside aside, InstantSource clock) throws IOException {
    DurableFiles.createPrivateDirectory(root);
    return new ContentFiles(root, aside, clock);
  }

  /** Reads to the end and checks even where the content is here already: the sender may lie. */
  void put(String sha256, InputStream bytes) throws IOException {
    Path file = file(sha256);
    aside.write(
        bytes,
        "SHA-256",
        clock.instant(),
        digested -> {
          if (!digested.hex().equals(sha256)) {
            throw new DigestMismatch(sha256, digested.hex());
          }
          DurableFiles.createPrivateDirectory(root.resolve(sha256.substring(0, 2)));
          return file;
        });
  }

  Set<String> missing(Collection<String> digests) throws IOException {
    Set<String> missing = new LinkedHashSet<>();
    for (String sha256 : digests) {
      if (!touch(file(sha256))) {
        missing.add(sha256);
      }
    }
    return missing;
  }

  InputStream open(String sha256) throws IOException {
    try {
      return CheckedContent.open(file(sha256), sha256);
    } catch (NoSuchFileException missing) {
      throw notFound(sha256, missing);
    }
  }

  private boolean touch(Path file) throws IOException {
    try {
      Files.setLastModifiedTime(file, FileTime.from(clock.instant()));
      return true;
    } catch (NoSuchFileException missing) {
      return false;
    }
  }

  private Path file(String sha256) {
    if (!SHA256.matcher(sha256).matches()) {
      throw new IllegalArgumentException(
          "'%.80s' is no SHA-256 in lower-case hexadecimal".formatted(sha256));
    }
    return root.resolve(sha256.substring(0, 2)).resolve(sha256);
  }

  private static FileNotFoundException notFound(String sha256, IOException cause) {
    var failure = new FileNotFoundException("no content has the digest " + sha256);
    failure.initCause(cause);
    return failure;
  }
}
