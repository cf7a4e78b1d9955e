package dev.troupe.node.log;

import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.log.LogIntake;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends segments to the archive: a full one at once, one that grows within some seconds of a line,
 * and again when it has grown. What was sent is noted beside the segment after the archive has it,
 * so a death at any moment costs a repeat, which changes nothing there.
 */
public final class LogShipper implements AutoCloseable {

  /** How long a line may be on this machine alone. */
  public static final Duration DELAY = Duration.ofSeconds(10);

  private static final Logger LOG = LoggerFactory.getLogger(LogShipper.class);
  private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(3);

  private final LogBook book;
  private final LogIntake archive;
  private final MachineId machine;
  private final Duration delay;
  private final Set<String> due = ConcurrentHashMap.newKeySet();
  private final Set<String> dueAtOnce = ConcurrentHashMap.newKeySet();
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("log-shipper").factory());
  private boolean failing;

  private LogShipper(LogBook book, LogIntake archive, MachineId machine, Duration delay) {
    this.book = book;
    this.archive = archive;
    this.machine = machine;
    this.delay = delay;
  }

  /** Sends what a book has, and what it gets. */
  public static LogShipper start(LogBook book, LogIntake archive, MachineId machine, Duration delay)
      throws IOException {
    LogShipper shipper = new LogShipper(book, archive, machine, delay);
    book.shipWith(shipper);
    book.logs().forEach(shipper::grew);
    return shipper;
  }

  /** A log has lines that were not sent. */
  void grew(String log) {
    if (due.add(log)) {
      later(
          () -> {
            due.remove(log);
            ship(log);
          },
          delay);
    }
  }

  /** A log has a segment that is full. */
  void filled(String log) {
    if (dueAtOnce.add(log)) {
      later(
          () -> {
            dueAtOnce.remove(log);
            ship(log);
          },
          Duration.ZERO);
    }
  }

  private void later(Runnable work, Duration wait) {
    try {
      var unused = timer.schedule(work, wait.toMillis(), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException closing) {
      // The next start sends it.
    }
  }

  private void ship(String log) {
    try {
      for (AppLog.Parcel parcel : book.unshipped(log)) {
        archive.put(
            new LogIntake.Segment(log, machine, parcel.first(), parcel.firstTimeUs()),
            compressed(parcel));
        book.shipped(log, parcel);
      }
      failing = false;
    } catch (NoSuchFileException removed) {
      grew(log);
    } catch (IOException | RuntimeException failure) {
      if (!failing) {
        LOG.warn("logs stay on this machine until the server takes them: {}", failure.toString());
      }
      failing = true;
      grew(log);
    }
  }

  private static byte[] compressed(AppLog.Parcel parcel) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (InputStream file = Files.newInputStream(parcel.file());
        OutputStream gzip = new FastGzip(bytes)) {
      long left = parcel.size();
      byte[] piece = new byte[1 << 16];
      while (left > 0) {
        int read = file.read(piece, 0, (int) Math.min(piece.length, left));
        if (read < 0) {
          throw new IOException("%s has become shorter".formatted(parcel.file()));
        }
        gzip.write(piece, 0, read);
        left -= read;
      }
    }
    return bytes.toByteArray();
  }

  /** Compresses little and fast: who prints much has it sent as fast. */
  private static final class FastGzip extends GZIPOutputStream {
    private FastGzip(OutputStream to) throws IOException {
      super(to, 1 << 16);
      def.setLevel(Deflater.BEST_SPEED);
    }
  }

  /** Sends what is there, for some seconds at most; the next start sends the rest. */
  @Override
  public void close() {
    try {
      timer.submit(this::shipAllLast).get(CLOSE_PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException hurry) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException late) {
      LOG.warn("logs stay on this machine until its next start");
    } catch (RejectedExecutionException closed) {
      // It was closed before.
    } finally {
      timer.shutdownNow();
    }
  }

  private void shipAllLast() {
    try {
      book.logs().forEach(this::shipLast);
    } catch (IOException failure) {
      LOG.warn("logs can't be listed", failure);
    }
  }

  private void shipLast(String log) {
    if (!failing && (due.contains(log) || dueAtOnce.contains(log))) {
      ship(log);
    }
  }
}
