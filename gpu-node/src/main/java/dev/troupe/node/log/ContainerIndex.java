package dev.troupe.node.log;

import dev.troupe.protocol.link.ContainerRecord;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The containers that ran on this machine, those that are gone included: a file a day, to which
 * each is written when it begins and when it ends.
 */
public final class ContainerIndex implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(ContainerIndex.class);
  private static final String SUFFIX = ".containers";

  private final Path directory;
  private final long startedUs = nowUs();
  private final Map<String, ContainerRecord> running = new HashMap<>();
  private @Nullable OutputStream today;
  private @Nullable LocalDate day;

  /**
   * @param directory a file a day is made in it
   */
  public ContainerIndex(Path directory) throws IOException {
    this.directory = directory;
    Files.createDirectories(directory);
  }

  /** A container begins. */
  synchronized void begins(String taskId, String appId, String functionId) {
    ContainerRecord container =
        ContainerRecord.newBuilder()
            .setTaskId(taskId)
            .setAppId(appId)
            .setFunctionId(functionId)
            .setBeganUs(nowUs())
            .build();
    running.put(taskId, container);
    write(container);
  }

  /** A container has ended. */
  synchronized void ended(String taskId) {
    ContainerRecord container = running.remove(taskId);
    if (container != null) {
      write(container.toBuilder().setEndedUs(nowUs()).build());
    }
  }

  private void write(ContainerRecord container) {
    try {
      LocalDate now = LocalDate.now(ZoneOffset.UTC);
      if (today == null || !now.equals(day)) {
        close();
        today =
            Files.newOutputStream(
                directory.resolve(now + SUFFIX),
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
        day = now;
      }
      container.writeDelimitedTo(today);
    } catch (IOException failure) {
      LOG.warn("container {} will not be found by its id later", container.getTaskId(), failure);
    }
  }

  /** A container; null where it never was here, or was forgotten. */
  @Nullable ContainerRecord find(String taskId) throws IOException {
    ContainerRecord now = running(taskId);
    if (now != null) {
      return now;
    }
    for (Path file : days().reversed()) {
      ContainerRecord found = find(file, taskId);
      if (found != null) {
        // One that has no end was swept when this agent started, since the one before it died.
        return found.getEndedUs() == 0 ? found.toBuilder().setEndedUs(startedUs).build() : found;
      }
    }
    return null;
  }

  private synchronized @Nullable ContainerRecord running(String taskId) {
    return running.get(taskId);
  }

  private static @Nullable ContainerRecord find(Path file, String taskId) throws IOException {
    ContainerRecord last = null;
    try (InputStream records = new BufferedInputStream(Files.newInputStream(file))) {
      for (ContainerRecord next = ContainerRecord.parseDelimitedFrom(records);
          next != null;
          next = ContainerRecord.parseDelimitedFrom(records)) {
        last = next.getTaskId().equals(taskId) ? next : last;
      }
    }
    return last;
  }

  private List<Path> days() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(file -> file.toString().endsWith(SUFFIX)).sorted().toList();
    }
  }

  /** Forgets containers of days before {@code oldest}. */
  void sweep(Instant oldest) throws IOException {
    LocalDate first = LocalDate.ofInstant(oldest, ZoneOffset.UTC);
    for (Path file : days()) {
      String name = file.getFileName().toString();
      try {
        String date = name.substring(0, name.length() - SUFFIX.length());
        if (LocalDate.parse(date).isBefore(first)) {
          Files.deleteIfExists(file);
        }
      } catch (DateTimeParseException foreign) {
        LOG.warn("{} is no file of this agent's", file);
      }
    }
  }

  private static long nowUs() {
    return System.currentTimeMillis() * 1_000;
  }

  @Override
  public synchronized void close() throws IOException {
    if (today != null) {
      today.close();
      today = null;
    }
  }
}
