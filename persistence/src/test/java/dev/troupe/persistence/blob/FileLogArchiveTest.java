package dev.troupe.persistence.blob;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.actors.log.LogArchive;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileLogArchiveTest extends LogArchiveContract {

  private final Path blobs;
  private Instant now = Instant.parse("2026-11-24T12:00:00Z");
  private FileLogArchive archive;

  FileLogArchiveTest(@TempDir Path directory) throws IOException {
    blobs = directory.resolve("blobs");
    archive = open();
  }

  private FileLogArchive open() throws IOException {
    return FileLogArchive.open(blobs, Sharing.PRIVATE, () -> now);
  }

  @Override
  LogArchive archive() {
    return archive;
  }

  @Test
  void whatWasPutIsListedInOrderAndReadAfterANextStart() throws Exception {
    archive.put(segment(20), gzip("later"));
    archive.put(segment(3), gzip("earlier"));
    archive = open();

    assertThat(archive.list(APP)).containsExactly(segment(3), segment(20));
    assertThat(content(segment(3))).isEqualTo("earlier");
    assertThat(archive.list("ap-another")).isEmpty();
    assertThat(blobs.resolve("logs").resolve(APP)).isDirectoryContaining("glob:**/m-*");
  }

  @Test
  void whatADeathLeftAsideIsNoSegment() throws Exception {
    Files.write(blobs.resolve("logs-aside").resolve("half"), new byte[] {1, 2});
    archive = open();

    assertThat(archive.list(APP)).isEmpty();
    assertThat(blobs.resolve("logs-aside")).isEmptyDirectory();
  }

  @Test
  void oldOnesGoAndSoDoesAllThatIsLeftOfThem() throws Exception {
    archive.put(segment(1), gzip("old"));
    now = now.plus(Duration.ofDays(31));
    archive.put(segment(2), gzip("new"));
    archive.sweep(now.minus(Duration.ofDays(30)), MUCH);
    assertThat(archive.list(APP)).containsExactly(segment(2));
    assertThatThrownBy(() -> archive.open(segment(1))).isInstanceOf(FileNotFoundException.class);

    archive.sweep(now.plusSeconds(1), MUCH);
    assertThat(blobs.resolve("logs")).isEmptyDirectory();
  }
}
