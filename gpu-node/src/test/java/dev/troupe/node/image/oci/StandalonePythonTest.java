package dev.troupe.node.image.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import dev.troupe.node.image.BuildFailure;
import dev.troupe.node.image.ImageStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Needs root, for the owners of files. */
@Tag("machine")
class StandalonePythonTest {

  private static final String MOUNT = "python-build-standalone.20230826.3.11.5-gnu";

  @TempDir private Path directory = Path.of("unset");

  private StandalonePython pythons(String setting) throws IOException {
    return new StandalonePython(
        ImageStore.open(directory.resolve("store")),
        ImageSettings.from(
            ConfigFactory.parseString("troupe.images.standalone-python { " + setting + " }")
                .withFallback(ConfigFactory.defaultReference())
                .getConfig("troupe")));
  }

  private Path archive(TarMaker tar) throws IOException {
    return Files.write(directory.resolve("python.tar.gz"), TarMaker.gzip(tar.bytes()));
  }

  @Test
  void theArchiveOfTheSettingIsUnpackedOnce() throws Exception {
    Path archive =
        archive(
            new TarMaker()
                .file("python/bin/python3.11", "program", TarMaker.like(0755, 0, 0))
                .symlink("python/bin/python3", "python3.11"));
    StandalonePython pythons = pythons("\"3.11\" = \"" + archive + "\"");

    Path folder = pythons.folder(MOUNT);

    assertThat(folder.resolve("python/bin/python3")).content().isEqualTo("program");
    assertThat(pythons.folder(MOUNT)).isEqualTo(folder);
    assertThat(pythons("\"3.11.5\" = \"" + archive + "\"").folder(MOUNT)).isEqualTo(folder);
  }

  @Test
  void withoutAnArchiveTheSettingIsNamed() throws Exception {
    assertThatThrownBy(() -> pythons("").folder(MOUNT))
        .isInstanceOf(BuildFailure.class)
        .hasMessageContaining("Python 3.11.5")
        .hasMessageContaining("troupe.images.standalone-python { \"3.11\" =");
    assertThatThrownBy(() -> pythons("\"3.11\" = /missing.tar.gz").folder(MOUNT))
        .isInstanceOf(BuildFailure.class)
        .hasMessageContaining("/missing.tar.gz");
    assertThatThrownBy(() -> pythons("").folder("python-build-standalone.x"))
        .isInstanceOf(BuildFailure.class);
  }

  @Test
  void anArchiveOfSomethingElseIsRefused() throws Exception {
    Path archive = archive(new TarMaker().file("other/bin/python3", "x"));

    assertThatThrownBy(() -> pythons("\"3.11\" = \"" + archive + "\"").folder(MOUNT))
        .isInstanceOf(BuildFailure.class)
        .hasMessageContaining("install_only");
    Path hostile = archive(new TarMaker().file("../escaped", "x"));
    assertThatThrownBy(() -> pythons("\"3.11\" = \"" + hostile + "\"").folder(MOUNT))
        .isInstanceOf(BuildFailure.class)
        .hasMessageContaining("leads out");
  }
}
