package dev.troupe.persistence.blob;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.troupe.actors.blob.BlobStore.Written;
import dev.troupe.actors.id.BlobId;
import dev.troupe.persistence.store.DurableFiles;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Payloads that come in parts. The answer to a join is kept in the parts' place, for a repeat. */
final class PartFiles {

  /** What S3 allows; also keeps names of parts short. */
  private static final int MAX_PARTS = 10_000;

  private static final String JOINED = "joined";

  private final Path root;
  private final Aside aside;
  private final PayloadFiles payloads;
  private final InstantSource clock;

  private PartFiles(Path root, Aside aside, PayloadFiles payloads, InstantSource clock) {
    this.root = root;
    this.aside = aside;
    this.payloads = payloads;
    this.clock = clock;
  }

  static PartFiles open(Path root, Aside aside, PayloadFiles payloads, InstantSource clock)
      throws IOException {
    DurableFiles.createPrivateDirectory(root);
    return new PartFiles(root, aside, payloads, clock);
  }

  Written put(BlobId blob, int number, InputStream bytes) throws IOException {
    checkNumber(number);
    Path directory = root.resolve(blob.value());
    DurableFiles.createPrivateDirectory(directory);
    var digested =
        aside.write(
            bytes, "MD5", clock.instant(), _ -> directory.resolve(Integer.toString(number)));
    return new Written(digested.sizeBytes(), digested.hex());
  }

  Written join(BlobId blob, int count) throws IOException {
    checkNumber(count);
    Path directory = root.resolve(blob.value());
    Optional<Written> before = joined(directory);
    if (before.isPresent()) {
      return before.get();
    }
    List<Path> parts = new ArrayList<>();
    for (int number = 1; number <= count; number++) {
      Path part = directory.resolve(Integer.toString(number));
      if (Files.notExists(part)) {
        throw new FileNotFoundException(
            "part %d of %d of blob %s was not sent".formatted(number, count, blob));
      }
      parts.add(part);
    }
    try (PartsStream all = new PartsStream(parts)) {
      long size = payloads.put(blob, all).sizeBytes();
      Written whole = new Written(size, all.md5Hex());
      DurableFiles.write(
          directory.resolve(JOINED), (size + " " + whole.md5Hex() + "\n").getBytes(UTF_8));
      deleteAllBut(directory, JOINED);
      return whole;
    }
  }

  /** Blobs whose parts, or their join, nobody touched since {@code before}. */
  List<BlobId> idleSince(Instant before) throws IOException {
    List<BlobId> idle = new ArrayList<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(root)) {
      for (Path directory : all) {
        String name = directory.getName(directory.getNameCount() - 1).toString();
        if (name.startsWith(BlobId.PREFIX)
            && Files.getLastModifiedTime(directory).toInstant().isBefore(before)) {
          idle.add(new BlobId(name));
        }
      }
    }
    return idle;
  }

  void delete(BlobId blob) throws IOException {
    Path directory = root.resolve(blob.value());
    if (Files.isDirectory(directory)) {
      deleteAllBut(directory, "");
      Files.deleteIfExists(directory);
    }
  }

  private static Optional<Written> joined(Path directory) throws IOException {
    try {
      String[] words = Files.readString(directory.resolve(JOINED), UTF_8).strip().split(" ", -1);
      return Optional.of(new Written(Long.parseLong(words[0]), words[1]));
    } catch (NoSuchFileException notYet) {
      return Optional.empty();
    }
  }

  private static void deleteAllBut(Path directory, String kept) throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        if (!file.endsWith(kept)) {
          Files.deleteIfExists(file);
        }
      }
    }
  }

  static void checkNumber(int number) {
    if (number < 1 || number > MAX_PARTS) {
      throw new IllegalArgumentException(
          "parts are numbered from 1 to %d, not %d".formatted(MAX_PARTS, number));
    }
  }
}
