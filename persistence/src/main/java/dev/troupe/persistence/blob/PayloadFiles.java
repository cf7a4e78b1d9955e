package dev.troupe.persistence.blob;

import dev.troupe.actors.blob.BlobStore.Written;
import dev.troupe.actors.id.BlobId;
import dev.troupe.persistence.store.DurableFiles;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.InstantSource;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Payloads by the day they were written, so that a sweep of orphans reads old days only. A payload
 * is looked for from the newest day on: days are few, since what is kept is bounded in age.
 */
final class PayloadFiles {

  private final Path root;
  private final Aside aside;
  private final InstantSource clock;

  /** Where {@link #olderThan} stopped last. */
  private final AtomicReference<String> lastGiven = new AtomicReference<>("");

  private PayloadFiles(Path root, Aside aside, InstantSource clock) {
    this.root = root;
    this.aside = aside;
    this.clock = clock;
  }

  static PayloadFiles open(Path root, Aside aside, InstantSource clock) throws IOException {
    DurableFiles.createPrivateDirectory(root);
    return new PayloadFiles(root, aside, clock);
  }

  Written put(BlobId blob, InputStream bytes) throws IOException {
    Instant now = clock.instant();
    Path day = root.resolve(LocalDate.ofInstant(now, ZoneOffset.UTC).toString());
    var digested =
        aside.write(
            bytes,
            "MD5",
            now,
            _ -> {
              DurableFiles.createPrivateDirectory(day);
              return day.resolve(blob.value());
            });
    // A repeat replaces what an earlier day has.
    for (Path earlier : daysNewestFirst()) {
      if (earlier.compareTo(day) < 0) {
        Files.deleteIfExists(earlier.resolve(blob.value()));
      }
    }
    return new Written(digested.sizeBytes(), digested.hex());
  }

  Optional<Long> size(BlobId blob) throws IOException {
    Optional<Path> file = find(blob);
    return file.isEmpty() ? Optional.empty() : Optional.of(Files.size(file.get()));
  }

  InputStream open(BlobId blob, long offset) throws IOException {
    Path file = find(blob).orElseThrow(() -> new FileNotFoundException("there is no blob " + blob));
    FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
    return Channels.newInputStream(channel.position(offset));
  }

  private Optional<Path> find(BlobId blob) throws IOException {
    for (Path day : daysNewestFirst()) {
      Path file = day.resolve(blob.value());
      if (Files.exists(file)) {
        return Optional.of(file);
      }
    }
    return Optional.empty();
  }

  void delete(BlobId blob) throws IOException {
    for (Path day : daysNewestFirst()) {
      Files.deleteIfExists(day.resolve(blob.value()));
    }
  }

  /**
   * Payloads older than {@code before}, and {@code others}, going round in the order of day and
   * name; drops the directories of days that are over and empty.
   */
  List<BlobId> olderThan(Instant before, Collection<BlobId> others, int limit) throws IOException {
    TreeSet<String> found = new TreeSet<>();
    others.forEach(blob -> found.add("/" + blob.value()));
    String lastDay = LocalDate.ofInstant(before, ZoneOffset.UTC).toString();
    for (Path day : daysNewestFirst()) {
      if (name(day).compareTo(lastDay) <= 0) {
        collect(day, before, found);
      }
    }
    List<String> turn = new ArrayList<>(found.tailSet(lastGiven.get(), false));
    turn.addAll(found.headSet(lastGiven.get(), true));
    List<String> given = turn.subList(0, Math.min(limit, turn.size()));
    if (!given.isEmpty()) {
      lastGiven.set(given.getLast());
    }
    return given.stream()
        .map(entry -> new BlobId(entry.substring(entry.indexOf('/') + 1)))
        .distinct()
        .toList();
  }

  private static void collect(Path day, Instant before, Set<String> found) throws IOException {
    boolean empty = true;
    try (DirectoryStream<Path> files = Files.newDirectoryStream(day)) {
      for (Path file : files) {
        empty = false;
        if (name(file).startsWith(BlobId.PREFIX)
            && Files.getLastModifiedTime(file).toInstant().isBefore(before)) {
          found.add(name(day) + "/" + name(file));
        }
      }
    } catch (NoSuchFileException deletedMeanwhile) {
      return;
    }
    if (empty) {
      try {
        Files.deleteIfExists(day);
      } catch (DirectoryNotEmptyException filledMeanwhile) {
        // Then it stays.
      }
    }
  }

  private List<Path> daysNewestFirst() throws IOException {
    List<Path> days = new ArrayList<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(root)) {
      all.forEach(days::add);
    }
    days.sort(Comparator.reverseOrder());
    return days;
  }

  private static String name(Path path) {
    return path.getName(path.getNameCount() - 1).toString();
  }
}
