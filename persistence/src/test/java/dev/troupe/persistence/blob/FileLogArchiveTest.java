package dev.troupe.persistence.blob;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.log.LogIntake.Segment;
import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileLogArchiveTest {

  private static final String APP = "ap-0000000000000000000001";
  private static final MachineId ODD = new MachineId("../a machine/über");
  private static final long MUCH = 1L << 40;

  private final Path blobs;
  private Instant now = Instant.parse("2026-11-24T12:00:00Z");
  private FileLogArchive archive;

  FileLogArchiveTest(@TempDir Path directory) throws IOException {
    blobs = directory.resolve("blobs");
    archive = open();
  }

  private FileLogArchive open() throws IOException {
    return FileLogArchive.open(blobs, () -> now, false);
  }

  private static Segment segment(long first) {
    return new Segment(APP, ODD, first, first * 1_000);
  }

  private static byte[] gzip(byte[] content) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
      gzip.write(content);
    }
    return bytes.toByteArray();
  }

  private static byte[] gzip(String content) throws IOException {
    return gzip(content.getBytes(UTF_8));
  }

  private String content(Segment segment) throws IOException {
    try (InputStream bytes = archive.open(segment)) {
      return new String(bytes.readAllBytes(), UTF_8);
    }
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
  void aSegmentThatHasGrownTakesThePlaceAndALateShorterOneChangesNothing() throws Exception {
    archive.put(segment(1), gzip("one "));
    archive.put(segment(1), gzip("one two "));
    archive.put(segment(1), gzip("one "));

    assertThat(archive.list(APP)).hasSize(1);
    assertThat(content(segment(1))).isEqualTo("one two ");
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

  @Test
  void theOldestOfALogGoBySize() throws Exception {
    Random random = new Random(1);
    for (int i = 1; i <= 4; i++) {
      byte[] noise = new byte[10_000];
      random.nextBytes(noise);
      archive.put(segment(i), gzip(noise));
    }
    archive.sweep(Instant.EPOCH, 25_000);
    assertThat(archive.list(APP)).containsExactly(segment(3), segment(4));
  }
}
