package dev.troupe.node.image;

import dev.troupe.node.linux.FileTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Finds out which Python and which C library an image has. */
final class PythonFacts {

  private static final String DESCRIBE =
      "import platform; print('Python', platform.python_version());"
          + " print(' '.join(platform.libc_ver()))";

  private final ImageStore store;
  private final BuildContainer container;

  PythonFacts(ImageStore store, BuildContainer container) {
    this.store = store;
    this.container = container;
  }

  /**
   * The image with its Python's version, as its own Python tells it; as it is where it has none.
   */
  ImageRecord of(ImageRecord image) throws IOException, InterruptedException {
    String path = image.environment().getOrDefault("PATH", "/usr/local/bin:/usr/bin:/bin");
    String program = find(image, path);
    if (program.isEmpty()) {
      return image;
    }
    List<String> said = new ArrayList<>();
    try {
      FileTree.delete(
          container.run(
              new BuildContainer.Step(
                  program,
                  store.layersOf(image),
                  List.of(program, "-c", DESCRIBE),
                  Map.of("PATH", path),
                  "/",
                  List.of()),
              line -> said.add(line.strip())));
    } catch (BuildFailure broken) {
      // A file of that name that can't be run, here: functions will say so when they start.
      return image;
    }
    return said.isEmpty()
        ? image
        : image.withPython(said.getFirst(), said.size() > 1 ? said.get(1) : "");
  }

  private String find(ImageRecord image, String path) {
    for (String name : List.of("python", "python3")) {
      for (String folder : List.of(path.split(":", -1))) {
        Path file = Path.of("/").relativize(Path.of("/").resolve(folder)).resolve(name);
        boolean there =
            store.layersOf(image).stream()
                .anyMatch(layer -> Files.exists(layer.resolve(file), LinkOption.NOFOLLOW_LINKS));
        if (there) {
          return "/" + file;
        }
      }
    }
    return "";
  }
}
