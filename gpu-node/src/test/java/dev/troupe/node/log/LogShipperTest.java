package dev.troupe.node.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.log.LogIntake;
import dev.troupe.protocol.link.FollowLogs;
import dev.troupe.protocol.link.LogBatch;
import dev.troupe.protocol.link.LogFilter;
import dev.troupe.protocol.link.LogLine;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogShipperTest {

  private static final String APP = "ap-1";
  private static final MachineId MACHINE = new MachineId("here");
  private static final Duration NEVER = Duration.ofDays(1);
  private static final Duration SOON = Duration.ofMillis(1);
  private static final String LONG = "x".repeat(4_000) + "\n";
  private static final long ROOM = 64L << 20;

  private final Path directory;
  private final Archive archive = new Archive();

  LogShipperTest(@TempDir Path directory) {
    this.directory = directory;
  }

  /** An archive that may be away. */
  private static final class Archive implements LogIntake {
    private final Map<Long, List<String>> segments = new TreeMap<>();
    private final BlockingQueue<Long> puts = new LinkedBlockingQueue<>();
    private int failures;

    @Override
    public synchronized void put(Segment segment, byte[] gzip) throws IOException {
      if (failures > 0) {
        failures--;
        throw new IOException("away");
      }
      assertThat(segment.machine()).isEqualTo(MACHINE);
      List<String> texts = new ArrayList<>();
      try (InputStream lines = new GZIPInputStream(new ByteArrayInputStream(gzip))) {
        for (LogLine line = LogLine.parseDelimitedFrom(lines);
            line != null;
            line = LogLine.parseDelimitedFrom(lines)) {
          texts.add(line.getText());
        }
      }
      segments.put(segment.first(), texts);
      puts.add(segment.first());
    }

    private synchronized List<String> all() {
      return segments.values().stream().flatMap(List::stream).toList();
    }

    private void awaitPut() throws InterruptedException {
      assertThat(puts.poll(20, TimeUnit.SECONDS)).isNotNull();
    }
  }

  private LogBook book(long limit) throws IOException {
    return new LogBook(
        directory.resolve("logs"), limit, new ContainerIndex(directory.resolve("ran")));
  }

  private LogShipper ship(LogBook book, Duration delay) throws IOException {
    return LogShipper.start(book, archive, MACHINE, delay);
  }

  private static void print(LogBook book, String... texts) {
    book.append(new LogBook.Printer(APP, "ta-1", "fu-1", 1), HeldInputs.Held.NONE, List.of(texts));
  }

  private List<Path> files(String suffix) throws IOException {
    try (Stream<Path> files = Files.list(directory.resolve("logs").resolve(APP))) {
      return files.filter(file -> file.toString().endsWith(suffix)).toList();
    }
  }

  @Test
  void aSegmentThatGrowsIsSentAgainAsOne() throws Exception {
    try (LogBook book = book(ROOM);
        LogShipper _ = ship(book, SOON)) {
      print(book, "one\n");
      archive.awaitPut();
      print(book, "two\n");
      archive.awaitPut();
      assertThat(archive.all()).containsExactly("one\n", "two\n");
      assertThat(archive.segments).hasSize(1);
    }
  }

  @Test
  void aFullSegmentIsSentAtOnce() throws Exception {
    try (LogBook book = book(ROOM);
        LogShipper shipper = ship(book, NEVER)) {
      for (int i = 0; i < 300; i++) {
        print(book, LONG);
      }
      archive.awaitPut();
      assertThat(archive.all()).hasSizeGreaterThan(200);
      shipper.close();
      assertThat(archive.all()).hasSize(300);
    }
  }

  @Test
  void anArchiveThatIsAwayIsAskedAgain() throws Exception {
    archive.failures = 3;
    try (LogBook book = book(ROOM);
        LogShipper _ = ship(book, SOON)) {
      print(book, "one\n");
      archive.awaitPut();
      assertThat(archive.all()).containsExactly("one\n");
    }
  }

  @Test
  void whatADeadAgentDidNotSendIsSentByTheNext() throws Exception {
    try (LogBook book = book(ROOM)) {
      print(book, "one\n");
    }
    try (LogBook book = book(ROOM);
        LogShipper _ = ship(book, SOON)) {
      archive.awaitPut();
      assertThat(archive.all()).containsExactly("one\n");
    }
  }

  @Test
  void aDeathBetweenTheArchiveAndTheNoteCostsARepeatOfTheSame() throws Exception {
    try (LogBook book = book(ROOM);
        LogShipper _ = ship(book, SOON)) {
      print(book, "one\n");
      archive.awaitPut();
    }
    for (Path note : files(".shipped")) {
      Files.writeString(note, "1");
    }
    try (LogBook book = book(ROOM);
        LogShipper _ = ship(book, SOON)) {
      archive.awaitPut();
      assertThat(archive.all()).containsExactly("one\n");
      assertThat(archive.segments).hasSize(1);
    }
  }

  @Test
  void whatWasSentIsNotSentAgain() throws Exception {
    try (LogBook book = book(ROOM);
        LogShipper _ = ship(book, SOON)) {
      print(book, "one\n");
      archive.awaitPut();
    }
    try (LogBook book = book(ROOM);
        LogShipper _ = ship(book, SOON)) {
      assertThat(book.unshipped(APP)).isEmpty();
      print(book, "two\n");
      archive.awaitPut();
      assertThat(archive.all()).containsExactly("one\n", "two\n");
    }
    assertThat(archive.puts).isEmpty();
  }

  @Test
  void whatGoesHereBySizeIsInTheArchiveAndNothingGoesWhileItIsRead() throws Exception {
    try (LogBook book = book(2 << 20);
        LogShipper shipper = ship(book, NEVER)) {
      AppLog log = kept(book);
      try (AppLog.Hold hold = log.hold()) {
        printMuch(book, 1_500);
        assertThat(log.heldFrom()).isEqualTo(hold.heldFrom());
        assertThat(files(".log")).hasSizeGreaterThan(4);
      }
      assertThat(files(".log")).hasSizeLessThan(4);
      assertThat(files(".shipped")).hasSizeLessThanOrEqualTo(files(".log").size());
      shipper.close();
      assertThat(archive.all()).hasSizeGreaterThan(1_400).allMatch(LONG::equals);
    }
  }

  private static AppLog kept(LogBook book) throws IOException {
    print(book, LONG);
    return Objects.requireNonNull(book.kept(APP));
  }

  private void printMuch(LogBook book, int lines) throws Exception {
    for (int i = 1; i <= lines; i++) {
      print(book, LONG);
      // Not ahead of the shipper by what a log of 2 MiB keeps; a segment holds 256 of these.
      while (i % 100 == 0 && archive.all().size() < i - 300) {
        archive.awaitPut();
      }
    }
  }

  private static FollowLogs.Builder follow(String id) {
    return FollowLogs.newBuilder()
        .setFollowId(id)
        .setAppId(APP)
        .setFilter(LogFilter.getDefaultInstance());
  }

  private static LogBatch next(BlockingQueue<LogBatch> batches) throws InterruptedException {
    LogBatch batch = batches.poll(20, TimeUnit.SECONDS);
    assertThat(batch).isNotNull();
    return batch;
  }

  @Test
  void aFollowerIsSentToTheArchiveForWhatIsNotHere() throws Exception {
    BlockingQueue<LogBatch> batches = new LinkedBlockingQueue<>();
    try (LogBook book = book(2 << 20);
        LogShipper _ = ship(book, NEVER)) {
      long first = kept(book).heldFrom();
      book.follow(follow("one").setArchivedTo(0).setCredit(9).build(), batches::add);
      assertThat(next(batches).getHeldFrom()).isEqualTo(first);

      book.follow(follow("two").setArchivedTo(first).setCredit(1).build(), batches::add);
      assertThat(next(batches).getLinesCount()).isEqualTo(1);
      printMuch(book, 1_500);
      book.credit("two", 100);
      LogBatch handedOver = next(batches);
      assertThat(handedOver.getFollowId()).isEqualTo("two");
      assertThat(handedOver.getHeldFrom()).isGreaterThan(first);
      assertThat(handedOver.getLinesList()).isEmpty();
    }
  }
}
