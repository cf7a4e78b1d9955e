package dev.troupe.gateway.link;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.log.LogIntake.Segment;
import dev.troupe.gateway.link.LogFeed.Batch;
import dev.troupe.gateway.link.LogFeed.Position;
import dev.troupe.gateway.link.LogHistory.Range;
import dev.troupe.gateway.testing.InMemoryLogArchive;
import dev.troupe.protocol.link.FollowLogs;
import dev.troupe.protocol.link.LogBatch;
import dev.troupe.protocol.link.LogCount;
import dev.troupe.protocol.link.LogFilter;
import dev.troupe.protocol.link.LogLine;
import dev.troupe.protocol.link.LogsRead;
import dev.troupe.protocol.link.ToMachine;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import java.util.zip.GZIPOutputStream;
import org.apache.pekko.stream.BoundedSourceQueue;
import org.apache.pekko.stream.QueueOfferResult;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Lines that are in the archive, on a machine, or in both are read once and in order. */
class ArchiveSeamTest {

  private static final String APP = "ap-0000000000000000000001";
  private static final MachineId HERE = new MachineId("here");
  private static final MachineId AWAY = new MachineId("away");
  private static final LogFilter ALL = LogFilter.getDefaultInstance();
  private static final Range EVER = new Range(0, Long.MAX_VALUE);

  private final InMemoryLogArchive archive = new InMemoryLogArchive();
  private final LogReads reads = new LogReads(archive, Runnable::run);
  private final List<ToMachine> asked = new ArrayList<>();

  /** Lines 1 to 10 of a machine that still holds those from 6 on, and two of one that is away. */
  @BeforeEach
  void archive() throws IOException {
    put(HERE, 1, 2, 3);
    put(HERE, 4, 5);
    put(HERE, 6, 7, 8);
    put(AWAY, 20, 21);
  }

  private void put(MachineId machine, long... numbers) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
      for (long number : numbers) {
        line(number).writeDelimitedTo(gzip);
      }
    }
    archive.put(new Segment(APP, machine, numbers[0], numbers[0]), bytes.toByteArray());
  }

  private static LogLine line(long number) {
    return LogLine.newBuilder()
        .setNumber(number)
        .setTimeUs(number)
        .setStream(number % 2 == 0 ? 2 : 1)
        .setText("line " + number)
        .build();
  }

  private static List<LogLine> lines(long first, long last) {
    return LongStream.rangeClosed(first, last).mapToObj(ArchiveSeamTest::line).toList();
  }

  private static List<Long> numbers(List<LogLine> lines) {
    return lines.stream().map(LogLine::getNumber).toList();
  }

  private void answer(LogsRead.Builder answer) {
    reads.received(
        HERE,
        answer
            .setReadId(asked.getLast().getReadLogs().getReadId())
            .setEnd(true)
            .setHeldFrom(6)
            .build());
  }

  @Test
  void aHistoryHasEachLineOnceOnBothSidesOfTheSeam() {
    reads.linked(HERE, asked::add);
    var all = reads.newest(APP, ALL, EVER, 100);
    answer(LogsRead.newBuilder().addAllLines(lines(6, 10)));
    assertThat(numbers(all.toCompletableFuture().join()))
        .containsExactly(1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L, 10L, 20L, 21L);

    var some = reads.newest(APP, ALL, new Range(2, 21), 8);
    answer(LogsRead.newBuilder().addAllLines(lines(6, 10)));
    assertThat(numbers(some.toCompletableFuture().join()))
        .containsExactly(4L, 5L, 6L, 7L, 8L, 9L, 10L, 20L);
  }

  @Test
  void countsAreOfEachLineOnce() {
    reads.linked(HERE, asked::add);
    var counts = reads.count(APP, ALL, EVER, 1_000);
    answer(LogsRead.newBuilder().addCounts(LogCount.newBuilder().setStdout(2).setStderr(3)));
    assertThat(counts.toCompletableFuture().join())
        .containsExactly(LogCount.newBuilder().setStdout(6).setStderr(6).build());
  }

  @Test
  void aMachineThatIsAwayIsReadFromTheArchiveWithFilters() {
    LogFilter filter = LogFilter.newBuilder().setSearchText("line 2").setStream(2).build();
    assertThat(numbers(reads.newest(APP, filter, EVER, 9).toCompletableFuture().join()))
        .containsExactly(2L, 20L);
  }

  // ---- followers

  /** What a reader was given. */
  private static final class Given implements BoundedSourceQueue<Batch> {
    private final List<Long> numbers = new ArrayList<>();
    private boolean over;

    @Override
    public QueueOfferResult offer(Batch batch) {
      numbers.addAll(ArchiveSeamTest.numbers(batch.lines()));
      return QueueOfferResult.enqueued();
    }

    @Override
    public void complete() {
      over = true;
    }

    @Override
    public void fail(Throwable failure) {
      throw new AssertionError(failure);
    }

    @Override
    public int size() {
      return 0;
    }

    @Override
    public boolean isCompleted() {
      return over;
    }
  }

  private final Given given = new Given();

  private LogFollow follow(MachineId machine, Position after, boolean archivedOnly) {
    return new LogFollow(
        new LogFollow.Wish(machine, new AppId(APP), ALL, archivedOnly),
        after,
        given,
        new ArchivedLogs(archive),
        Runnable::run);
  }

  private FollowLogs lastAsked() {
    return asked.getLast().getFollow();
  }

  private LogBatch.Builder batch() {
    return LogBatch.newBuilder().setFollowId(lastAsked().getFollowId());
  }

  @Test
  void aFollowerGoesFromTheArchiveToTheMachineAndBackWhereItFellBehind() throws Exception {
    LogFollow follow = follow(HERE, Position.START, false);
    follow.subscribe(asked::add);
    assertThat(lastAsked().getArchivedTo()).isZero();
    follow.received(batch().setHeldFrom(4).build());
    assertThat(given.numbers).containsExactly(1L, 2L, 3L);
    assertThat(lastAsked().getArchivedTo()).isEqualTo(4);
    assertThat(lastAsked().getAfterNumber()).isEqualTo(3);

    follow.received(batch().addLines(line(4)).build());
    follow.received(batch().setHeldFrom(9).build());
    assertThat(given.numbers).containsExactly(1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L);
    follow.received(batch().addAllLines(lines(9, 10)).setDrained(true).build());
    assertThat(given.numbers).endsWith(9L, 10L).doesNotHaveDuplicates();
    assertThat(given.over).isTrue();
  }

  @Test
  void aReaderThatComesBackGoesOnBehindItsLastLine() {
    LogFollow follow = follow(HERE, new Position(5, 5), false);
    follow.subscribe(asked::add);
    follow.received(batch().setHeldFrom(9).build());
    assertThat(given.numbers).containsExactly(6L, 7L, 8L);
  }

  @Test
  void theLinesOfAMachineThatIsAwayComeFromTheArchive() {
    LogFollow follow = follow(AWAY, Position.START, true);
    follow.readArchive();
    assertThat(given.numbers).containsExactly(20L, 21L);
    assertThat(given.over).isTrue();
  }

  @Test
  void aMachineThatComesBackGoesOnBehindWhatTheArchiveGave() {
    LogFollow follow = follow(HERE, Position.START, false);
    follow.readArchive();
    assertThat(given.numbers).endsWith(8L).hasSize(8);
    follow.subscribe(asked::add);
    assertThat(lastAsked().getAfterNumber()).isEqualTo(8);
    follow.received(batch().setHeldFrom(6).build());
    assertThat(given.numbers).hasSize(8);
    assertThat(lastAsked().getArchivedTo()).isEqualTo(6);
  }
}
