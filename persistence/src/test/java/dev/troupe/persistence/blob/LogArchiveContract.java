package dev.troupe.persistence.blob;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.log.LogArchive;
import dev.troupe.actors.log.LogIntake.Segment;
import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;

/** What every archive of logs does. */
abstract class LogArchiveContract {

  static final String APP = "ap-0000000000000000000001";
  static final MachineId ODD = new MachineId("../a machine/über");
  static final long MUCH = 1L << 40;

  /** The archive, empty at first. */
  abstract LogArchive archive();

  static Segment segment(long first) {
    return new Segment(APP, ODD, first, first * 1_000);
  }

  static byte[] gzip(byte[] content) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
      gzip.write(content);
    }
    return bytes.toByteArray();
  }

  static byte[] gzip(String content) throws IOException {
    return gzip(content.getBytes(UTF_8));
  }

  String content(Segment segment) throws IOException {
    try (InputStream bytes = archive().open(segment)) {
      return new String(bytes.readAllBytes(), UTF_8);
    }
  }

  @Test
  void whatWasPutIsListedInOrderAndRead() throws Exception {
    archive().put(segment(20), gzip("later"));
    archive().put(segment(3), gzip("earlier"));

    assertThat(archive().list(APP)).containsExactly(segment(3), segment(20));
    assertThat(content(segment(3))).isEqualTo("earlier");
    assertThat(archive().list("ap-another")).isEmpty();
    assertThatThrownBy(() -> archive().open(segment(4))).isInstanceOf(FileNotFoundException.class);
  }

  @Test
  void aSegmentThatHasGrownTakesThePlaceAndALateShorterOneChangesNothing() throws Exception {
    archive().put(segment(1), gzip("one "));
    archive().put(segment(1), gzip("one two "));
    archive().put(segment(1), gzip("one "));

    assertThat(archive().list(APP)).hasSize(1);
    assertThat(content(segment(1))).isEqualTo("one two ");
  }

  @Test
  void theOldestOfALogGoBySize() throws Exception {
    Random random = new Random(1);
    for (int i = 1; i <= 4; i++) {
      byte[] noise = new byte[10_000];
      random.nextBytes(noise);
      archive().put(segment(i), gzip(noise));
    }
    archive().sweep(Instant.EPOCH, 25_000);
    assertThat(archive().list(APP)).containsExactly(segment(3), segment(4));
  }

  @Test
  void oldOnesGoAndOthersStay() throws Exception {
    archive().put(segment(1), gzip("one"));
    archive().sweep(Instant.EPOCH, MUCH);
    assertThat(archive().list(APP)).hasSize(1);

    archive().sweep(Instant.now().plusSeconds(60), MUCH);
    assertThat(archive().list(APP)).isEmpty();
  }
}
