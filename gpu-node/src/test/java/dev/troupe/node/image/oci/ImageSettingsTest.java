package dev.troupe.node.image.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import dev.troupe.node.image.BuildFailure;
import java.net.URI;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ImageSettingsTest {

  private static ImageSettings read(String own) {
    return ImageSettings.from(
        ConfigFactory.parseString(own)
            .withFallback(ConfigFactory.defaultReference())
            .getConfig("troupe"));
  }

  @Test
  void defaultsAskRegistriesAndNothingElse() throws BuildFailure {
    ImageSettings settings = read("");

    assertThat(settings.offline()).isFalse();
    assertThat(settings.parallelTransfers()).isEqualTo(3);
    assertThat(settings.layerLimitBytes()).isEqualTo(64L << 30);
    assertThat(settings.layerEntries()).isEqualTo(2_000_000);
    assertThat(settings.standalonePython()).isEmpty();
    assertThat(settings.mirrorsOf(ImageName.parse("ubuntu"))).isEmpty();
  }

  @Test
  void mirrorsAreThoseOfTheNamesRegistry() throws BuildFailure {
    ImageSettings settings =
        read(
            """
            troupe.images.mirrors {
              default = ["http://one.example:5000", "https://two.example/proxy"]
              "registry.example" = "https://three.example"
            }
            troupe.images.standalone-python { "3.12" = /srv/python.tar.gz }
            """);

    assertThat(settings.mirrorsOf(ImageName.parse("ubuntu")))
        .containsExactly(
            URI.create("http://one.example:5000"), URI.create("https://two.example/proxy"));
    assertThat(settings.mirrorsOf(ImageName.parse("registry.example/x")))
        .containsExactly(URI.create("https://three.example"));
    assertThat(settings.mirrorsOf(ImageName.parse("other.example/x"))).isEmpty();
    assertThat(settings.standalonePython()).containsEntry("3.12", Path.of("/srv/python.tar.gz"));
    assertThatThrownBy(() -> read("troupe.images.mirrors { default = [\"ftp://x\"] }"))
        .hasMessageContaining("troupe.images.mirrors of \"default\"");
  }

  @Test
  void onlyThisMachineAndWhatIsNamedIsSpokenToWithoutTls() throws BuildFailure {
    ImageSettings settings =
        read("troupe.images.insecure-registries = [\"near.example\", \"far.example:5000\"]");

    for (String name :
        new String[] {
          "localhost/x",
          "localhost:5000/x",
          "127.0.0.1:5000/x",
          "near.example/x",
          "near.example:1/x",
          "far.example:5000/x"
        }) {
      assertThat(settings.isInsecure(ImageName.parse(name))).as(name).isTrue();
    }
    for (String name : new String[] {"ubuntu", "far.example/x", "127.0.0.1.example/x"}) {
      assertThat(settings.isInsecure(ImageName.parse(name))).as(name).isFalse();
    }
  }
}
