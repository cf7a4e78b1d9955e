package dev.troupe.node.image;

import dev.troupe.actors.id.Ids;
import dev.troupe.actors.image.RunMount.Access;
import dev.troupe.actors.image.RunMount.Sharing;
import dev.troupe.node.linux.FileTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/**
 * The folders of {@code RUN --mount=type=cache}, kept from one build to the next and never part of
 * an image. Together they take no more than a limit for longer than a step: those that were not
 * used for the longest time go first, and none that is in use.
 */
final class CacheMounts {

  /** What fills a cache that is new. */
  @FunctionalInterface
  interface Beginning {
    void fill(Path folder) throws IOException, InterruptedException;
  }

  private final ImageStore store;
  private final long limitBytes;
  private final InstantSource clock;

  // Under this object's monitor: how many use a folder; those that nobody else may use meanwhile.
  private final Map<Path, Integer> users = new HashMap<>();
  private final Set<Path> exclusive = new HashSet<>();
  private final ReentrantLock trimming = new ReentrantLock();

  CacheMounts(ImageStore store, long limitBytes, InstantSource clock) {
    this.store = store;
    this.limitBytes = limitBytes;
    this.clock = clock;
  }

  /** A cache in use, until closed. */
  final class Lease implements AutoCloseable {
    private final Path cache;

    private Lease(Path cache) {
      this.cache = cache;
    }

    Path folder() {
      return files(cache);
    }

    @Override
    public void close() throws IOException {
      try {
        // From now on it is of no use to anybody.
        Files.setLastModifiedTime(cache, FileTime.from(clock.instant()));
      } finally {
        release(cache);
      }
      trim();
    }
  }

  /**
   * Takes a cache into use, made where it isn't there.
   *
   * @param key tells it from others
   */
  Lease lease(String key, Sharing sharing, Access access, Beginning beginning)
      throws IOException, InterruptedException {
    Path base = store.caches().resolve(Ids.contentKey(key));
    Path cache =
        switch (sharing) {
          case SHARED -> share(base);
          case LOCKED -> waitFor(base);
          case PRIVATE -> firstFree(base);
        };
    boolean ready = false;
    try {
      make(cache, access, beginning);
      ready = true;
      return new Lease(cache);
    } finally {
      if (!ready) {
        release(cache);
      }
    }
  }

  /** The folder that steps see has the rights that they want; its parent is ours. */
  private static Path files(Path cache) {
    return cache.resolve("files");
  }

  private synchronized Path share(Path cache) throws InterruptedException {
    while (exclusive.contains(cache)) {
      wait();
    }
    users.merge(cache, 1, Integer::sum);
    return cache;
  }

  private synchronized Path waitFor(Path cache) throws InterruptedException {
    while (users.containsKey(cache)) {
      wait();
    }
    return takeAlone(cache);
  }

  private synchronized Path firstFree(Path base) {
    Path cache = base;
    for (int n = 1; users.containsKey(cache); n++) {
      cache = base.resolveSibling(base.getFileName() + "-" + n);
    }
    return takeAlone(cache);
  }

  private Path takeAlone(Path cache) {
    users.put(cache, 1);
    exclusive.add(cache);
    return cache;
  }

  private synchronized void release(Path cache) {
    exclusive.remove(cache);
    users.computeIfPresent(cache, (_, count) -> count == 1 ? null : count - 1);
    notifyAll();
  }

  /** Of two that share a cache that is not there, the first that is ready makes it. */
  private void make(Path cache, Access access, Beginning beginning)
      throws IOException, InterruptedException {
    if (Files.isDirectory(cache)) {
      return;
    }
    Path fresh = store.newFolder();
    try {
      Path files = Files.createDirectory(files(fresh));
      beginning.fill(files);
      Files.setAttribute(files, "unix:uid", access.user());
      Files.setAttribute(files, "unix:gid", access.group());
      Files.setAttribute(files, "unix:mode", access.mode());
      synchronized (this) {
        if (!Files.isDirectory(cache)) {
          Files.move(fresh, cache, StandardCopyOption.ATOMIC_MOVE);
        }
      }
    } finally {
      FileTree.delete(fresh);
    }
  }

  /** One at a time, so that a folder is there as long as it is looked at. */
  private void trim() throws IOException {
    trimming.lock();
    try {
      removeBeyondLimit();
    } finally {
      trimming.unlock();
    }
  }

  private void removeBeyondLimit() throws IOException {
    List<Path> oldestFirst = new ArrayList<>();
    Map<Path, FileTime> times = new HashMap<>();
    Map<Path, Long> sizes = new HashMap<>();
    long all = 0;
    try (Stream<Path> caches = Files.list(store.caches())) {
      for (Path cache : caches.toList()) {
        long size = FileTree.size(cache);
        all += size;
        sizes.put(cache, size);
        times.put(cache, Files.getLastModifiedTime(cache));
        oldestFirst.add(cache);
      }
    }
    oldestFirst.sort(
        Comparator.comparing(cache -> times.getOrDefault(cache, FileTime.fromMillis(0))));
    for (Path cache : oldestFirst) {
      if (all > limitBytes && remove(cache)) {
        all -= sizes.getOrDefault(cache, 0L);
      }
    }
  }

  /** Removes one that nobody uses; what is being removed has no name any more. */
  private boolean remove(Path cache) throws IOException {
    Path gone = store.newFolder();
    synchronized (this) {
      if (users.containsKey(cache)) {
        Files.delete(gone);
        return false;
      }
      Files.move(cache, gone.resolve("gone"), StandardCopyOption.ATOMIC_MOVE);
    }
    FileTree.delete(gone);
    return true;
  }
}
