package dev.troupe.node.image;

import dev.troupe.node.linux.FileTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * The program {@code uv}, which the client's build steps copy from an image of that name. PyPI has
 * the same program, and can be reached where that image's registry can't.
 */
final class UvTool {

  private static final String TARGET = "/run/troupe/uv";

  private final ImageStore store;
  private final BuildContainer container;

  UvTool(ImageStore store, BuildContainer container) {
    this.store = store;
    this.container = container;
  }

  /**
   * A folder with {@code uv} and {@code uvx}, installed by an image's own pip and kept.
   *
   * @param version empty: the newest
   * @param fresh not empty: what was kept under another word is of no use for the newest
   */
  Path ensure(ImageRecord image, String version, String fresh, Consumer<String> log)
      throws IOException, InterruptedException {
    if (!version.matches("[A-Za-z0-9._-]{0,40}")) {
      throw new BuildFailure("'" + version + "' is no version of uv");
    }
    String key = "uv-" + (version.isEmpty() ? "newest" + fresh : version);
    if (store.hasLayer(key)) {
      return store.layer(key);
    }
    log.accept("Installing uv from PyPI.\n");
    List<String> command =
        new ArrayList<>(List.of("python3", "-m", "pip", "install", "--quiet", "--no-cache-dir"));
    command.addAll(List.of("--disable-pip-version-check", "--no-deps", "--target", TARGET));
    command.add(version.isEmpty() ? "uv" : "uv==" + version);
    Path changes =
        container.run(
            new BuildContainer.Step(
                String.join(" ", command),
                store.layersOf(image),
                command,
                image.environment(),
                "/",
                List.of()),
            log);
    Path installed = changes.resolve(TARGET.substring(1)).resolve("bin");
    try {
      store.make(
          key,
          programs -> {
            for (String name : List.of("uv", "uvx")) {
              if (Files.exists(installed.resolve(name))) {
                Files.move(installed.resolve(name), programs.resolve(name));
              }
            }
          });
    } finally {
      FileTree.delete(changes);
    }
    return store.layer(key);
  }
}
