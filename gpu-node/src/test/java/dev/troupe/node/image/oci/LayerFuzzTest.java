package dev.troupe.node.image.oci;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.node.linux.FileTree;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Foreign tars: whatever they hold, nothing outside of the layer's folder changes. Needs root. */
@Tag("machine")
class LayerFuzzTest {

  private static final LayerUnpacker.Limits LIMITS = new LayerUnpacker.Limits(1 << 20, 500);
  private static final int ROUNDS = 250;

  @TempDir private Path directory = Path.of("unset");

  /** A failing seed goes into the list and stays there. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 20_261_124})
  void nothingOutsideOfTheFolderChanges(long seed) throws IOException {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    Path outside = Files.createDirectory(directory.resolve("outside"));
    Files.writeString(Files.createDirectory(outside.resolve("folder")).resolve("file"), "content");
    Files.writeString(outside.resolve("victim"), "content");
    Files.createSymbolicLink(outside.resolve("link"), Path.of("victim"));
    Map<String, String> before = look(outside);
    int unpacked = 0;
    for (int round = 0; round < ROUNDS; round++) {
      Path layer = Files.createDirectory(directory.resolve("layer"));
      byte[] tar = hostile(random, outside);
      if (random.nextBoolean()) {
        mutate(tar, random);
      }
      try {
        LayerUnpacker.unpack(new ByteArrayInputStream(tar), layer, LIMITS, _ -> {});
        unpacked++;
      } catch (IOException refused) {
        // As good as unpacked: the point is what is left outside.
      }
      FileTree.delete(layer);
      assertThat(look(outside)).as("seed %d, round %d", seed, round).isEqualTo(before);
      try (var files = Files.list(directory)) {
        assertThat(files).as("seed %d, round %d", seed, round).containsExactly(outside);
      }
    }
    assertThat(unpacked).as("rounds that were no mere refusal").isGreaterThan(ROUNDS / 20);
  }

  /** Few names, so that entries meet: links, then what is behind them, then other kinds. */
  private static byte[] hostile(RandomGenerator random, Path outside) {
    List<String> names =
        List.of(
            "a",
            "b",
            "a/b",
            "a/b/c",
            "b/a",
            "/a",
            "./b",
            "a//b",
            "victim",
            "a/victim",
            "folder/file",
            "a/folder/file",
            ".wh.a",
            "a/.wh.b",
            ".wh..wh..opq",
            "a/.wh..wh..opq",
            "b/.wh.victim",
            ".");
    List<String> targets =
        List.of(
            "a",
            "b",
            "a/b",
            "..",
            "../..",
            "../outside",
            "../outside/victim",
            "/",
            ".",
            outside.toString(),
            outside + "/victim",
            outside + "/folder",
            outside + "/link",
            "/proc/self/root" + outside,
            "/proc/self/cwd",
            "a/../../outside/victim");
    TarMaker tar = new TarMaker();
    int entries = random.nextInt(1, 25);
    for (int i = 0; i < entries; i++) {
      String name = names.get(random.nextInt(names.size()));
      if (random.nextInt(60) == 0) {
        name = "../" + name;
      }
      String target = targets.get(random.nextInt(targets.size()));
      switch (random.nextInt(8)) {
        case 0, 1 -> tar.symlink(name, target);
        case 2 -> tar.hardLink(name, target);
        case 3 -> tar.folder(name, TarMaker.like(random.nextInt(010000), 11, 12));
        case 4 -> tar.device(name, TarConstants.LF_CHR, random.nextInt(3), random.nextInt(9));
        case 5 ->
            tar.entry(name, TarConstants.LF_FIFO, "", TarMaker.like(random.nextInt(010000), 1, 2));
        case 6 -> tar.file(name, "changed", TarMaker.attribute("user.x", "y"));
        default -> tar.file(name, "changed", TarMaker.like(random.nextInt(010000), 11, 12));
      }
    }
    return tar.bytes();
  }

  private static void mutate(byte[] tar, RandomGenerator random) {
    int changes = random.nextInt(1, 6);
    for (int i = 0; i < changes; i++) {
      tar[random.nextInt(tar.length)] = (byte) random.nextInt(256);
    }
  }

  private static Map<String, String> look(Path folder) throws IOException {
    Map<String, String> seen = new TreeMap<>();
    try (var files = Files.walk(folder)) {
      for (Path file : files.toList()) {
        Map<String, Object> attributes = new TreeMap<>(TarMaker.attributesOf(file));
        attributes.remove("lastAccessTime");
        String content =
            Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) ? Files.readString(file) : "";
        seen.put(file.toString(), attributes + content);
      }
    }
    return seen;
  }
}
