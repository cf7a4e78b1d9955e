package dev.troupe.persistence.blob;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.actors.blob.BlobStore;
import dev.troupe.actors.id.BlobId;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileBlobStoreTest extends BlobStoreContract {

  private static final Instant MORNING = Instant.parse("2026-11-24T08:00:00Z");

  private Instant now = MORNING;
  private Path root;
  private FileBlobStore store;

  @BeforeEach
  void open(@TempDir Path directory) throws IOException {
    root = directory.resolve("blobs");
    store = FileBlobStore.open(root, Sharing.PRIVATE, () -> now);
  }

  @Override
  BlobStore store() {
    return store;
  }

  @Override
  Instant time() {
    return now;
  }

  @Override
  List<String> kept() throws IOException {
    return filesIn("");
  }

  private List<String> filesIn(String directory) throws IOException {
    try (var files = Files.walk(root.resolve(directory))) {
      return files.filter(Files::isRegularFile).map(file -> file.getFileName().toString()).toList();
    }
  }

  @Test
  void contentIsKeptByItsDigestAndReadableByItsOwnerOnly() throws IOException {
    store.putContent(sha256("hello"), bytes("hello"));

    assertThat(read(store.open(sha256("hello")))).isEqualTo("hello");
    Path file = root.resolve("content").resolve(sha256("hello").substring(0, 2));
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rwx------");
    assertThat(
            PosixFilePermissions.toString(
                Files.getPosixFilePermissions(file.resolve(sha256("hello")))))
        .isEqualTo("rw-------");
  }

  @Test
  void contentThatTheDiskHasDamagedIsFoundAndAskedForAgain() throws IOException {
    for (String damaged : List.of("hell", "hellO")) {
      store.putContent(sha256("hello"), bytes("hello"));
      Path folder = root.resolve("content").resolve(sha256("hello").substring(0, 2));
      Files.writeString(folder.resolve(sha256("hello")), damaged);

      assertThatThrownBy(() -> read(store.open(sha256("hello"))))
          .hasMessageContaining(sha256("hello") + " was damaged");
      assertThat(store.missingContent(List.of(sha256("hello")))).hasSize(1);
    }
  }

  @Test
  void contentThatWasPutAgainMeanwhileStays() throws IOException {
    store.putContent(sha256("hello"), bytes("hello"));
    Path folder = root.resolve("content").resolve(sha256("hello").substring(0, 2));
    Files.writeString(folder.resolve(sha256("hello")), "hell");
    try (InputStream damaged = store.open(sha256("hello"))) {
      store.putContent(sha256("hello"), bytes("hello"));

      assertThatThrownBy(damaged::readAllBytes).hasMessageContaining("was damaged");
    }
    assertThat(read(store.open(sha256("hello")))).isEqualTo("hello");
  }

  @Test
  void missingContentIsNamedAndPresentContentIsTouched() throws IOException {
    store.putContent(sha256("a"), bytes("a"));
    now = MORNING.plus(Duration.ofHours(30));

    assertThat(store.missingContent(List.of(sha256("a"), sha256("b"))))
        .isEqualTo(Set.of(sha256("b")));

    Path file = root.resolve("content").resolve(sha256("a").substring(0, 2)).resolve(sha256("a"));
    assertThat(Files.getLastModifiedTime(file)).isEqualTo(FileTime.from(now));
    assertThatThrownBy(() -> store.open(sha256("b"))).isInstanceOf(FileNotFoundException.class);
  }

  @Test
  void aRepeatReplacesAlsoWhatAnEarlierDayHas() throws IOException {
    store.putPayload(blob("a"), bytes("first"));
    now = MORNING.plus(Duration.ofDays(1));
    store.putPayload(blob("a"), bytes("second"));

    assertThat(read(store.openPayload(blob("a"), 0))).isEqualTo("second");
    assertThat(filesIn("payload")).hasSize(1);

    store.deletePayloads(List.of(blob("a")));
    assertThat(store.payloadSize(blob("a"))).isEmpty();
    assertThat(filesIn("payload")).isEmpty();
  }

  @Test
  void whatAKilledProcessLeftAsideIsSweptAtStart() throws IOException {
    Files.writeString(root.resolve("aside").resolve("left"), "half");

    FileBlobStore.open(root, Sharing.PRIVATE, () -> now);

    assertThat(filesIn("aside")).isEmpty();
  }

  @Test
  void whatAnotherProcessMayStillWriteIsLeftForADay() throws IOException {
    Path left = root.resolve("aside").resolve("left");
    Files.writeString(left, "half");
    Files.setLastModifiedTime(left, FileTime.from(now));

    FileBlobStore.open(root, Sharing.SHARED, () -> now.plus(Duration.ofHours(23)));
    assertThat(filesIn("aside")).hasSize(1);
    FileBlobStore.open(root, Sharing.SHARED, () -> now.plus(Duration.ofHours(25)));
    assertThat(filesIn("aside")).isEmpty();
  }

  @Test
  void oldPayloadsAreGivenInTurnsAndEmptyDaysGo() throws IOException {
    Set<BlobId> old = new HashSet<>();
    for (int i = 0; i < 7; i++) {
      now = MORNING.plus(Duration.ofHours(12L * i));
      store.putPayload(blob("old " + i), bytes("x"));
      old.add(blob("old " + i));
    }
    Instant limit = now.plusMillis(1);
    now = now.plus(Duration.ofHours(2));
    store.putPayload(blob("new"), bytes("x"));

    List<BlobId> given = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      given.addAll(store.payloadsOlderThan(limit, 3));
    }
    assertThat(given).hasSize(9);
    assertThat(new HashSet<>(given)).isEqualTo(old);

    store.deletePayloads(old);
    assertThat(store.payloadsOlderThan(limit, 100)).isEmpty();
    try (var days = Files.list(root.resolve("payload"))) {
      assertThat(days).hasSize(1);
    }
    assertThat(store.payloadSize(blob("new"))).isPresent();
  }
}
