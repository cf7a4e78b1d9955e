package dev.troupe.node.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.troupe.node.log.AppLog.Position;
import dev.troupe.node.log.AppLog.Range;
import dev.troupe.protocol.link.LogLine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AppLogTest {

  private static final Range EVER = new Range(0, Long.MAX_VALUE);
  private static final long MUCH = 1L << 40;

  /** A segment has this many lines of {@link #LONG}, and a few more. */
  private static final int SEGMENT_LINES = 300;

  private static final String LONG = "x".repeat(16_000);

  private final Path directory;

  AppLogTest(@TempDir Path directory) {
    this.directory = directory;
  }

  private AppLog log() throws IOException {
    return new AppLog(directory, 64L << 20);
  }

  private static LogLine line(long number, String text) {
    return LogLine.newBuilder().setTimeUs(number * 10).setNumber(number).setText(text).build();
  }

  private static List<LogLine> lines(long first, long count, String text) {
    return LongStream.range(first, first + count).mapToObj(at -> line(at, text)).toList();
  }

  private static List<Long> numbers(List<LogLine> lines) {
    return lines.stream().map(LogLine::getNumber).toList();
  }

  @Test
  void givesTheNewestLinesOfAStretchOfTimeInTheirOrder() throws Exception {
    AppLog log = log();
    log.append(lines(1, 100, "text\n"));

    assertThat(numbers(log.newest(EVER, 3, MUCH, _ -> true))).containsExactly(98L, 99L, 100L);
    assertThat(numbers(log.newest(new Range(200, 230), 10, MUCH, _ -> true)))
        .containsExactly(20L, 21L, 22L);
    assertThat(numbers(log.newest(EVER, 2, MUCH, line -> line.getNumber() % 7 == 0)))
        .containsExactly(91L, 98L);
  }

  @Test
  void readsOnlyTheSegmentsOfTheTimeAskedFor() throws Exception {
    AppLog log = log();
    for (long first = 1; first < 4 * SEGMENT_LINES; first += 10) {
      log.append(lines(first, 10, LONG));
    }
    List<Path> segments = AppLog.files(directory).stream().sorted().toList();
    assertThat(segments).hasSizeGreaterThan(2);
    long second = AppLog.firstNumber(segments.get(1));
    // Whoever opens one of the others fails.
    for (int i = 0; i < segments.size(); i++) {
      if (i != 1) {
        Files.delete(segments.get(i));
        Files.createDirectory(segments.get(i));
      }
    }

    Range within = new Range((second + 1) * 10, (second + 5) * 10);
    List<Long> read = numbers(log.newest(within, 100, MUCH, _ -> true));

    assertThat(read).containsExactly(second + 1, second + 2, second + 3, second + 4);
    List<Long> each = new ArrayList<>();
    log.each(within, _ -> true, line -> each.add(line.getNumber()));
    assertThat(each).isEqualTo(read);
  }

  @Test
  void refusesMoreBytesThanFit() throws Exception {
    AppLog log = log();
    log.append(lines(1, 100, LONG));

    assertThatExceptionOfType(AppLog.TooManyBytes.class)
        .isThrownBy(() -> log.newest(EVER, 100, 100_000, _ -> true));
    assertThat(log.newest(EVER, 5, 100_000, _ -> true)).hasSize(5);
  }

  @Test
  void passesOverTheHalfLineThatACrashLeft() throws Exception {
    try (var closed = new Closing(log())) {
      closed.log.append(lines(1, 3, "whole\n"));
    }
    Path segment = AppLog.files(directory).getFirst();
    Files.write(segment, new byte[] {120, 8, 1}, StandardOpenOption.APPEND);

    AppLog again = log();
    again.append(lines(10, 2, "later\n"));

    assertThat(numbers(again.newest(EVER, 10, MUCH, _ -> true)))
        .containsExactly(1L, 2L, 3L, 10L, 11L);
    assertThat(numbers(again.read(Position.START, 10, _ -> true).lines()))
        .containsExactly(1L, 2L, 3L, 10L, 11L);
  }

  @Test
  void aReaderGoesOnWhereItIsPageByPage() throws Exception {
    AppLog log = log();
    log.append(lines(1, 500, LONG));
    List<LogLine> read = new ArrayList<>();
    Position position = log.behind(0, 0);
    while (log.bytesAfter(position) > 0) {
      AppLog.Page page = log.read(position, 7, _ -> true);
      read.addAll(page.lines());
      position = page.next();
    }

    assertThat(numbers(read)).isEqualTo(LongStream.rangeClosed(1, 500).boxed().toList());
  }

  @Test
  void aFewWantedLinesAmongManyAreFound() throws Exception {
    AppLog log = log();
    log.append(lines(1, 500, LONG));
    List<LogLine> read = new ArrayList<>();
    Position position = Position.START;
    while (log.bytesAfter(position) > 0) {
      AppLog.Page page = log.read(position, 10, line -> line.getNumber() % 100 == 0);
      read.addAll(page.lines());
      position = page.next();
    }

    assertThat(numbers(read)).containsExactly(100L, 200L, 300L, 400L, 500L);
  }

  @Test
  void anAppWithManyShortContainersHasOneFile() throws Exception {
    AppLog log = log();
    for (int container = 0; container < 20; container++) {
      log.append(lines(1 + container, 1, "hello\n"));
      log.close();
    }

    assertThat(AppLog.files(directory)).hasSize(1);
    assertThat(log.newest(EVER, 100, MUCH, _ -> true)).hasSize(20);
  }

  @Test
  void whatIsTooOldGoes() throws Exception {
    AppLog log = log();
    log.append(lines(1, 300, LONG));
    log.append(lines(1_000, 2, "new\n"));
    Path oldest = directory.resolve("1.log");
    Files.setLastModifiedTime(oldest, FileTime.from(Instant.now().minusSeconds(3_600)));

    log.removeBefore(Instant.now().minusSeconds(60));

    assertThat(numbers(log.newest(EVER, 10, MUCH, _ -> true))).containsExactly(1_000L, 1_001L);
    assertThat(log.isEmpty()).isFalse();
    log.removeBefore(Instant.now().plusSeconds(60));
    assertThat(log.isEmpty()).isTrue();
    assertThat(AppLog.files(directory)).isEmpty();
    log.append(lines(2_000, 1, "again\n"));
    assertThat(numbers(log.newest(EVER, 10, MUCH, _ -> true))).containsExactly(2_000L);
  }

  private record Closing(AppLog log) implements AutoCloseable {
    @Override
    public void close() throws IOException {
      log.close();
    }
  }
}
