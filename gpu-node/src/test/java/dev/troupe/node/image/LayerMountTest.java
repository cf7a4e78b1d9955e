package dev.troupe.node.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.node.container.Mounts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With real overlays, so that it takes root. */
class LayerMountTest {

  private final Path folder;
  private final ImageStore store;

  LayerMountTest(@TempDir Path folder) throws IOException {
    this.folder = folder;
    this.store = ImageStore.open(folder);
  }

  private Path layer(String key, String file, String text) throws IOException {
    Path layer = store.newFolder();
    Files.writeString(LayerFolders.place(layer, file), text);
    store.publish(layer, key);
    return store.layer(key);
  }

  @Test
  void moreLayersThanAPageOfNamesAreMounted() throws IOException {
    List<Path> layers = new ArrayList<>();
    for (int i = 0; i < 120; i++) {
      layers.add(layer("step-of-a-name-that-is-as-long-as-they-are-" + i, "/same", "" + i));
    }
    layers.add(layer("first", "/first", "1"));

    try (LayerMount mount = LayerMount.of(store, layers)) {
      assertThat(mount.files().read("/same")).isEqualTo("119");
      assertThat(mount.files().read("/first")).isEqualTo("1");
    }
  }

  @Test
  void whatIsChangedIsALayer() throws IOException {
    Path below = layer("below", "/etc/kept", "kept");
    try (LayerMount mount = LayerMount.of(store, List.of(below))) {
      Files.writeString(mount.files().makeFolders("/etc/new").resolve("file"), "new");
      mount.publish(store, "above");
    }

    assertThat(store.layer("above").resolve("etc/new/file")).hasContent("new");
    assertThat(store.layer("above").resolve("etc/kept")).doesNotExist();
    assertThat(store.layer("below").resolve("etc/new")).doesNotExist();
    try (var left = Files.list(folder.resolve("unfinished"))) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void linksOfAnImageLeadNowhereOutOfIt() throws IOException {
    Path secret = Files.writeString(folder.resolve("secret"), "of the machine");
    Path layer = store.newFolder();
    Files.createSymbolicLink(layer.resolve("absolute"), secret);
    Files.createSymbolicLink(layer.resolve("up"), Path.of("../../../../../../../" + secret));
    Files.createSymbolicLink(layer.resolve("folder"), folder);
    Files.createSymbolicLink(layer.resolve("loop"), Path.of("loop"));
    store.publish(layer, "links");

    try (LayerMount mount = LayerMount.of(store, List.of(store.layer("links")))) {
      for (String path : List.of("/absolute", "/up", "/folder/secret", "/../secret")) {
        assertThat(mount.files().read(path)).isEmpty();
      }
      assertThatThrownBy(() -> mount.files().resolve("/loop")).isInstanceOf(BuildFailure.class);
      // A copy to behind such a link makes the folder in the image.
      Path source = Files.writeString(folder.resolve("source"), "copied");
      new FileCopier(mount.files(), null, null).copy(source, "/folder/secret");
      assertThat(mount.files().read("/folder/secret")).isEqualTo("copied");
      assertThat(secret).hasContent("of the machine");
      mount.publish(store, "copied");
    }
  }

  @Test
  void aFolderIsCopiedOverWhatIsThere() throws IOException {
    Path below = layer("below", "/usr/lib/kept", "kept");
    Path top = store.newFolder();
    Files.createSymbolicLink(top.resolve("lib"), Path.of("usr/lib"));
    store.publish(top, "top");
    Path source = Files.createDirectory(folder.resolve("source"));
    Files.writeString(Files.createDirectory(source.resolve("lib")).resolve("new"), "new");
    Files.createSymbolicLink(source.resolve("link"), Path.of("nowhere"));

    try (LayerMount mount = LayerMount.of(store, List.of(below, store.layer("top")))) {
      new FileCopier(mount.files(), new FileCopier.Owner(7, 8), 0640).copy(source, "/");

      assertThat(mount.files().read("/usr/lib/new")).isEqualTo("new");
      assertThat(mount.files().read("/lib/kept")).isEqualTo("kept");
      assertThat(mount.files().entry("/link")).isSymbolicLink();
      Path file = mount.files().resolve("/lib/new");
      assertThat(Files.getAttribute(file, "unix:uid")).isEqualTo(7);
      assertThat((int) Files.getAttribute(file, "unix:mode") & 07777).isEqualTo(0640);
      mount.publish(store, "merged");
    }
  }

  @Test
  void aFileDoesNotReplaceAFolder() throws IOException {
    Path below = layer("below", "/folder/file", "x");
    Path source = Files.writeString(folder.resolve("source"), "y");

    try (LayerMount mount = LayerMount.of(store, List.of(below))) {
      FileCopier copier = new FileCopier(mount.files(), null, null);
      assertThatThrownBy(() -> copier.copy(source, "/folder"))
          .isInstanceOf(BuildFailure.class)
          .hasMessageContaining("'/folder' is a folder");
      assertThatThrownBy(() -> copier.copy(source, "/folder/file/below"))
          .hasMessageContaining("is a file");
    }
  }

  /** The goal is 5 ms on a quiet machine; a test runs beside others. */
  @Test
  void thirtyLayersAreMountedInMilliseconds() throws IOException {
    List<Path> layers = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      layers.add(layer("step-" + i, "/usr/lib/file" + i, "" + i));
    }
    List<Long> micros = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      Path place = store.newFolder();
      for (String part : List.of("root", "upper", "work")) {
        Files.createDirectory(place.resolve(part));
      }
      long began = System.nanoTime();
      Mounts.mountOverlay(
          layers, place.resolve("upper"), place.resolve("work"), place.resolve("root"), false);
      micros.add((System.nanoTime() - began) / 1000);
      assertThat(place.resolve("root/usr/lib/file29")).hasContent("29");
      Mounts.unmountAllBelow(place);
    }
    micros.sort(null);
    long median = micros.get(micros.size() / 2);
    System.out.printf(
        "An overlay of 30 layers is mounted in %.2f ms (median of 20; the longest %.2f ms).%n",
        median / 1000.0, micros.getLast() / 1000.0);

    assertThat(median).isLessThan(25_000);
  }
}
