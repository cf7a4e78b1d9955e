package dev.troupe.persistence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import dev.troupe.actors.id.BlobId;
import dev.troupe.actors.id.Ids;
import dev.troupe.persistence.BlobSettings.Place;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where blobs are, as the person who starts a server meets it. */
class BlobPlacesTest {

  private static final PersistenceSettings EMBEDDED =
      PersistenceSettings.from(ConfigFactory.load().getConfig("troupe"));
  private static final BlobId BLOB = new BlobId(BlobId.PREFIX + Ids.contentKey("a"));

  private Path data;

  @BeforeEach
  void name(@TempDir Path directory) {
    data = directory.resolve("data");
  }

  private static BlobSettings url(String url) {
    return BlobSettings.from(
        ConfigFactory.parseMap(Map.of("troupe.blob.url", url))
            .withFallback(ConfigFactory.load())
            .getConfig("troupe"));
  }

  private static void refused(BlobSettings settings, Path directory, String... words) {
    assertThatThrownBy(() -> start(settings, directory).close())
        .isInstanceOf(StartRefused.class)
        .message()
        .contains(words)
        .doesNotContain(S3Proxy.SECRET);
  }

  private static Persistence start(BlobSettings settings, Path directory) {
    Persistence started = Persistence.start(EMBEDDED, settings, directory, "");
    started.formed();
    return started;
  }

  private static void keep(BlobSettings settings, Path directory) throws IOException {
    try (Persistence server = start(settings, directory)) {
      server.blobs().putPayload(BLOB, new ByteArrayInputStream(new byte[7]));
    }
  }

  @Test
  void whatIsNoAddressIsRefused() {
    for (String wrong :
        new String[] {"s3:bucket", "s3:///x", "ftp://x/y", "/srv/x", "file://h/x"}) {
      assertThatThrownBy(url(wrong)::place).hasMessageContaining("must be s3://BUCKET/PREFIX");
    }
    assertThat(url("s3://bucket").place()).isEqualTo(new Place.S3("bucket", ""));
    assertThat(url("s3://my.bucket/a/b/").place()).isEqualTo(new Place.S3("my.bucket", "a/b/"));
  }

  @Test
  void aBucketHoldsTheBlobsAndTheDataDirectoryNone() throws IOException {
    BlobSettings settings = S3Proxy.shared().settings();
    keep(settings, data);

    assertThat(data.resolve("blobs")).doesNotExist();
    try (Persistence again = start(settings, data)) {
      assertThat(again.blobs().payloadSize(BLOB)).contains(7L);
    }
  }

  @Test
  void wrongCredentialsAreRefused() {
    S3Proxy server = S3Proxy.shared();
    server.bucket("there");

    refused(
        server.settings("s3://there", Map.of("secret-access-key", "wrong")),
        data,
        "doesn't take these credentials (SignatureDoesNotMatch)",
        "troupe.blob.access-key-id");
    refused(
        server.settings("s3://there", Map.of("access-key-id", "nobody")),
        data,
        "doesn't take these credentials (InvalidAccessKeyId)");
  }

  @Test
  void aBucketThatIsNotThereIsRefused() {
    refused(
        S3Proxy.shared().settings("s3://nowhere", Map.of()),
        data,
        "There is no bucket nowhere at http://127.0.0.1:");
  }

  @Test
  void anAddressWhereNothingAnswersIsRefused() {
    refused(
        S3Proxy.shared().settings("s3://there", Map.of("endpoint", "http://127.0.0.1:1")),
        data,
        "S3 at http://127.0.0.1:1 can't be reached now",
        "troupe.blob.endpoint");
    refused(
        S3Proxy.shared().settings("s3://there", Map.of("endpoint", "127.0.0.1")),
        data,
        "troupe.blob.endpoint is '127.0.0.1'");
  }

  @Test
  void thePlaceOfAnotherServerIsRefused(@TempDir Path other, @TempDir Path directory)
      throws IOException {
    BlobSettings bucket = S3Proxy.shared().settings();
    keep(bucket, data);
    refused(bucket, other.resolve("one"), "a server with other keys");

    BlobSettings shared = url(directory.toUri().toString());
    keep(shared, other.resolve("two"));
    refused(shared, other.resolve("three"), "a server with other keys");
  }

  @Test
  void aSharedDirectoryHoldsTheBlobs(@TempDir Path directory) throws IOException {
    keep(url(directory.toUri().toString()), data);

    assertThat(data.resolve("blobs")).doesNotExist();
    try (var files = Files.walk(directory.resolve("payload"))) {
      assertThat(files.filter(Files::isRegularFile)).hasSize(1);
    }
    refused(url("file:///nowhere/at/all"), data, "There is no directory /nowhere/at/all");
  }

  @Test
  void aServerGoesOnWithThePlaceThatItBeganWith(@TempDir Path directory, @TempDir Path other)
      throws IOException {
    BlobSettings shared = url(directory.toUri().toString());
    keep(shared, data);
    refused(url(""), data, "The blobs of the data directory", "troupe.blob.url");

    keep(url(""), other);
    refused(shared, other, "has blobs of its own");
  }
}
