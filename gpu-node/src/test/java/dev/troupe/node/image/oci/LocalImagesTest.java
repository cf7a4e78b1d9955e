package dev.troupe.node.image.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import dev.troupe.cluster.DirectoryLock;
import dev.troupe.node.image.BuildFailure;
import dev.troupe.node.image.ImageRecord;
import dev.troupe.node.image.ImageStore;
import dev.troupe.node.linux.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Needs root, for the owners of files. */
@Tag("machine")
class LocalImagesTest {

  private static final ImageSettings SETTINGS =
      ImageSettings.from(
          ConfigFactory.parseString("troupe.images.offline = true")
              .withFallback(ConfigFactory.defaultReference())
              .getConfig("troupe"));

  @TempDir private Path directory = Path.of("unset");
  private Path agent = Path.of("unset");
  private ImageStore store;

  @BeforeEach
  void buildAnImage() throws IOException {
    agent = directory.resolve("agent");
    store = ImageStore.attach(agent.resolve("images/store"));
    for (String key : List.of("base-1", "step-2", "runner-3", "step-nobodys")) {
      Path folder = store.newFolder();
      Files.writeString(folder.resolve("word"), key);
      store.publish(folder, key);
    }
    store.put(
        "im-1",
        new ImageRecord(
            List.of("base-1", "step-2"),
            Map.of("A", "b=c"),
            "/srv",
            List.of("/run"),
            List.of("python3"),
            List.of(),
            "",
            ""));
  }

  private LocalImages images() throws IOException {
    return LocalImages.of(agent, SETTINGS);
  }

  private OciImage bring(Path from, String name) throws Exception {
    return images().bring(from, Optional.empty(), Optional.of(name), _ -> {});
  }

  private OciImage built(String name) throws Exception {
    return RegistryImages.open(store, agent.resolve("images"), SETTINGS)
        .get(name, Optional.empty(), _ -> {});
  }

  @Test
  void whatIsWrittenOutCanBeBroughtInAndBuiltUpon() throws Exception {
    Path layout = directory.resolve("layout");
    String digest = images().write("im-1", layout);

    OciImage image = bring(layout, "registry.example/mine:1");

    assertThat(image.digest()).isEqualTo(digest);
    assertThat(store.layer(image.layers().getFirst()).resolve("word"))
        .content()
        .isEqualTo("base-1");
    assertThat(store.layer(image.layers().getLast()).resolve("word")).content().isEqualTo("step-2");
    assertThat(built("registry.example/mine:1")).isEqualTo(image);
    assertThat(built("registry.example/mine@" + digest)).isEqualTo(image);
    assertThat(image.environment()).isEqualTo(Map.of("A", "b=c"));
    assertThat(image.workingDirectory()).isEqualTo("/srv");
    assertThat(image.entrypoint()).containsExactly("/run");
    assertThat(image.command()).containsExactly("python3");
  }

  @Test
  void aTarOfALayoutIsOneToo() throws Exception {
    Path layout = directory.resolve("layout");
    images().write("im-1", layout);
    Path tar = directory.resolve("layout.tar");
    Command.run(
        Duration.ofSeconds(10), "tar", "-c", "-f", tar.toString(), "-C", layout.toString(), ".");

    assertThat(bring(tar, "mine").layers()).hasSize(2);
    assertThat(built("mine").layers()).hasSize(2);
    try (var unfinished = Files.list(agent.resolve("images/store/unfinished"))) {
      assertThat(unfinished).isEmpty();
    }
  }

  @Test
  void otherToolsReadWhatIsWrittenOut() throws Exception {
    Path layout = directory.resolve("layout");
    images().write("im-1", layout);
    String index = Files.readString(layout.resolve("index.json"));
    String manifest = index.replaceAll(".*\"digest\":\"sha256:([0-9a-f]+)\".*", "$1");

    assertThat(Files.readString(layout.resolve("oci-layout"))).contains("\"1.0.0\"");
    assertThat(
            Command.run(
                Duration.ofSeconds(10),
                "sh",
                "-c",
                "cd '"
                    + layout
                    + "/blobs/sha256' && for f in *; do echo \"$f  $f\"; done | sha256sum -c --quiet && ls | wc -l"))
        .isEqualTo("4\n");
    assertThat(Files.readString(layout.resolve("blobs/sha256").resolve(manifest)))
        .contains("application/vnd.oci.image.layer.v1.tar+gzip");
  }

  @Test
  void aDamagedLayoutIsRefused() throws Exception {
    Path layout = directory.resolve("layout");
    images().write("im-1", layout);
    try (var blobs = Files.list(layout.resolve("blobs/sha256"))) {
      for (Path blob : blobs.toList()) {
        byte[] bytes = Files.readAllBytes(blob);
        byte[] wrong = bytes.clone();
        wrong[wrong.length / 2] ^= 4;
        Files.write(blob, wrong);
        // A layer that is here already would not be read.
        agent = Files.createTempDirectory(directory, "agent");
        assertThatThrownBy(() -> bring(layout, "mine"))
            .as(blob.toString())
            .isInstanceOf(BuildFailure.class);
        Files.write(blob, bytes);
      }
    }
    assertThatThrownBy(() -> built("mine")).hasMessageContaining("troupe image import");
    bring(layout, "mine");
  }

  @Test
  void whatIsNoLayoutOrHasNoNameIsRefused() throws Exception {
    Path layout = directory.resolve("layout");
    images().write("im-1", layout);

    assertThatThrownBy(() -> bring(directory, "mine")).hasMessageContaining("no OCI image layout");
    assertThatThrownBy(() -> bring(directory.resolve("missing"), "mine"))
        .hasMessageContaining("There is no folder or file");
    assertThatThrownBy(
            () -> images().bring(layout, Optional.of("other"), Optional.of("mine"), _ -> {}))
        .hasMessageContaining("no image of the tag other")
        .hasMessageContaining("im-1");
    assertThatThrownBy(() -> images().write("im-1", layout)).hasMessageContaining("is not empty");
    assertThatThrownBy(() -> images().write("im-none", directory.resolve("new")))
        .hasMessageContaining("There is no image");
  }

  @Test
  void aListHasWhatWasBuiltAndWhatWasBroughtIn() throws Exception {
    Path layout = directory.resolve("layout");
    images().write("im-1", layout);
    bring(layout, "registry.example/mine:1");

    assertThat(images().list())
        .extracting(LocalImages.Listed::name)
        .containsExactly("registry.example/mine:1", "im-1");
    assertThat(images().list().getLast().bytes()).isEqualTo(12);
  }

  @Test
  void onlyLayersThatNothingNamesAreFreed() throws Exception {
    Path layout = directory.resolve("layout");
    images().write("im-1", layout);
    OciImage image = bring(layout, "mine");

    Files.writeString(
        Files.createDirectories(agent.resolve("images/store/caches/one/files")).resolve("file"),
        "");
    LocalImages.Freed freed = images().collect();

    assertThat(freed.caches()).isEqualTo(1);
    assertThat(agent.resolve("images/store/caches")).isEmptyDirectory();
    assertThat(freed.layers()).containsExactly("step-nobodys");
    assertThat(freed.bytes()).isEqualTo(12);
    assertThat(store.layerKeys())
        .contains("base-1", "step-2", "runner-3")
        .containsAll(image.layers());
  }

  @Test
  void whatIsNotThereForLongIsKeptByASweep() throws Exception {
    assertThat(images().sweep(Duration.ofHours(1)).orElseThrow().layers()).isEmpty();
    assertThat(images().sweep(Duration.ZERO).orElseThrow().layers())
        .containsExactly("step-nobodys");
    assertThat(store.layerKeys()).contains("base-1", "step-2", "runner-3");
  }

  @Test
  void nothingIsFreedWhileAnotherProcessBuilds() throws Exception {
    Path store = agent.resolve("images/store");
    Process building =
        new ProcessBuilder(
                "python3",
                "-c",
                "import fcntl, sys; file = open(sys.argv[1], 'a+');"
                    + " fcntl.lockf(file, fcntl.LOCK_SH); print('in', flush=True); input()",
                store.resolve("BUILDING").toString())
            .start();
    assertThat(building.inputReader().readLine()).isEqualTo("in");
    try {
      assertThatThrownBy(() -> images().collect())
          .isInstanceOf(BuildFailure.class)
          .hasMessageContaining("are being built");
      assertThat(images().sweep(Duration.ZERO)).isEmpty();
    } finally {
      building.getOutputStream().close();
      building.waitFor();
    }
    assertThat(images().collect().layers()).containsExactly("step-nobodys");
  }

  @Test
  void nothingIsFreedWhileAnImageIsBroughtIn() throws Exception {
    Path references = Files.createDirectories(agent.resolve("images/references"));
    try (DirectoryLock held = DirectoryLock.take(references)) {
      assertThatThrownBy(() -> images().collect())
          .isInstanceOf(BuildFailure.class)
          .hasMessageContaining("on its way");
      assertThat(images().sweep(Duration.ZERO)).isEmpty();
    }
    assertThat(store.hasLayer("step-nobodys")).isTrue();
  }
}
