package dev.troupe.node.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.image.RunMount.Access;
import dev.troupe.actors.image.RunMount.Sharing;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Needs root, for the owners of folders. */
@Tag("machine")
@Timeout(30)
class CacheMountsTest {

  private static final Access ACCESS = new Access(0755, 0, 0);

  private final ImageStore store;
  private final AtomicLong now = new AtomicLong(1_000_000);
  private final CacheMounts caches;

  CacheMountsTest(@TempDir Path folder) throws IOException {
    store = ImageStore.open(folder);
    caches = new CacheMounts(store, 100, () -> Instant.ofEpochSecond(now.addAndGet(10)));
  }

  private CacheMounts.Lease lease(String key, Sharing sharing) throws Exception {
    return caches.lease(key, sharing, ACCESS, _ -> {});
  }

  private void use(String key, int bytes) throws Exception {
    try (CacheMounts.Lease lease = lease(key, Sharing.SHARED)) {
      Files.write(lease.folder().resolve("file"), new byte[bytes]);
    }
  }

  private boolean isKept(String key) throws Exception {
    try (CacheMounts.Lease lease = lease(key, Sharing.SHARED)) {
      return Files.exists(lease.folder().resolve("file"));
    }
  }

  @Test
  void aNewOneBeginsAsItIsToldWithTheRightsItIsToBeGiven() throws Exception {
    try (CacheMounts.Lease lease =
        caches.lease(
            "a",
            Sharing.SHARED,
            new Access(01777, 7, 8),
            folder -> Files.writeString(folder.resolve("first"), "1"))) {
      assertThat(lease.folder().resolve("first")).hasContent("1");
      assertThat(Files.getAttribute(lease.folder(), "unix:uid")).isEqualTo(7);
      assertThat((int) Files.getAttribute(lease.folder(), "unix:mode") & 07777).isEqualTo(01777);
    }
  }

  @Test
  void oneIsSharedAndAPrivateOneIsNot() throws Exception {
    try (CacheMounts.Lease one = lease("a", Sharing.SHARED);
        CacheMounts.Lease two = lease("a", Sharing.SHARED);
        CacheMounts.Lease own = lease("a", Sharing.PRIVATE);
        CacheMounts.Lease another = lease("a", Sharing.PRIVATE)) {
      assertThat(two.folder()).isEqualTo(one.folder());
      assertThat(own.folder()).isNotEqualTo(one.folder()).isNotEqualTo(another.folder());
    }
    try (CacheMounts.Lease first = lease("b", Sharing.PRIVATE)) {
      Files.writeString(first.folder().resolve("file"), "x");
    }
    try (CacheMounts.Lease again = lease("b", Sharing.PRIVATE)) {
      assertThat(again.folder().resolve("file")).exists();
    }
  }

  @Test
  void aLockedOneIsWaitedFor() throws Exception {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<CacheMounts.Lease> waits;
      try (CacheMounts.Lease _ = lease("a", Sharing.LOCKED)) {
        waits = threads.submit(() -> lease("a", Sharing.LOCKED));
        assertThat(isDone(waits)).isFalse();
      }
      waits.get().close();
    }
  }

  private static boolean isDone(Future<?> future) throws Exception {
    try {
      future.get(100, TimeUnit.MILLISECONDS);
      return true;
    } catch (TimeoutException notYet) {
      return false;
    }
  }

  @Test
  void whatWasNotUsedForTheLongestTimeGoesFirst() throws Exception {
    use("a", 40);
    use("b", 40);
    use("a", 40);
    use("c", 40);

    assertThat(isKept("a")).isTrue();
    assertThat(isKept("b")).isFalse();
    assertThat(isKept("c")).isTrue();
  }

  @Test
  void whatIsInUseStays() throws Exception {
    try (CacheMounts.Lease lease = lease("a", Sharing.SHARED)) {
      Files.write(lease.folder().resolve("file"), new byte[90]);
      use("b", 90);

      assertThat(lease.folder().resolve("file")).exists();
    }
    assertThat(store.caches()).isNotEmptyDirectory();
  }
}
