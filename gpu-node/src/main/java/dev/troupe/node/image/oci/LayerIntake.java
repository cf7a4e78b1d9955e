package dev.troupe.node.image.oci;

import dev.troupe.node.image.BuildFailure;
import dev.troupe.node.image.ImageStore;
import dev.troupe.node.linux.FileTree;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * Brings blobs into the store. A layer is unpacked while it comes, into a folder of its own; it
 * gets its key only once both its digests are right, the packed one and the unpacked one. However
 * many ask for a layer, it is fetched once.
 */
final class LayerIntake {

  private static final int ATTEMPTS = 3;

  /** After a tar that makes no sense, what is read on to learn whether it was damaged. */
  private static final long READ_ON = 1L << 30;

  private final ImageStore store;
  private final LayerUnpacker.Limits limits;
  private final Semaphore transfers;
  private final Map<String, ReentrantLock> fetching = new ConcurrentHashMap<>();

  /**
   * One that keeps within limits.
   *
   * @param parallel layers that come at the same time
   */
  LayerIntake(ImageStore store, LayerUnpacker.Limits limits, int parallel) {
    this.store = store;
    this.limits = limits;
    this.transfers = new Semaphore(parallel);
  }

  /** The small blob of these many bytes, checked. */
  byte[] small(Descriptor blob, BlobSource source, String what)
      throws IOException, InterruptedException {
    if (blob.size() > Manifests.LONGEST_BYTES) {
      throw new BuildFailure(
          "%s is %d bytes long; %d are the most."
              .formatted(what, blob.size(), Manifests.LONGEST_BYTES));
    }
    for (int attempt = 0; ; attempt++) {
      try (InputStream stream = source.open(blob, attempt)) {
        byte[] bytes = stream.readNBytes((int) blob.size() + 1);
        if (bytes.length == blob.size() && blob.digest().matches(bytes)) {
          return bytes;
        }
        if (attempt + 1 >= ATTEMPTS) {
          throw new Damaged(
              "%s came damaged, %d times: the digest of what came is not %s."
                  .formatted(what, ATTEMPTS, blob.digest()));
        }
      }
    }
  }

  /** Brings the layers that are not here; the first failure stops the others. */
  void layers(
      Manifests.Manifest manifest,
      ImageConfiguration configuration,
      BlobSource source,
      Consumer<String> log)
      throws IOException, InterruptedException {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> running = new ArrayList<>();
      Set<Digest> asked = new HashSet<>();
      for (int i = 0; i < manifest.layers().size(); i++) {
        Descriptor blob = manifest.layers().get(i);
        Digest diffId = configuration.diffIds().get(i);
        if (asked.add(diffId) && !store.hasLayer(OciImage.layerKey(diffId))) {
          running.add(
              threads.submit(
                  () -> {
                    layer(blob, diffId, source, log);
                    return blob;
                  }));
        }
      }
      try {
        for (Future<?> layer : running) {
          layer.get();
        }
      } catch (ExecutionException failed) {
        throw rethrown(failed);
      } finally {
        threads.shutdownNow();
      }
    }
  }

  private static IOException rethrown(ExecutionException failed) throws InterruptedException {
    return switch (failed.getCause()) {
      case IOException failure -> failure;
      case InterruptedException interrupted -> throw interrupted;
      case RuntimeException defect -> throw defect;
      case null, default -> new IOException(failed);
    };
  }

  private void layer(Descriptor blob, Digest diffId, BlobSource source, Consumer<String> log)
      throws IOException, InterruptedException {
    String key = OciImage.layerKey(diffId);
    ReentrantLock lock = fetching.computeIfAbsent(key, _ -> new ReentrantLock());
    lock.lockInterruptibly();
    try {
      if (store.hasLayer(key)) {
        return;
      }
      transfers.acquire();
      try {
        fetch(blob, diffId, source, log);
      } finally {
        transfers.release();
      }
    } finally {
      lock.unlock();
    }
  }

  private void fetch(Descriptor blob, Digest diffId, BlobSource source, Consumer<String> log)
      throws IOException, InterruptedException {
    if (blob.size() > limits.bytes()) {
      throw new BuildFailure(
          "The layer %s is %d MiB long; the limit troupe.images.layer-limit is %d MiB."
              .formatted(blob.digest(), blob.size() >> 20, limits.bytes() >> 20));
    }
    for (int attempt = 0; ; attempt++) {
      try {
        attempt(blob, diffId, source, attempt, log);
        return;
      } catch (Damaged damaged) {
        if (attempt + 1 >= ATTEMPTS) {
          throw new Damaged(
              "%s It was fetched %d times.".formatted(damaged.getMessage(), ATTEMPTS));
        }
        log.accept("%s Fetching it again.%n".formatted(damaged.getMessage()));
      }
    }
  }

  private void attempt(
      Descriptor blob, Digest diffId, BlobSource source, int attempt, Consumer<String> log)
      throws IOException, InterruptedException {
    Path folder = store.newFolder();
    try (InputStream stream = source.open(blob, attempt)) {
      // What unpacks it closes it, and then it is still read on; the stream itself closes below.
      MeasuredInput packed = new MeasuredInput(stream, blob.digest(), blob.size());
      Digest unpacked = unpack(packed, blob, diffId, folder, log);
      if (!unpacked.equals(diffId)) {
        throw new BuildFailure(
            "The layer %s unpacks to %s, and the image's configuration says %s."
                .formatted(blob.digest(), unpacked, diffId));
      }
      store.publish(folder, OciImage.layerKey(diffId));
      log.accept("Layer %s: %s%n".formatted(blob.digest(), size(blob.size())));
    } finally {
      FileTree.delete(folder);
    }
  }

  /** Unpacks, and reads on to the end, so that the digest of what came is known in any case. */
  private Digest unpack(
      MeasuredInput packed, Descriptor blob, Digest diffId, Path folder, Consumer<String> log)
      throws IOException {
    Digest unpacked;
    try (InputStream plain = Decompression.open(packed)) {
      MeasuredInput tar = new MeasuredInput(plain, diffId, limits.bytes());
      LayerUnpacker.unpack(tar, folder, limits, log);
      unpacked = tar.digest();
    } catch (IOException wrong) {
      if (blob.size() - packed.count() <= READ_ON) {
        readOn(packed);
        requireWhole(packed, blob);
      }
      throw refusal(wrong, blob);
    }
    readOn(packed);
    requireWhole(packed, blob);
    return unpacked;
  }

  /** Of a layer that came whole. */
  private static IOException refusal(IOException wrong, Descriptor blob) {
    return wrong instanceof MalformedLayer
        ? new BuildFailure(
            "The layer %s can't be used: %s.".formatted(blob.digest(), wrong.getMessage()))
        : new IOException(
            "The layer %s could not be unpacked: %s".formatted(blob.digest(), wrong.getMessage()),
            wrong);
  }

  private static void readOn(MeasuredInput packed) {
    try {
      packed.transferTo(java.io.OutputStream.nullOutputStream());
    } catch (IOException known) {
      // Either it broke, which is remembered, or it is too long, which its length tells.
    }
  }

  private static void requireWhole(MeasuredInput packed, Descriptor blob) throws Damaged {
    IOException broken = packed.failure();
    if (broken != null) {
      throw new Damaged(
          "The transfer of layer %s broke off after %d of %d bytes (%s)."
              .formatted(blob.digest(), packed.count(), blob.size(), broken.getMessage()));
    }
    if (packed.count() != blob.size()) {
      throw new Damaged(
          "Layer %s came with %d bytes instead of %d."
              .formatted(blob.digest(), packed.count(), blob.size()));
    }
    Digest came = packed.digest();
    if (!came.equals(blob.digest())) {
      throw new Damaged(
          "Layer %s came damaged: what came has the digest %s.".formatted(blob.digest(), came));
    }
  }

  static String size(long bytes) {
    return bytes < 1 << 20
        ? "%d KiB".formatted((bytes + 1023) >> 10)
        : "%.1f MiB".formatted(bytes / (double) (1 << 20));
  }
}
