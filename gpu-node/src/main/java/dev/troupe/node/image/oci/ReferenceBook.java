package dev.troupe.node.image.oci;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.troupe.node.linux.FileTree;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Which images this machine has under which names: a JSON file a name. */
final class ReferenceBook {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path folder;

  ReferenceBook(Path folder) {
    this.folder = folder;
  }

  /**
   * A name that is known.
   *
   * @param imported whether a person brought it: it is taken before what a registry has
   * @param open whether anybody may have it: it was got without credentials
   */
  record Known(OciImage image, boolean imported, boolean open) {}

  /** What a name stands for here. */
  Optional<Known> find(ImageName name) throws IOException {
    Path file = file(name);
    return Files.exists(file)
        ? Optional.of(JSON.readValue(file.toFile(), Known.class))
        : Optional.empty();
  }

  /** Keeps it under its name. */
  synchronized void put(ImageName name, Known known) throws IOException {
    Files.createDirectories(folder);
    FileTree.write(file(name), JSON.writeValueAsString(known));
  }

  /** All that is known, by name. */
  List<Known> all() throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    List<Known> all = new ArrayList<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.filter(path -> path.toString().endsWith(".json")).sorted().toList()) {
        all.add(JSON.readValue(file.toFile(), Known.class));
      }
    }
    return all;
  }

  private Path file(ImageName name) {
    byte[] text = name.toString().getBytes(StandardCharsets.UTF_8);
    return folder.resolve(Digest.sha256(text).hex() + ".json");
  }
}
