package dev.troupe.persistence.calllog;

import dev.troupe.persistence.StartRefused;
import dev.troupe.persistence.calllog.LogSegment.Content;
import dev.troupe.persistence.calllog.LogSegment.Rest;
import dev.troupe.persistence.store.DurableFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The write-ahead log of one process: files of frames in a directory, named by the number of their
 * first one. A frame is on disk when {@link #append} returns. Files go once all that they hold is
 * in the tables.
 *
 * <p><em>Failures.</em> After a write that failed, what the disk has of it is unknown. So nothing
 * is added to that file any more: the next frame gets a new one. Of the file before, what has a
 * number below that frame's counts. Not thread-safe.
 */
final class LogFiles implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(LogFiles.class);
  private static final String SUFFIX = ".log";
  private static final int BUFFER = 1 << 16;

  private final Path directory;
  private final long segmentBytes;
  private final Deque<LogSegment> segments = new ArrayDeque<>();
  private ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER);
  private @Nullable LogSegment current;
  private long next;

  /**
   * A log that goes on with the frame {@code next}. Files that are there are not touched: see
   * {@link #read} and {@link #clear}.
   *
   * @param segmentBytes of a file, unless one frame alone is bigger
   */
  LogFiles(Path directory, long segmentBytes, long next) {
    this.directory = directory;
    this.segmentBytes = segmentBytes;
    this.next = next;
  }

  /** Adds a frame; gives its number once it is on disk. */
  long append(List<LogFrame.Row> rows) throws IOException {
    LogFrame frame = new LogFrame(next, rows);
    int size = frame.size();
    if (buffer.capacity() < size) {
      buffer = ByteBuffer.allocateDirect(Math.max(size, 2 * buffer.capacity()));
    }
    buffer.clear();
    frame.put(buffer);
    buffer.flip();
    LogSegment open = current;
    if (open == null || !open.hasRoom(size)) {
      open = follow(size);
    }
    boolean whole = false;
    try {
      open.append(next, buffer);
      whole = true;
    } finally {
      if (!whole) {
        current = null;
      }
    }
    return next++;
  }

  private LogSegment follow(int size) throws IOException {
    LogSegment before = segments.peekLast();
    if (before != null && before.first() == next) {
      // Its first write failed: it holds nothing that counts, and its name is wanted.
      before.delete();
      segments.removeLast();
    }
    LogSegment made =
        LogSegment.create(
            directory.resolve("%020d%s".formatted(next, SUFFIX)),
            Math.max(segmentBytes, LogSegment.HEAD + (long) size),
            next);
    segments.add(made);
    current = made;
    return made;
  }

  /**
   * Removes files whose frames have numbers up to this one: it and those below are in the tables.
   */
  void release(long upTo) throws IOException {
    for (LogSegment oldest = segments.peek();
        oldest != null && oldest != current && oldest.last() <= upTo;
        oldest = segments.peek()) {
      oldest.delete();
      segments.remove();
    }
  }

  /** The number of the frame that comes next. */
  long next() {
    return next;
  }

  /** Removes all files: every frame is in the tables. */
  void clear() throws IOException {
    close();
    // The oldest goes first: what stays after a cut is a log.
    for (Path file : files(directory, "")) {
      Files.delete(file);
    }
    DurableFiles.syncDirectory(directory);
  }

  @Override
  public void close() throws IOException {
    for (LogSegment segment : segments) {
      segment.close();
    }
    segments.clear();
    current = null;
  }

  // ---- after a start

  /**
   * The frames of a directory's files, in their order: all that were acknowledged, and perhaps a
   * last one that was not.
   *
   * @throws StartRefused where a frame is damaged that was acknowledged
   */
  static List<LogFrame> read(Path directory) throws IOException {
    List<LogFrame> all = new ArrayList<>();
    List<Path> files = files(directory, SUFFIX);
    for (int i = 0; i < files.size(); i++) {
      Content content = LogSegment.read(files.get(i));
      if (i > 0) {
        // A file may hold one frame more than counts: its write failed, and was made again.
        all.removeIf(frame -> frame.number() >= content.first());
        if (all.isEmpty() || all.getLast().number() != content.first() - 1) {
          throw damaged(files.get(i - 1));
        }
      }
      all.addAll(content.frames());
      if (content.rest() == Rest.DAMAGED) {
        throw damaged(files.get(i));
      }
      if (content.rest() == Rest.TORN && i == files.size() - 1) {
        log.warn("The last commit in {} was cut off before it was acknowledged", files.get(i));
      }
    }
    return all;
  }

  private static StartRefused damaged(Path file) {
    return new StartRefused(
        ("The call log %s is damaged: frames that were written are not whole. Restore the data"
                + " directory from a backup; or move the files beside it elsewhere, to start without"
                + " what was called in the last seconds before the stop.")
            .formatted(file));
  }

  private static List<Path> files(Path directory, String suffix) throws IOException {
    try (var entries = Files.list(directory)) {
      return entries.filter(file -> file.toString().endsWith(suffix)).sorted().toList();
    }
  }
}
