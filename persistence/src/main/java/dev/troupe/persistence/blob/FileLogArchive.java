package dev.troupe.persistence.blob;

import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.log.LogArchive;
import dev.troupe.persistence.store.DurableFiles;
import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;

/**
 * Segments as files of the blob store's directory, whose names are their index:
 *
 * <pre>
 *   logs/ap-…/m-MACHINE/FIRST-TIME.gz     by the number and the time of the first line
 * </pre>
 *
 * A file is written aside, synced and renamed, so there is no moment at which a segment is there
 * and not listed, or the other way round.
 */
public final class FileLogArchive implements LogArchive {

  private static final Pattern NAME = Pattern.compile("([0-9]{1,19})-([0-9]{1,19})\\.gz");
  private static final String MACHINE = "m-";

  /** The length of what was compressed is the last word of a gzip file. */
  private static final int LENGTH_BYTES = Integer.BYTES;

  private static final Comparator<Kept> BY_AGE =
      Comparator.<Kept>comparingLong(kept -> kept.segment().firstTimeUs())
          .thenComparingLong(kept -> kept.segment().first());

  private final Path root;
  private final Aside aside;
  private final InstantSource clock;

  private record Kept(Segment segment, Path file) {}

  private FileLogArchive(Path root, Aside aside, InstantSource clock) {
    this.root = root;
    this.aside = aside;
    this.clock = clock;
  }

  /**
   * Opens the archive in the directory of a blob store, making it if need be.
   *
   * @param shared whether other processes may use it at the same time
   */
  public static FileLogArchive open(Path blobs, InstantSource clock, boolean shared)
      throws IOException {
    Path root = blobs.resolve("logs");
    DurableFiles.createPrivateDirectory(blobs);
    DurableFiles.createPrivateDirectory(root);
    return new FileLogArchive(root, Aside.open(blobs.resolve("logs-aside"), clock, shared), clock);
  }

  @Override
  public synchronized void put(Segment segment, byte[] gzip) throws IOException {
    Path file = file(segment);
    long length = length(ByteBuffer.wrap(gzip));
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
      ByteBuffer end = ByteBuffer.allocate(LENGTH_BYTES);
      if (channel.read(end, Math.max(0, channel.size() - LENGTH_BYTES)) < LENGTH_BYTES) {
        return 0;
      }
      return length(end.flip());
    }
  }

  private static long length(ByteBuffer gzip) throws IOException {
    if (gzip.remaining() < LENGTH_BYTES) {
      throw new IOException("a segment of a log came without its end");
    }
    return Integer.toUnsignedLong(
        gzip.order(ByteOrder.LITTLE_ENDIAN).getInt(gzip.limit() - LENGTH_BYTES));
  }

  @Override
  public List<Segment> list(String log) throws IOException {
    return kept(log).stream()
        .map(Kept::segment)
        .sorted(Comparator.comparingLong(Segment::first))
        .toList();
  }

  private List<Kept> kept(String log) throws IOException {
    List<Kept> found = new ArrayList<>();
    for (Path folder : entries(root.resolve(log))) {
      String name = name(folder);
      if (!name.startsWith(MACHINE)) {
        continue;
      }
      MachineId machine =
          new MachineId(
              URLDecoder.decode(name.substring(MACHINE.length()), StandardCharsets.UTF_8));
      for (Path file : entries(folder)) {
        Matcher matcher = NAME.matcher(name(file));
        if (matcher.matches()) {
          found.add(
              new Kept(
                  new Segment(
                      log,
                      machine,
                      Long.parseLong(matcher.group(1)),
                      Long.parseLong(matcher.group(2))),
                  file));
        }
      }
    }
    return found;
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
    List<Kept> kept = kept(log);
    kept.sort(BY_AGE);
    long bytes = 0;
    for (Kept one : kept) {
      bytes += Files.size(one.file());
    }
    for (Kept one : kept) {
      boolean old = Files.getLastModifiedTime(one.file()).toInstant().isBefore(oldest);
      if (old || bytes > mostBytes) {
        bytes -= Files.size(one.file());
        Files.delete(one.file());
      }
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
    return root.resolve(segment.log())
        .resolve(MACHINE + URLEncoder.encode(segment.machine().value(), StandardCharsets.UTF_8));
  }

  private Path file(Segment segment) {
    return folder(segment).resolve(segment.first() + "-" + segment.firstTimeUs() + ".gz");
  }

  private static String name(Path path) {
    return path.getName(path.getNameCount() - 1).toString();
  }
}
