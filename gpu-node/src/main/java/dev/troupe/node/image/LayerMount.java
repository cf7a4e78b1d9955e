package dev.troupe.node.image;

import dev.troupe.node.container.Mounts;
import dev.troupe.node.linux.FileTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The filesystem of an image, mounted on this machine to be read or changed. What is changed
 * becomes a layer; what isn't kept is gone with the mount.
 */
final class LayerMount implements AutoCloseable {

  private final Path folder;
  private final Path root;
  private final Path upper;

  private LayerMount(Path folder, Path root, Path upper) {
    this.folder = folder;
    this.root = root;
    this.upper = upper;
  }

  /** Mounts layers, lowest first, at a new folder of the store. */
  static LayerMount of(ImageStore store, List<Path> layers) throws IOException {
    Path folder = store.newFolder();
    LayerMount mount = new LayerMount(folder, folder.resolve("root"), folder.resolve("upper"));
    Path work = folder.resolve("work");
    for (Path part : List.of(mount.root, mount.upper, work)) {
      Files.createDirectory(part);
    }
    // An upper folder that is the root of a layer shows its own rights.
    LayerFolders.setMode(mount.upper, 0755);
    Mounts.mountOverlay(layers, mount.upper, work, mount.root, true);
    return mount;
  }

  /** Its files, as a container would see them. */
  RootFolder files() {
    return new RootFolder(root);
  }

  /** Unmounts it and puts what was changed under a key. */
  void publish(ImageStore store, String key) throws IOException {
    Mounts.unmountAllBelow(folder);
    store.publish(upper, key);
  }

  @Override
  public void close() throws IOException {
    Mounts.unmountAllBelow(folder);
    FileTree.delete(folder);
  }
}
