package dev.troupe.persistence.blob;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.actors.blob.BlobStore;
import dev.troupe.persistence.BlobSettings;
import dev.troupe.persistence.BlobSettings.Place;
import dev.troupe.persistence.S3Proxy;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.MultipartUpload;

class S3BlobStoreTest extends BlobStoreContract {

  private final S3Proxy server = S3Proxy.shared();
  private final BlobSettings settings = server.settings();
  private Path spool;
  private Path objects;
  private BlobHome home;

  @BeforeEach
  void open(@TempDir Path directory) throws IOException {
    spool = directory.resolve("spool");
    Place.S3 place = (Place.S3) settings.place();
    objects = server.bucket(place.bucket()).resolve("some/prefix");
    home = S3Connection.open(settings, place, spool, "us");
  }

  @AfterEach
  void close() throws Exception {
    home.closing().close();
  }

  @Override
  BlobStore store() {
    return home.blobs();
  }

  @Override
  Instant time() {
    return Instant.now();
  }

  @Override
  List<String> kept() throws IOException {
    try (var files = Files.walk(objects)) {
      return files
          .filter(Files::isRegularFile)
          .map(file -> objects.relativize(file).toString())
          .filter(name -> !name.equals(BlobHome.OWNER) && !name.contains(".mpus-"))
          .toList();
    }
  }

  @Test
  void damagedContentIsFoundAndAskedForAgain() throws IOException {
    store().putContent(sha256("hello"), bytes("hello"));
    Path object =
        objects.resolve("content/" + sha256("hello").substring(0, 2)).resolve(sha256("hello"));
    Files.writeString(object, "hellO");

    assertThatThrownBy(() -> read(store().open(sha256("hello"))))
        .hasMessageContaining(sha256("hello") + " was damaged");
    assertThat(store().missingContent(List.of(sha256("hello")))).hasSize(1);
  }

  @Test
  void anUploadThatNobodyCompletedIsGivenUpLater() throws IOException {
    Place.S3 place = (Place.S3) settings.place();
    try (S3Client client = S3Connection.client(settings);
        S3Bucket bucket =
            new S3Bucket(client, place.bucket(), place.prefix(), Duration.ofSeconds(20))) {
      bucket.begin("payload/bl-half");

      store().payloadsOlderThan(Instant.now().minusSeconds(60), 10);
      assertThat(begun(client, place)).hasSize(1);
      store().payloadsOlderThan(Instant.now().plusSeconds(60), 10);
      assertThat(begun(client, place)).isEmpty();
    }
  }

  private static List<MultipartUpload> begun(S3Client client, Place.S3 place) {
    return client.listMultipartUploads(request -> request.bucket(place.bucket())).uploads();
  }

  /** What was read lately needs no S3; what needs it fails in time, and goes on afterwards. */
  @Test
  void aServerThatStopsFailsRequestsInTimeAndLosesNothing() throws Exception {
    try (S3Proxy own = S3Proxy.own()) {
      own.bucket("bucket");
      BlobSettings hasty = own.settings("s3://bucket", Map.of("patience", "1 s"));
      BlobHome opened = S3Connection.open(hasty, (Place.S3) hasty.place(), spool, "us");
      BlobStore store = opened.blobs();
      store.putContent(sha256("hello"), bytes("hello"));
      store.putPayload(blob("before"), bytes("before"));
      assertThat(read(store.open(sha256("hello")))).isEqualTo("hello");

      own.freeze(true);
      long began = System.nanoTime();
      assertThatThrownBy(() -> store.putPayload(blob("a"), bytes("kept")))
          .isInstanceOf(BlobStore.Away.class)
          .hasMessageContaining("blob store can't keep payload/");
      assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(5));
      assertThat(read(store.open(sha256("hello")))).isEqualTo("hello");
      own.freeze(false);

      store.putPayload(blob("a"), bytes("kept"));
      assertThat(read(store.openPayload(blob("a"), 0))).isEqualTo("kept");
      assertThat(read(store.openPayload(blob("before"), 0))).isEqualTo("before");

      own.kill();
      assertThatThrownBy(() -> store.payloadSize(blob("a"))).isInstanceOf(BlobStore.Away.class);
      opened.closing().close();
    }
  }

  @Test
  void aBrokenConnectionIsMadeAgainWhereItBroke() throws Exception {
    byte[] much = new byte[8 << 20];
    new Random(9).nextBytes(much);
    store().putPayload(blob("much"), new ByteArrayInputStream(much));
    Place.S3 place = (Place.S3) settings.place();
    try (Cutter cutter = new Cutter(server.endpoint(), 3 << 20)) {
      BlobSettings through = server.settings(settings.url(), Map.of("endpoint", cutter.endpoint()));
      BlobHome opened = S3Connection.open(through, place, spool, "us");
      try (InputStream payload = opened.blobs().openPayload(blob("much"), 0)) {
        assertThat(hex("SHA-256", payload.readAllBytes())).isEqualTo(hex("SHA-256", much));
      }
      assertThat(cutter.cuts()).isEqualTo(2);
      opened.closing().close();
    }
  }

  @Test
  void nothingOfAnUploadStaysOnThisMachine() throws IOException {
    store().putPayload(blob("a"), bytes("x".repeat(100_000)));

    assertThat(spool).isEmptyDirectory();
  }
}
