package dev.troupe.persistence.blob;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.actors.blob.BlobStore.DigestMismatch;
import dev.troupe.actors.blob.BlobStore.Written;
import dev.troupe.actors.id.BlobId;
import dev.troupe.actors.id.Ids;
import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileBlobStoreTest {

  private static final Instant MORNING = Instant.parse("2026-11-24T08:00:00Z");

  private Instant now = MORNING;
  private Path root;
  private FileBlobStore store;

  @BeforeEach
  void open(@TempDir Path directory) throws IOException {
    root = directory.resolve("blobs");
    store = FileBlobStore.open(root, () -> now, false);
  }

  private static BlobId blob(String name) {
    return new BlobId(BlobId.PREFIX + Ids.contentKey(name));
  }

  private static InputStream bytes(String text) {
    return new ByteArrayInputStream(text.getBytes(UTF_8));
  }

  private static String hex(String algorithm, byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(bytes));
    } catch (NoSuchAlgorithmException impossible) {
      throw new AssertionError(impossible);
    }
  }

  private static String sha256(String text) {
    return hex("SHA-256", text.getBytes(UTF_8));
  }

  private static String read(InputStream stream) throws IOException {
    try (stream) {
      return new String(stream.readAllBytes(), UTF_8);
    }
  }

  private List<String> filesIn(String directory) throws IOException {
    try (var files = Files.walk(root.resolve(directory))) {
      return files.filter(Files::isRegularFile).map(file -> file.getFileName().toString()).toList();
    }
  }

  /** A sender that breaks off, or waits, in the middle. */
  private static InputStream failingAfter(String text, Runnable then) {
    return new FilterInputStream(bytes(text)) {
      @Override
      public int read(byte[] buffer, int offset, int length) throws IOException {
        int read = super.read(buffer, offset, length);
        if (read < 0) {
          then.run();
          throw new IOException("the sender is gone");
        }
        return read;
      }
    };
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
  void contentWithAnotherDigestIsRefusedAndLeavesNothing() throws IOException {
    assertThatThrownBy(() -> store.putContent(sha256("hello"), bytes("other")))
        .isInstanceOf(DigestMismatch.class)
        .hasMessageContaining(sha256("other"));

    assertThat(store.missingContent(List.of(sha256("hello")))).hasSize(1);
    assertThat(filesIn("")).isEmpty();
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
  void whatIsNoDigestIsNoPath() {
    for (String bad : List.of("", "../../etc/passwd", "A".repeat(64), "a".repeat(63))) {
      assertThatThrownBy(() -> store.open(bad)).isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> store.missingContent(List.of(bad)))
          .isInstanceOf(IllegalArgumentException.class);
    }
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
  void putsOfOneDigestAtOnceAllSucceed() throws Exception {
    String text = "same ".repeat(50_000);
    CountDownLatch together = new CountDownLatch(1);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> puts = new ArrayList<>();
      for (int i = 0; i < 16; i++) {
        puts.add(
            threads.submit(
                () -> {
                  together.await();
                  store.putContent(sha256(text), bytes(text));
                  return null;
                }));
      }
      together.countDown();
      for (Future<?> put : puts) {
        put.get(30, TimeUnit.SECONDS);
      }
    }

    assertThat(read(store.open(sha256(text)))).isEqualTo(text);
    assertThat(filesIn("")).hasSize(1);
  }

  @Test
  void aPayloadIsKeptWithItsSizeAndMd5() throws IOException {
    Written written = store.putPayload(blob("a"), bytes("hello"));

    assertThat(written).isEqualTo(new Written(5, hex("MD5", "hello".getBytes(UTF_8))));
    assertThat(store.payloadSize(blob("a"))).contains(5L);
    assertThat(read(store.openPayload(blob("a"), 0))).isEqualTo("hello");
    assertThat(read(store.openPayload(blob("a"), 2))).isEqualTo("llo");
    assertThat(read(store.openPayload(blob("a"), 99))).isEmpty();
    assertThat(store.putPayload(blob("empty"), bytes("")).sizeBytes()).isZero();
  }

  @Test
  void aPayloadThatIsNotThereIsToldSo() throws IOException {
    assertThat(store.payloadSize(blob("a"))).isEmpty();
    assertThatThrownBy(() -> store.openPayload(blob("a"), 0))
        .isInstanceOf(FileNotFoundException.class)
        .hasMessageContaining(blob("a").value());
    store.deletePayloads(List.of(blob("a")));
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
  void aWriteThatBreaksOffIsNeverSeen() throws IOException {
    store.putPayload(blob("a"), bytes("whole"));
    List<String> seen = new ArrayList<>();
    Runnable look =
        () -> {
          try {
            seen.add(read(store.openPayload(blob("a"), 0)));
          } catch (IOException failure) {
            throw new AssertionError(failure);
          }
        };

    assertThatThrownBy(() -> store.putPayload(blob("a"), failingAfter("half", look)))
        .hasMessage("the sender is gone");
    assertThatThrownBy(() -> store.putPayload(blob("b"), failingAfter("half", look)))
        .hasMessage("the sender is gone");

    assertThat(seen).containsOnly("whole");
    assertThat(read(store.openPayload(blob("a"), 0))).isEqualTo("whole");
    assertThat(store.payloadSize(blob("b"))).isEmpty();
    assertThat(filesIn("aside")).isEmpty();
  }

  @Test
  void whatAKilledProcessLeftAsideIsSweptAtStart() throws IOException {
    Files.writeString(root.resolve("aside").resolve("left"), "half");

    FileBlobStore.open(root, () -> now, false);

    assertThat(filesIn("aside")).isEmpty();
  }

  @Test
  void partsAreJoinedInOrderAndARepeatIsAnsweredAlike() throws IOException {
    byte[] first = "first ".getBytes(UTF_8);
    byte[] second = "second".getBytes(UTF_8);
    assertThat(store.putPart(blob("a"), 2, bytes("second")))
        .isEqualTo(new Written(6, hex("MD5", second)));
    store.putPart(blob("a"), 1, bytes("replaced"));
    store.putPart(blob("a"), 1, bytes("first "));
    byte[] md5s = HexFormat.of().parseHex(hex("MD5", first) + hex("MD5", second));

    Written whole = store.completeParts(blob("a"), 2);

    assertThat(whole).isEqualTo(new Written(12, hex("MD5", md5s)));
    assertThat(read(store.openPayload(blob("a"), 0))).isEqualTo("first second");
    assertThat(store.completeParts(blob("a"), 2)).isEqualTo(whole);
    assertThat(filesIn("parts")).containsExactly("joined");
  }

  @Test
  void aMissingPartIsNamed() throws IOException {
    store.putPart(blob("a"), 1, bytes("first"));

    assertThatThrownBy(() -> store.completeParts(blob("a"), 2))
        .hasMessage("part 2 of 2 of blob %s was not sent", blob("a"));
    assertThatThrownBy(() -> store.putPart(blob("a"), 0, bytes("")))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> store.putPart(blob("a"), 10_001, bytes("")))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void deletingForgetsPartsToo() throws IOException {
    store.putPart(blob("a"), 1, bytes("first"));
    store.deletePayloads(List.of(blob("a")));

    assertThat(filesIn("parts")).isEmpty();
    assertThatThrownBy(() -> store.completeParts(blob("a"), 1))
        .isInstanceOf(FileNotFoundException.class);
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

  @Test
  void partsThatNobodyJoinedAreOldPayloads() throws IOException {
    store.putPart(blob("a"), 1, bytes("first"));

    assertThat(store.payloadsOlderThan(Instant.now().minusSeconds(60), 10)).isEmpty();
    assertThat(store.payloadsOlderThan(Instant.now().plusSeconds(60), 10))
        .containsExactly(blob("a"));
  }
}
