package dev.troupe.node.image;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.troupe.node.container.Mounts;
import dev.troupe.node.linux.FileTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/**
 * Read-only folders of this machine's disk, each under a key made from what it holds, and the
 * records of images that name them.
 *
 * <p>A folder is made under a name of its own, written out to disk and only then renamed into
 * place, so that what has a key is whole, whenever a process dies or the power fails; what was not
 * renamed is thrown away at the next start.
 */
public final class ImageStore {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path layers;
  private final Path images;
  private final Path unfinished;
  private final Path caches;
  private final Map<String, ReentrantLock> making = new ConcurrentHashMap<>();

  private ImageStore(Path folder) {
    this.layers = folder.resolve("layers");
    this.images = folder.resolve("images");
    this.unfinished = folder.resolve("unfinished");
    this.caches = folder.resolve("caches");
  }

  /**
   * The store of a folder beside the process that owns it, whose unfinished folders are left alone.
   */
  public static ImageStore attach(Path folder) throws IOException {
    ImageStore store = new ImageStore(folder);
    for (Path part : List.of(store.layers, store.images, store.unfinished, store.caches)) {
      Files.createDirectories(part);
    }
    return store;
  }

  /** Opens the store in a folder; what a dead process left unfinished is removed. */
  public static ImageStore open(Path folder) throws IOException {
    Path unfinished = folder.resolve("unfinished");
    // A build that was cut off may have had an image mounted there.
    Mounts.unmountAllBelow(unfinished);
    FileTree.delete(unfinished);
    ImageStore store = attach(folder);
    FileTree.deleteUnfinished(store.images);
    return store;
  }

  /** Whether the folder of this key is there. */
  public boolean hasLayer(String key) {
    return Files.isDirectory(layer(key));
  }

  /** Where the folder of a key is, or will be. */
  public Path layer(String key) {
    return layers.resolve(key);
  }

  /** The folders of an image, lowest first. */
  public List<Path> layersOf(ImageRecord image) {
    return image.layers().stream().map(this::layer).toList();
  }

  /** Keys of all layers here. */
  public List<String> layerKeys() throws IOException {
    try (Stream<Path> folders = Files.list(layers)) {
      return folders.map(folder -> folder.getFileName().toString()).sorted().toList();
    }
  }

  /** When a layer came to its place. */
  public Instant placedAt(String key) throws IOException {
    return ((FileTime) Files.getAttribute(layer(key), "unix:ctime")).toInstant();
  }

  /** Takes a layer away, which nothing may be using. Gives where it is, to be deleted. */
  public Path takeLayer(String key) throws IOException {
    return moved(layer(key));
  }

  /** Where the folders are that builds keep for later builds, a folder each. */
  Path caches() {
    return caches;
  }

  /** Takes all of those away; nothing may be building. Gives where they are, to be deleted. */
  public List<Path> takeCaches() throws IOException {
    List<Path> taken = new ArrayList<>();
    try (Stream<Path> folders = Files.list(caches)) {
      for (Path folder : folders.toList()) {
        taken.add(moved(folder));
      }
    }
    return taken;
  }

  /** An empty folder to make a layer in. */
  public Path newFolder() throws IOException {
    return Files.createDirectory(unfinished.resolve(UUID.randomUUID().toString()));
  }

  /** Moves a folder of this file system in, to be published. */
  Path moved(Path folder) throws IOException {
    Path place = unfinished.resolve(UUID.randomUUID().toString());
    return Files.move(folder, place);
  }

  /** Puts a finished folder under its key; where that fails, it is gone. */
  public void publish(Path finished, String key) throws IOException {
    try {
      FileTree.publish(finished, layer(key));
    } finally {
      FileTree.delete(finished);
    }
  }

  /** Fills a layer's folder. */
  @FunctionalInterface
  interface Filling {
    void fill(Path folder) throws IOException, InterruptedException;
  }

  /** Makes a layer in a new folder and puts it under its key. */
  void make(String key, Filling filling) throws IOException, InterruptedException {
    Path folder = newFolder();
    try {
      filling.fill(folder);
      publish(folder, key);
    } finally {
      FileTree.delete(folder);
    }
  }

  /** What makes a layer. */
  @FunctionalInterface
  interface Making {
    void make() throws IOException, InterruptedException;
  }

  /** Has a layer made unless it is there; of several who ask at once, one makes it. */
  void ensure(String key, Making making) throws IOException, InterruptedException {
    if (hasLayer(key)) {
      return;
    }
    ReentrantLock lock = this.making.computeIfAbsent(key, _ -> new ReentrantLock());
    lock.lockInterruptibly();
    try {
      if (!hasLayer(key)) {
        making.make();
      }
    } finally {
      lock.unlock();
      this.making.remove(key, lock);
    }
  }

  /** The image of this id, if it was built here and all its layers are here. */
  public Optional<ImageRecord> find(String imageId) throws IOException {
    return record(imageId).filter(image -> image.layers().stream().allMatch(this::hasLayer));
  }

  /** What is kept under an id, whether or not all its layers are here. */
  public Optional<ImageRecord> record(String imageId) throws IOException {
    Path file = file(imageId);
    return Files.exists(file)
        ? Optional.of(JSON.readValue(file.toFile(), ImageRecord.class))
        : Optional.empty();
  }

  /** Keeps a built image under its id. */
  public void put(String imageId, ImageRecord image) throws IOException {
    FileTree.write(file(imageId), JSON.writeValueAsString(image));
  }

  /** Ids of all images here. */
  public List<String> imageIds() throws IOException {
    try (Stream<Path> files = Files.list(images)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(".json"))
          .map(name -> name.substring(0, name.length() - ".json".length()))
          .sorted()
          .toList();
    }
  }

  private Path file(String imageId) {
    return images.resolve(imageId + ".json");
  }
}
