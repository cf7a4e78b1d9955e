package dev.troupe.node.image.oci;

import dev.troupe.node.image.BuildFailure;
import dev.troupe.node.image.ImageStore;
import dev.troupe.node.linux.FileTree;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Pythons that need no package of a system, for {@code add_python}: the client names one by a
 * mount, and an archive of this machine's disk, which a setting names, is what it stands for.
 */
public final class StandalonePython {

  private static final Pattern NAME =
      Pattern.compile("python-build-standalone\\.\\d+\\.((\\d+\\.\\d+)\\.\\d+)-(gnu|musl)");

  private final ImageStore store;
  private final ImageSettings settings;
  private final ReentrantLock unpacking = new ReentrantLock();

  /** Those that the settings name. */
  public StandalonePython(ImageStore store, ImageSettings settings) {
    this.store = store;
    this.settings = settings;
  }

  /**
   * A folder with the files of the mount of this name in it: {@code python/bin/python3} and so on,
   * unpacked at the first call.
   *
   * @param mountName as the client's, {@code python-build-standalone.20230826.3.11.5-gnu}
   * @throws BuildFailure where no archive is there; its sentence names the setting
   */
  public Path folder(String mountName) throws IOException, InterruptedException {
    Path archive = archive(mountName);
    unpacking.lockInterruptibly();
    try {
      String key = "python-" + digest(archive).hex();
      if (!store.hasLayer(key)) {
        unpack(archive, key);
      }
      return store.layer(key);
    } finally {
      unpacking.unlock();
    }
  }

  private Path archive(String mountName) throws BuildFailure {
    Matcher name = NAME.matcher(mountName);
    if (!name.matches()) {
      throw new BuildFailure("'%s' is no Python.".formatted(Printable.of(mountName)));
    }
    String suffix = name.group(3).equals("gnu") ? "" : "-musl";
    String version = name.group(1) + suffix;
    String series = name.group(2) + suffix;
    Path archive =
        Optional.ofNullable(settings.standalonePython().get(version))
            .or(() -> Optional.ofNullable(settings.standalonePython().get(series)))
            .orElseThrow(
                () ->
                    new BuildFailure(
                        "add_python=\"%s\" needs an archive that this machine has not: put the install_only .tar.gz of python-build-standalone for Python %s on its disk and name it in its settings: troupe.images.standalone-python { \"%s\" = \"/path/of/it.tar.gz\" }."
                            .formatted(name.group(2), name.group(1), series)));
    if (!Files.isReadable(archive)) {
      throw new BuildFailure(
          "The setting troupe.images.standalone-python names %s for Python %s, and that file is not there."
              .formatted(archive, version));
    }
    return archive;
  }

  private static Digest digest(Path archive) throws IOException {
    MessageDigest computing = Digest.sha256(new byte[0]).newMessageDigest();
    try (InputStream bytes = new DigestInputStream(Files.newInputStream(archive), computing)) {
      bytes.transferTo(OutputStream.nullOutputStream());
    }
    return Digest.of("sha256", computing.digest());
  }

  private void unpack(Path archive, String key) throws IOException {
    Path folder = store.newFolder();
    try (InputStream packed = Files.newInputStream(archive);
        InputStream plain = Decompression.open(packed)) {
      LayerUnpacker.unpack(plain, folder, settings.layerLimits(), _ -> {});
      if (!Files.isExecutable(folder.resolve("python/bin/python3"))) {
        throw new BuildFailure(
            "%s, which troupe.images.standalone-python names, has no python/bin/python3 in it: it must be an install_only archive."
                .formatted(archive));
      }
      store.publish(folder, key);
    } catch (MalformedLayer malformed) {
      throw new BuildFailure(
          "%s, which troupe.images.standalone-python names, can't be used: %s."
              .formatted(archive, malformed.getMessage()));
    } finally {
      FileTree.delete(folder);
    }
  }
}
