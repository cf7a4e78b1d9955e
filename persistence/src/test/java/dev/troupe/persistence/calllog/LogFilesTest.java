package dev.troupe.persistence.calllog;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.persistence.StartRefused;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The files of the write-ahead log, whole, cut off, changed and full. */
class LogFilesTest {

  private static final int SEGMENT = 4096;

  private Path directory;

  @BeforeEach
  void choose(@TempDir Path directory) {
    this.directory = directory;
  }

  private LogFiles open(long next) {
    return new LogFiles(directory, SEGMENT, next);
  }

  private static List<LogFrame.Row> row(String text) {
    return List.of(new LogFrame.Row(7, text.getBytes(UTF_8)));
  }

  private List<String> read() throws IOException {
    return LogFiles.read(directory).stream()
        .map(frame -> frame.number() + " " + new String(frame.rows().getFirst().changes(), UTF_8))
        .toList();
  }

  private List<Path> files() throws IOException {
    try (var entries = Files.list(directory)) {
      return entries.sorted().toList();
    }
  }

  private void change(Path file, int at, byte value) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    bytes[at] = value;
    Files.write(file, bytes);
  }

  @Test
  void whatWasAddedIsReadInItsOrder() throws IOException {
    try (LogFiles log = open(5)) {
      assertThat(log.append(row("five"))).isEqualTo(5);
      assertThat(log.append(row("six"))).isEqualTo(6);

      assertThat(read()).as("without a close, as after a kill").containsExactly("5 five", "6 six");
    }
  }

  @Test
  void aFrameHoldsTheRowsOfManyOwners() throws IOException {
    try (LogFiles log = open(1)) {
      log.append(List.of(new LogFrame.Row(1, new byte[] {1, 2}), new LogFrame.Row(2, new byte[0])));
    }

    LogFrame frame = LogFiles.read(directory).getFirst();

    assertThat(frame.rows()).extracting(LogFrame.Row::owner).containsExactly(1L, 2L);
    assertThat(frame.rows().getFirst().changes()).containsExactly(1, 2);
  }

  @Test
  void aFullFileIsFollowedByAnother_AndGoesOnceItsFramesAreNotNeeded() throws IOException {
    try (LogFiles log = open(1)) {
      for (int i = 0; i < 12; i++) {
        log.append(row("x".repeat(1000)));
      }
      assertThat(files()).hasSize(4);
      assertThat(read()).hasSize(12);

      log.release(2);
      assertThat(files()).hasSize(4);
      log.release(7);
      assertThat(files()).hasSize(2);
      log.release(12);
      assertThat(files()).as("the one that is written to stays").hasSize(1);
      assertThat(log.append(row("on"))).isEqualTo(13);
    }
  }

  @Test
  void aFrameBiggerThanAFileGetsOneOfItsSize() throws IOException {
    try (LogFiles log = open(1)) {
      log.append(row("a"));
      log.append(row("b".repeat(3 * SEGMENT)));
      log.append(row("c"));
    }

    assertThat(read()).hasSize(3).last().isEqualTo("3 c");
  }

  @Test
  void aCommitThatWasCutOffIsDropped() throws IOException {
    int end;
    try (LogFiles log = open(1)) {
      log.append(row("whole"));
      log.append(row("not acknowledged"));
      end = LogSegment.HEAD + new LogFrame(1, row("whole")).size();
    }
    change(files().getFirst(), end + 30, (byte) 0);

    assertThat(read()).containsExactly("1 whole");
  }

  @Test
  void aFrameThatChangedBeforeAWholeOneIsReported() throws IOException {
    try (LogFiles log = open(1)) {
      log.append(row("acknowledged"));
      log.append(row("acknowledged too"));
    }
    change(files().getFirst(), LogSegment.HEAD + 30, (byte) '?');

    assertThatThrownBy(this::read)
        .isInstanceOf(StartRefused.class)
        .hasMessageContaining("is damaged")
        .hasMessageContaining(files().getFirst().toString());
  }

  @Test
  void theEndOfAFileThatHasAFollowerIsReportedWhereItChanged() throws IOException {
    try (LogFiles log = open(1)) {
      log.append(row("x".repeat(3000)));
      log.append(row("y".repeat(3000)));
    }
    change(files().getFirst(), LogSegment.HEAD + 30, (byte) '?');

    assertThatThrownBy(this::read).isInstanceOf(StartRefused.class);
  }

  @Test
  void afterAWriteThatFailedTheNextGoesToANewFile_AndCountsInItsPlace() throws IOException {
    try (LogFiles log = open(1)) {
      log.append(row("one"));
      Thread.currentThread().interrupt();
      assertThatThrownBy(() -> log.append(row("lost")))
          .isInstanceOf(ClosedByInterruptException.class);
      assertThat(Thread.interrupted()).isTrue();

      assertThat(log.append(row("two"))).isEqualTo(2);
      assertThat(log.append(row("three"))).isEqualTo(3);
    }
    assertThat(files()).hasSize(2);

    assertThat(read()).containsExactly("1 one", "2 two", "3 three");
  }

  @Test
  void whatTheDiskHasOfAFailedWriteDoesNotCount() throws IOException {
    try (LogFiles log = open(1)) {
      log.append(row("one"));
      log.append(row("failed, and there all the same"));
    }
    try (LogFiles log = open(2)) {
      log.append(row("two"));
    }

    assertThat(read()).containsExactly("1 one", "2 two");
  }

  @Test
  void aDirectoryThatIsAwayIsAnErrorUntilItIsBack() throws IOException {
    Path inner = directory.resolve("inner");
    try (LogFiles log = new LogFiles(inner, SEGMENT, 1)) {
      assertThatThrownBy(() -> log.append(row("early"))).isInstanceOf(IOException.class);
      Files.createDirectory(inner);
      assertThat(log.append(row("now"))).isEqualTo(1);
    }
  }

  @Test
  void clearingLeavesNothing() throws IOException {
    LogFiles log = open(1);
    log.append(row("a"));
    Files.createFile(directory.resolve("left.log.tmp"));

    log.clear();

    assertThat(files()).isEmpty();
    assertThat(log.append(row("b"))).as("and goes on").isEqualTo(2);
    log.close();
  }

  @Test
  void aFileOfAnotherKindIsNamed() throws IOException {
    Files.writeString(directory.resolve("0.log"), "something else");

    assertThatThrownBy(this::read).isInstanceOf(IOException.class).hasMessageContaining("0.log");
  }
}
