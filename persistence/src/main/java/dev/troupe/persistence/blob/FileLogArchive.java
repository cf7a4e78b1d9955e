package dev.troupe.persistence.blob;

import dev.troupe.actors.log.LogArchive;
import dev.troupe.persistence.blob.SegmentNames.Stored;
import dev.troupe.persistence.store.DurableFiles;
import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPInputStream;

/**
 * Segments as files of the blob store's directory, below {@code logs/}; {@link SegmentNames} says
 * how they are named. A file is written aside, synced and renamed, so there is no moment at which a
 * segment is there and not listed, or the other way round.
 */
public final class FileLogArchive implements LogArchive {

  private final Path root;
  private final Aside aside;
  private final InstantSource clock;

  private FileLogArchive(Path root, Aside aside, InstantSource clock) {
    this.root = root;
    this.aside = aside;
    this.clock = clock;
  }

  /** Opens the archive in the directory of a blob store, making it if need be. */
  public static FileLogArchive open(Path blobs, Sharing sharing, InstantSource clock)
      throws IOException {
    Path root = blobs.resolve("logs");
    DurableFiles.createPrivateDirectory(blobs);
    DurableFiles.createPrivateDirectory(root);
    return new FileLogArchive(root, Aside.open(blobs.resolve("logs-aside"), sharing, clock), clock);
  }

  @Override
  public synchronized void put(Segment segment, byte[] gzip) throws IOException {
    Path file = file(segment);
    long length = SegmentNames.length(ByteBuffer.wrap(gzip));
    if (Files.exists(file) && length(file) >= length) {
      return;
    }
    aside.write(
        new ByteArrayInputStream(gzip),
        "MD5",
        clock.instant(),
        _ -> {
          DurableFiles.createPrivateDirectory(root.resolve(segment.log()));
          DurableFiles.createPrivateDirectory(folder(segment));
          return file;
        });
  }

  private static long length(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      ByteBuffer end = ByteBuffer.allocate(SegmentNames.LENGTH_BYTES);
      if (channel.read(end, Math.max(0, channel.size() - SegmentNames.LENGTH_BYTES))
          < SegmentNames.LENGTH_BYTES) {
        return 0;
      }
      return SegmentNames.length(end.flip());
    }
  }

  @Override
  public List<Segment> list(String log) throws IOException {
    return SegmentNames.ordered(kept(log));
  }

  private List<Stored<Path>> kept(String log) throws IOException {
    List<Stored<Path>> found = new ArrayList<>();
    for (Path folder : entries(root.resolve(log))) {
      for (Path file : entries(folder)) {
        Optional<Segment> segment = SegmentNames.parse(log, name(folder), name(file));
        if (segment.isPresent()) {
          stored(segment.get(), file).ifPresent(found::add);
        }
      }
    }
    return found;
  }

  private static Optional<Stored<Path>> stored(Segment segment, Path file) throws IOException {
    try {
      var attributes = Files.readAttributes(file, BasicFileAttributes.class);
      return Optional.of(
          new Stored<>(
              segment, file, attributes.size(), attributes.lastModifiedTime().toInstant()));
    } catch (NoSuchFileException sweptMeanwhile) {
      return Optional.empty();
    }
  }

  private static List<Path> entries(Path directory) throws IOException {
    List<Path> entries = new ArrayList<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(directory)) {
      all.forEach(entries::add);
    } catch (NoSuchFileException | NotDirectoryException none) {
      return List.of();
    }
    return entries;
  }

  @Override
  public InputStream open(Segment segment) throws IOException {
    InputStream file;
    try {
      file = Files.newInputStream(file(segment));
    } catch (NoSuchFileException gone) {
      var missing = new FileNotFoundException("there is no " + segment);
      missing.initCause(gone);
      throw missing;
    }
    try {
      return new GZIPInputStream(file, 1 << 16);
    } catch (IOException damaged) {
      file.close();
      throw damaged;
    }
  }

  @Override
  public void sweep(Instant oldest, long mostBytes) throws IOException {
    for (Path log : entries(root)) {
      sweep(name(log), oldest, mostBytes);
    }
  }

  private synchronized void sweep(String log, Instant oldest, long mostBytes) throws IOException {
    for (Stored<Path> over : SegmentNames.over(kept(log), oldest, mostBytes)) {
      Files.deleteIfExists(over.place());
    }
    for (Path folder : entries(root.resolve(log))) {
      deleteIfEmpty(folder);
    }
    deleteIfEmpty(root.resolve(log));
  }

  private static void deleteIfEmpty(Path folder) throws IOException {
    try {
      Files.deleteIfExists(folder);
    } catch (DirectoryNotEmptyException used) {
      // Then it stays.
    }
  }

  private Path folder(Segment segment) {
    return root.resolve(segment.log()).resolve(SegmentNames.folder(segment));
  }

  private Path file(Segment segment) {
    return folder(segment).resolve(SegmentNames.file(segment));
  }

  private static String name(Path path) {
    return path.getName(path.getNameCount() - 1).toString();
  }
}
