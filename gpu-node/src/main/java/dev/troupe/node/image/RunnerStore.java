package dev.troupe.node.image;

import dev.troupe.actors.id.Ids;
import dev.troupe.node.container.ContainerDriver.Bind;
import dev.troupe.node.linux.FileTree;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * The client's own runner and what it imports, as a layer over any image: made once for a client
 * version, a builder version and a Python series, by that Python itself, and compiled ahead.
 */
public final class RunnerStore {

  private static final String RECIPE = "1";
  private static final String SCRIPT = "/run/troupe/materialise_runner.py";

  private final ImageStore store;
  private final BuildContainer container;
  private final Path script;
  private final Map<String, ReentrantLock> making = new ConcurrentHashMap<>();

  private RunnerStore(ImageStore store, BuildContainer container, Path script) {
    this.store = store;
    this.container = container;
    this.script = script;
  }

  static RunnerStore open(ImageStore store, BuildContainer container, Path folder)
      throws IOException {
    Path script = folder.resolve("materialise_runner.py");
    try (InputStream resource =
        Objects.requireNonNull(
            RunnerStore.class.getResourceAsStream("materialise_runner.py"), "the script")) {
      Files.write(script, resource.readAllBytes());
    }
    return new RunnerStore(store, container, script);
  }

  /** The layer for an image's Python, made if it is not there. */
  public Path ensure(
      ImageRecord image, String clientVersion, String builderVersion, Consumer<String> log)
      throws IOException, InterruptedException {
    requirePlain(clientVersion);
    requirePlain(builderVersion);
    String key =
        "runner-" + Ids.contentKey(RECIPE, clientVersion, builderVersion, image.pythonSeries());
    if (store.hasLayer(key)) {
      return store.layer(key);
    }
    ReentrantLock lock = making.computeIfAbsent(key, _ -> new ReentrantLock());
    lock.lockInterruptibly();
    try {
      if (!store.hasLayer(key)) {
        make(key, image, clientVersion, builderVersion, log);
      }
      return store.layer(key);
    } finally {
      lock.unlock();
    }
  }

  private void make(
      String key,
      ImageRecord image,
      String clientVersion,
      String builderVersion,
      Consumer<String> log)
      throws IOException, InterruptedException {
    Path changes =
        container.run(
            new BuildContainer.Step(
                "the client's runner",
                store.layersOf(image),
                List.of("python3", SCRIPT, clientVersion, builderVersion),
                Map.of("PATH", image.environment().getOrDefault("PATH", "/usr/bin:/bin")),
                "/",
                List.of(new Bind(script, SCRIPT, true))),
            log);
    try {
      store.make(
          key,
          layer -> {
            for (String part : List.of("pkg", "__modal")) {
              Files.move(changes.resolve(part), layer.resolve(part));
            }
          });
    } finally {
      FileTree.delete(changes);
    }
  }

  private static void requirePlain(String version) throws IOException {
    if (!version.matches("[A-Za-z0-9][A-Za-z0-9.+_-]{0,39}")) {
      throw new IOException("'" + version + "' is no version");
    }
  }
}
