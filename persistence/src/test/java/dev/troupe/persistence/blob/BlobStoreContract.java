package dev.troupe.persistence.blob;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.actors.blob.BlobStore;
import dev.troupe.actors.blob.BlobStore.DigestMismatch;
import dev.troupe.actors.blob.BlobStore.Written;
import dev.troupe.actors.id.BlobId;
import dev.troupe.actors.id.Ids;
import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What every blob store does. */
abstract class BlobStoreContract {

  /** The store, empty at first. */
  abstract BlobStore store();

  /** What the store takes for the time. */
  abstract Instant time();

  /** The names of all that is kept. */
  abstract List<String> kept() throws IOException;

  static BlobId blob(String name) {
    return new BlobId(BlobId.PREFIX + Ids.contentKey(name));
  }

  static InputStream bytes(String text) {
    return new ByteArrayInputStream(text.getBytes(UTF_8));
  }

  static String hex(String algorithm, byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(bytes));
    } catch (NoSuchAlgorithmException impossible) {
      throw new AssertionError(impossible);
    }
  }

  static String sha256(String text) {
    return hex("SHA-256", text.getBytes(UTF_8));
  }

  static String read(InputStream stream) throws IOException {
    try (stream) {
      return new String(stream.readAllBytes(), UTF_8);
    }
  }

  /** A sender that breaks off, or waits, in the middle. */
  static InputStream failingAfter(String text, Runnable then) {
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
  void contentWithAnotherDigestIsRefusedAndLeavesNothing() throws IOException {
    assertThatThrownBy(() -> store().putContent(sha256("hello"), bytes("other")))
        .isInstanceOf(DigestMismatch.class)
        .hasMessageContaining(sha256("other"));

    assertThat(store().missingContent(List.of(sha256("hello")))).hasSize(1);
    assertThat(kept()).isEmpty();
  }

  @Test
  void whatIsNoDigestIsNoPath() {
    for (String bad : List.of("", "../../etc/passwd", "A".repeat(64), "a".repeat(63))) {
      assertThatThrownBy(() -> store().open(bad)).isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> store().missingContent(List.of(bad)))
          .isInstanceOf(IllegalArgumentException.class);
    }
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
                  store().putContent(sha256(text), bytes(text));
                  return null;
                }));
      }
      together.countDown();
      for (Future<?> put : puts) {
        put.get(30, TimeUnit.SECONDS);
      }
    }

    assertThat(read(store().open(sha256(text)))).isEqualTo(text);
    assertThat(kept()).hasSize(1);
  }

  @Test
  void aPayloadIsKeptWithItsSizeAndMd5() throws IOException {
    Written written = store().putPayload(blob("a"), bytes("hello"));

    assertThat(written).isEqualTo(new Written(5, hex("MD5", "hello".getBytes(UTF_8))));
    assertThat(store().payloadSize(blob("a"))).contains(5L);
    assertThat(read(store().openPayload(blob("a"), 0))).isEqualTo("hello");
    assertThat(read(store().openPayload(blob("a"), 2))).isEqualTo("llo");
    assertThat(read(store().openPayload(blob("a"), 99))).isEmpty();
    assertThat(store().putPayload(blob("empty"), bytes("")).sizeBytes()).isZero();
  }

  @Test
  void aPayloadThatIsNotThereIsToldSo() throws IOException {
    assertThat(store().payloadSize(blob("a"))).isEmpty();
    assertThatThrownBy(() -> store().openPayload(blob("a"), 0))
        .isInstanceOf(FileNotFoundException.class)
        .hasMessageContaining(blob("a").value());
    store().deletePayloads(List.of(blob("a")));
  }

  @Test
  void aWriteThatBreaksOffIsNeverSeen() throws IOException {
    store().putPayload(blob("a"), bytes("whole"));
    List<String> seen = new ArrayList<>();
    Runnable look =
        () -> {
          try {
            seen.add(read(store().openPayload(blob("a"), 0)));
          } catch (IOException failure) {
            throw new AssertionError(failure);
          }
        };

    assertThatThrownBy(() -> store().putPayload(blob("a"), failingAfter("half", look)))
        .hasMessage("the sender is gone");
    assertThatThrownBy(() -> store().putPayload(blob("b"), failingAfter("half", look)))
        .hasMessage("the sender is gone");

    assertThat(seen).containsOnly("whole");
    assertThat(read(store().openPayload(blob("a"), 0))).isEqualTo("whole");
    assertThat(store().payloadSize(blob("b"))).isEmpty();
    assertThat(kept()).hasSize(1);
  }

  @Test
  void partsAreJoinedInOrderAndARepeatIsAnsweredAlike() throws IOException {
    byte[] first = "first ".getBytes(UTF_8);
    byte[] second = "second".getBytes(UTF_8);
    assertThat(store().putPart(blob("a"), 2, bytes("second")))
        .isEqualTo(new Written(6, hex("MD5", second)));
    store().putPart(blob("a"), 1, bytes("replaced"));
    store().putPart(blob("a"), 1, bytes("first "));
    byte[] md5s = HexFormat.of().parseHex(hex("MD5", first) + hex("MD5", second));

    Written whole = store().completeParts(blob("a"), 2);

    assertThat(whole).isEqualTo(new Written(12, hex("MD5", md5s)));
    assertThat(read(store().openPayload(blob("a"), 0))).isEqualTo("first second");
    assertThat(store().completeParts(blob("a"), 2)).isEqualTo(whole);
    assertThat(kept()).hasSize(2);
  }

  @Test
  void aMissingPartIsNamed() throws IOException {
    store().putPart(blob("a"), 1, bytes("first"));

    assertThatThrownBy(() -> store().completeParts(blob("a"), 2))
        .hasMessage("part 2 of 2 of blob %s was not sent", blob("a"));
    assertThatThrownBy(() -> store().putPart(blob("a"), 0, bytes("")))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> store().putPart(blob("a"), 10_001, bytes("")))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void deletingForgetsPartsToo() throws IOException {
    store().putPart(blob("a"), 1, bytes("first"));
    store().deletePayloads(List.of(blob("a")));

    assertThat(kept()).isEmpty();
    assertThatThrownBy(() -> store().completeParts(blob("a"), 1))
        .isInstanceOf(FileNotFoundException.class);
  }

  @Test
  void partsThatNobodyJoinedAreOldPayloads() throws IOException {
    store().putPart(blob("a"), 1, bytes("first"));

    assertThat(store().payloadsOlderThan(Instant.now().minusSeconds(60), 10)).isEmpty();
    assertThat(store().payloadsOlderThan(Instant.now().plusSeconds(60), 10))
        .containsExactly(blob("a"));
  }

  @Test
  void contentIsKeptByItsDigest() throws IOException {
    store().putContent(sha256("hello"), bytes("hello"));

    assertThat(read(store().open(sha256("hello")))).isEqualTo("hello");
    assertThat(store().missingContent(List.of(sha256("b"), sha256("hello"))))
        .isEqualTo(Set.of(sha256("b")));
    assertThatThrownBy(() -> store().open(sha256("b"))).isInstanceOf(FileNotFoundException.class);
  }

  @Test
  void bytesOfManyPiecesComeBackAsTheyWere() throws IOException {
    byte[] much = new byte[18 << 20];
    new Random(7).nextBytes(much);
    String sha256 = hex("SHA-256", much);

    store().putContent(sha256, new ByteArrayInputStream(much));
    Written written = store().putPayload(blob("much"), new ByteArrayInputStream(much));

    assertThat(written).isEqualTo(new Written(much.length, hex("MD5", much)));
    try (InputStream content = store().open(sha256);
        InputStream rest = store().openPayload(blob("much"), much.length - 3)) {
      assertThat(hex("SHA-256", content.readAllBytes())).isEqualTo(sha256);
      assertThat(rest.readAllBytes())
          .isEqualTo(Arrays.copyOfRange(much, much.length - 3, much.length));
    }
  }

  @Test
  void bigPartsAreJoined() throws IOException {
    byte[] part = new byte[6 << 20];
    new Random(8).nextBytes(part);
    store().putPart(blob("a"), 1, new ByteArrayInputStream(part));
    store().putPart(blob("a"), 2, bytes("the end"));

    assertThat(store().completeParts(blob("a"), 2).sizeBytes()).isEqualTo(part.length + 7);
    try (InputStream all = store().openPayload(blob("a"), 0)) {
      assertThat(all.readNBytes(part.length)).isEqualTo(part);
      assertThat(read(all)).isEqualTo("the end");
    }
  }

  @Test
  void whatAReaderLeavesUnreadIsNoTrouble() throws IOException {
    store().putPayload(blob("a"), bytes("x".repeat(3 << 20)));

    for (int i = 0; i < 3; i++) {
      try (InputStream begun = store().openPayload(blob("a"), 0)) {
        assertThat(begun.read()).isEqualTo('x');
      }
    }
    assertThat(read(store().openPayload(blob("a"), 0))).hasSize(3 << 20);
  }

  @Test
  void oldPayloadsAreGivenInTurnsUntilTheyAreDeleted() throws IOException {
    Set<BlobId> old = new HashSet<>();
    for (int i = 0; i < 7; i++) {
      store().putPayload(blob("old " + i), bytes("x"));
      old.add(blob("old " + i));
    }
    Instant later = time().plusSeconds(60);

    Set<BlobId> given = new HashSet<>();
    for (int i = 0; i < 4; i++) {
      List<BlobId> some = store().payloadsOlderThan(later, 3);
      assertThat(some).hasSizeLessThanOrEqualTo(3);
      given.addAll(some);
    }
    assertThat(given).isEqualTo(old);
    assertThat(store().payloadsOlderThan(time().minusSeconds(60), 100)).isEmpty();

    store().deletePayloads(old);
    assertThat(store().payloadsOlderThan(later, 100)).isEmpty();
    assertThat(kept()).isEmpty();
  }
}
