package dev.troupe.node;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where tests keep what takes minutes to make: base images and runners. */
final class TestCache {

  /** A folder that outlives a run of the tests; {@code TROUPE_TEST_CACHE} names another. */
  static Path folder(String name) throws IOException {
    String named = System.getenv("TROUPE_TEST_CACHE");
    Path root =
        named != null ? Path.of(named) : Path.of("..").resolve(".troupe").resolve("test-cache");
    return Files.createDirectories(root.toAbsolutePath().normalize().resolve(name));
  }

  private TestCache() {}
}
