package dev.troupe.node.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.protocol.link.FindContainer;
import dev.troupe.protocol.link.FollowLogs;
import dev.troupe.protocol.link.LogBatch;
import dev.troupe.protocol.link.LogFilter;
import dev.troupe.protocol.link.LogLine;
import dev.troupe.protocol.link.LogsRead;
import dev.troupe.protocol.link.ReadLogs;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogBookTest {

  private static final String APP = "ap-1";
  private static final String CALL_KEYS = "f".repeat(22) + "c".repeat(22);

  private final Path directory;

  LogBookTest(@TempDir Path directory) {
    this.directory = directory;
  }

  private ContainerIndex index() throws IOException {
    return new ContainerIndex(directory.resolve("ran"));
  }

  private LogBook book(ContainerIndex index) throws IOException {
    return new LogBook(directory.resolve("logs"), 64L << 20, index);
  }

  private static void print(LogBook book, String task, String input, String... texts) {
    book.append(
        new LogBook.Printer(APP, task, "fu-1", 1), new HeldInputs.Held(input, ""), List.of(texts));
  }

  private static List<LogLine> read(LogReader reader, LogFilter filter, int newest)
      throws InterruptedException {
    BlockingQueue<LogsRead> answers = new LinkedBlockingQueue<>();
    reader.read(
        ReadLogs.newBuilder()
            .setReadId("r")
            .setAppId(APP)
            .setFilter(filter)
            .setUntilUs(Long.MAX_VALUE)
            .setNewest(newest)
            .setMostBytes(1L << 30)
            .build(),
        answers::add);
    List<LogLine> lines = new ArrayList<>();
    LogsRead answer;
    do {
      answer = next(answers);
      lines.addAll(answer.getLinesList());
    } while (!answer.getEnd());
    assertThat(answer.getFailure()).isEmpty();
    return lines;
  }

  private static <T> T next(BlockingQueue<T> queue) throws InterruptedException {
    T item = queue.poll(20, TimeUnit.SECONDS);
    assertThat(item).isNotNull();
    return item;
  }

  private static List<String> texts(List<LogLine> lines) {
    return lines.stream().map(LogLine::getText).toList();
  }

  @Test
  void linesAreFoundByEachFilter() throws Exception {
    ContainerIndex index = index();
    try (LogBook book = book(index)) {
      print(book, "ta-1", "in-" + CALL_KEYS + "0", "one\n", "two\n");
      print(book, "ta-2", "", "three\n");
      book.append(
          new LogBook.Printer(APP, "ta-2", "fu-2", 2),
          new HeldInputs.Held("", "fc-" + CALL_KEYS),
          List.of("four\n"));
      LogReader reader = new LogReader(book, index);

      assertThat(texts(read(reader, LogFilter.getDefaultInstance(), 10)))
          .containsExactly("one\n", "two\n", "three\n", "four\n");
      assertThat(texts(read(reader, LogFilter.newBuilder().setTaskId("ta-2").build(), 10)))
          .containsExactly("three\n", "four\n");
      assertThat(texts(read(reader, LogFilter.newBuilder().setSearchText("wo").build(), 10)))
          .containsExactly("two\n");
      assertThat(texts(read(reader, LogFilter.newBuilder().setStream(2).build(), 10)))
          .containsExactly("four\n");
      assertThat(texts(read(reader, LogFilter.newBuilder().addFunctionIds("fu-1").build(), 2)))
          .containsExactly("two\n", "three\n");
      assertThat(
              texts(read(reader, LogFilter.newBuilder().setCallId("fc-" + CALL_KEYS).build(), 10)))
          .containsExactly("one\n", "two\n", "four\n");
    }
  }

  @Test
  void linesAreCountedByTheirStreams() throws Exception {
    ContainerIndex index = index();
    try (LogBook book = book(index)) {
      print(book, "ta-1", "", "one\n", "two\n");
      book.append(
          new LogBook.Printer(APP, "ta-1", "fu-1", 2), HeldInputs.Held.NONE, List.of("oh\n"));
      BlockingQueue<LogsRead> answers = new LinkedBlockingQueue<>();
      new LogReader(book, index)
          .read(
              ReadLogs.newBuilder()
                  .setReadId("r")
                  .setAppId(APP)
                  .setUntilUs(Long.MAX_VALUE)
                  .setBucketUs(86_400_000_000L * 365 * 100)
                  .build(),
              answers::add);

      LogsRead answer = next(answers);
      assertThat(answer.getEnd()).isTrue();
      assertThat(answer.getCountsList()).hasSize(1);
      assertThat(answer.getCounts(0).getStdout()).isEqualTo(2);
      assertThat(answer.getCounts(0).getStderr()).isEqualTo(1);
    }
  }

  @Test
  void whatWasPrintedIsThereAfterAStartAndComesBeforeWhatIsPrintedThen() throws Exception {
    try (LogBook book = book(index())) {
      print(book, "ta-1", "", "before\n");
    }
    ContainerIndex index = index();
    try (LogBook again = book(index)) {
      print(again, "ta-2", "", "after\n");

      List<LogLine> lines = read(new LogReader(again, index), LogFilter.getDefaultInstance(), 10);
      assertThat(texts(lines)).containsExactly("before\n", "after\n");
      assertThat(lines.get(1).getNumber()).isGreaterThan(lines.get(0).getNumber());
      assertThat(lines.get(1).getTimeUs()).isGreaterThanOrEqualTo(lines.get(0).getTimeUs());
    }
  }

  @Test
  void aFollowerOfAContainerIsAtItsEndWhenThatHasEndedWhateverTheOthersDo() throws Exception {
    try (LogBook book = book(index())) {
      book.containerBegins(APP, "ta-1", "fu-1");
      book.containerBegins(APP, "ta-2", "fu-1");
      print(book, "ta-1", "", "mine\n");
      print(book, "ta-2", "", "not mine\n");
      BlockingQueue<LogBatch> batches = new LinkedBlockingQueue<>();
      book.follow(
          FollowLogs.newBuilder()
              .setFollowId("f")
              .setAppId(APP)
              .setFilter(LogFilter.newBuilder().setTaskId("ta-1"))
              .setCredit(100)
              .build(),
          batches::add);
      LogBatch first = next(batches);
      assertThat(texts(first.getLinesList())).containsExactly("mine\n");
      assertThat(first.getDrained()).isFalse();

      book.containerEnded(APP, "ta-1");

      assertThat(next(batches).getDrained()).isTrue();
    }
  }

  @Test
  void aFollowerGoesOnBehindTheLineThatItHad() throws Exception {
    try (LogBook book = book(index())) {
      print(book, "ta-1", "", "one\n", "two\n", "three\n");
      LogLine one = follow(book, 0, 0).getFirst();

      assertThat(texts(follow(book, one.getTimeUs(), one.getNumber())))
          .containsExactly("two\n", "three\n");
    }
  }

  private static List<LogLine> follow(LogBook book, long time, long number)
      throws InterruptedException {
    BlockingQueue<LogBatch> batches = new LinkedBlockingQueue<>();
    book.follow(
        FollowLogs.newBuilder()
            .setFollowId("f")
            .setAppId(APP)
            .setAfterTimeUs(time)
            .setAfterNumber(number)
            .setCredit(100)
            .build(),
        batches::add);
    return next(batches).getLinesList();
  }

  @Test
  void containersAreFoundWhileTheyRunWhenTheyAreGoneAndAfterAStart() throws Exception {
    try (LogBook book = book(index())) {
      book.containerBegins(APP, "ta-1", "fu-1");
      book.containerBegins(APP, "ta-2", "fu-1");
      book.containerEnded(APP, "ta-1");
    }
    ContainerIndex index = index();
    try (LogBook again = book(index)) {
      again.containerBegins(APP, "ta-3", "fu-1");
      LogReader reader = new LogReader(again, index);

      assertThat(find(reader, "ta-1").getContainer().getEndedUs()).isPositive();
      assertThat(find(reader, "ta-2").getContainer().getEndedUs()).isPositive();
      assertThat(find(reader, "ta-3").getContainer().getEndedUs()).isZero();
      assertThat(find(reader, "ta-3").getContainer().getAppId()).isEqualTo(APP);
      assertThat(find(reader, "ta-4").hasContainer()).isFalse();
    }
  }

  private static LogsRead find(LogReader reader, String task) throws InterruptedException {
    BlockingQueue<LogsRead> answers = new LinkedBlockingQueue<>();
    reader.find(FindContainer.newBuilder().setReadId("r").setTaskId(task).build(), answers::add);
    return next(answers);
  }

  @Test
  void nothingIsLeftOfAnAppWhoseLinesAreAllTooOld() throws Exception {
    ContainerIndex index = index();
    try (LogBook book = book(index)) {
      print(book, "ta-1", "", "old\n");

      book.sweep(Instant.now().minusSeconds(60));
      assertThat(read(new LogReader(book, index), LogFilter.getDefaultInstance(), 10)).hasSize(1);

      book.sweep(Instant.now().plusSeconds(60));
      assertThat(directory.resolve("logs").resolve(APP)).doesNotExist();
      assertThat(read(new LogReader(book, index), LogFilter.getDefaultInstance(), 10)).isEmpty();

      book.containerBegins(APP, "ta-2", "fu-1");
      book.sweep(Instant.now().plusSeconds(86_400 * 2));
      assertThat(directory.resolve("ran")).isEmptyDirectory();
      print(book, "ta-2", "", "new\n");
      assertThat(texts(read(new LogReader(book, index), LogFilter.getDefaultInstance(), 10)))
          .containsExactly("new\n");
    }
  }
}
