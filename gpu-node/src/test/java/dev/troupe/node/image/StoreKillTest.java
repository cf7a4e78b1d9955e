package dev.troupe.node.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A process that makes layers and images is killed at any moment. Needs root, for overlays. */
@Tag("machine")
@Timeout(120)
class StoreKillTest {

  private static final int ROUNDS = 5;
  private static final int FILES = 20;

  @TempDir private Path folder = Path.of("unset");

  /** Makes layers for as long as it lives, each over the one before, and images of them. */
  static final class Doomed {
    public static void main(String[] arguments) throws Exception {
      Path folder = Path.of(arguments[0]);
      ImageStore store = ImageStore.open(folder);
      ImageRecord image = ImageRecord.NOTHING;
      store.make("base" + arguments[1], layer -> Files.writeString(layer.resolve("base"), "x"));
      image = image.withLayer("base" + arguments[1]);
      for (int i = 0; ; i++) {
        String key = "layer-" + arguments[1] + "-" + i;
        try (LayerMount mount = LayerMount.of(store, store.layersOf(image))) {
          for (int n = 0; n < FILES; n++) {
            Files.writeString(mount.files().path().resolve("file" + n), key);
          }
          mount.publish(store, key);
        }
        // Three layers at most, so that each round mounts alike.
        image = (i % 2 == 0 ? image : ImageRecord.NOTHING).withLayer(key);
        store.put("im-" + arguments[1] + "-" + i, image);
        System.out.println(key);
      }
    }
  }

  private static void runAndKill(Path folder, int round, long afterMillis) throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty(
                    "surefire.real.class.path", System.getProperty("java.class.path")),
                Doomed.class.getName(),
                folder.toString(),
                String.valueOf(round))
            .redirectErrorStream(true)
            .start();
    try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
      assertThat(output.readLine()).isEqualTo("layer-" + round + "-0");
      Thread.startVirtualThread(() -> output.lines().forEach(line -> {}));
      Thread.sleep(afterMillis);
      process.destroyForcibly();
      assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    } catch (java.io.UncheckedIOException closed) {
      // Its output ended with it.
    }
  }

  @Test
  void whatIsInPlaceIsWholeAndNothingElseIsLeft() throws Exception {
    Random random = new Random(41);
    Path place = folder.resolve("store");
    int seen = 0;
    for (int round = 0; round < ROUNDS; round++) {
      runAndKill(place, round, random.nextInt(5, 300));

      ImageStore store = ImageStore.open(place);
      try (Stream<Path> unfinished = Files.list(place.resolve("unfinished"));
          Stream<Path> records = Files.list(place.resolve("images"))) {
        assertThat(unfinished).isEmpty();
        assertThat(records).allMatch(file -> file.toString().endsWith(".json"));
      }
      assertThat(Files.readString(Path.of("/proc/self/mountinfo")))
          .doesNotContain(place.toString());
      for (String key : store.layerKeys()) {
        if (key.startsWith("layer-")) {
          requireWhole(store, key);
        }
      }
      for (String id : store.imageIds()) {
        assertThat(store.find(id)).as(id).isPresent();
      }
      seen += store.imageIds().size();
    }
    assertThat(seen).isGreaterThan(ROUNDS);
  }

  private static void requireWhole(ImageStore store, String key) throws IOException {
    for (int n = 0; n < FILES; n++) {
      assertThat(store.layer(key).resolve("file" + n)).hasContent(key);
    }
    try (Stream<Path> files = Files.list(store.layer(key))) {
      assertThat(files.toList()).hasSize(FILES);
    }
  }
}
