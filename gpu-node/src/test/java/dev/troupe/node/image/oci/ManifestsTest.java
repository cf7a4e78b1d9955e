package dev.troupe.node.image.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.node.image.BuildFailure;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ManifestsTest {

  private static final String A = "sha256:" + "a".repeat(64);
  private static final String B = "sha256:" + "b".repeat(64);

  private static final String MANIFEST =
      """
      {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
       "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "%s", "size": 7},
       "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": "%s", "size": 9}]}
      """
          .formatted(A, B);

  private static final String INDEX =
      """
      {"schemaVersion": 2, "manifests": [
        {"digest": "%s", "size": 1, "platform": {"os": "linux", "architecture": "arm64"}},
        {"digest": "%s", "size": 2, "platform": {"os": "linux", "architecture": "amd64"},
         "annotations": {"org.opencontainers.image.ref.name": "x:1"}}]}
      """
          .formatted(A, B);

  private static final String CONFIGURATION =
      """
      {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": ["%s"]},
       "config": {"Env": ["PATH=/bin", "EMPTY=", "TWICE=1", "TWICE=a=b"], "WorkingDir": "/srv",
         "Entrypoint": ["/run", "it"], "Cmd": null, "User": "me:us", "Shell": ["/bin/bash", "-c"]}}
      """
          .formatted(A);

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static Manifests.Manifest manifest() throws BuildFailure {
    return (Manifests.Manifest) Manifests.read(bytes(MANIFEST), "It");
  }

  @Test
  void aManifestNamesItsConfigurationAndItsLayers() throws BuildFailure {
    assertThat(manifest().configuration().digest()).isEqualTo(new Digest(A));
    assertThat(manifest().layers())
        .containsExactly(
            new Descriptor("application/vnd.oci.image.layer.v1.tar+gzip", new Digest(B), 9));
  }

  @Test
  void theManifestOfThePlatformIsChosenFromAnIndex() throws BuildFailure {
    Manifests.Index index = (Manifests.Index) Manifests.read(bytes(INDEX), "It");

    assertThat(RegistryImages.choose(index, new Platform("linux", "amd64"), "x").digest())
        .isEqualTo(new Digest(B));
    assertThat(index.entries().getLast().refName()).isEqualTo(Optional.of("x:1"));
    assertThatThrownBy(() -> RegistryImages.choose(index, new Platform("linux", "riscv64"), "x"))
        .isInstanceOf(BuildFailure.class)
        .hasMessage("x is for linux/amd64, linux/arm64, and this machine is linux/riscv64.");
  }

  @Test
  void aConfigurationSaysHowTheImageRuns() throws BuildFailure {
    ImageConfiguration configuration =
        Manifests.readConfiguration(bytes(CONFIGURATION), manifest(), "It");

    assertThat(configuration.environment())
        .isEqualTo(Map.of("PATH", "/bin", "EMPTY", "", "TWICE", "a=b"));
    assertThat(configuration.workingDirectory()).isEqualTo("/srv");
    assertThat(configuration.entrypoint()).containsExactly("/run", "it");
    assertThat(configuration.command()).isEmpty();
    assertThat(configuration.user()).isEqualTo("me:us");
    assertThat(configuration.shell()).containsExactly("/bin/bash", "-c");
  }

  @Test
  void aLayerThatStandsTwiceCountsWhereItStandsLast() {
    Digest a = new Digest(A);
    Digest b = new Digest(B);
    OciImage image =
        OciImage.of(
            "x",
            a,
            new ImageConfiguration(
                new Platform("linux", "amd64"),
                List.of(a, b, a),
                Map.of(),
                "",
                List.of(),
                List.of(),
                "",
                List.of()));

    assertThat(image.layers()).containsExactly(OciImage.layerKey(b), OciImage.layerKey(a));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "null",
        "nonsense",
        "{\"schemaVersion\": 1}",
        "{\"schemaVersion\": 2}",
        "{\"schemaVersion\": 2, \"config\": {}, \"layers\": []}",
        "{\"schemaVersion\": 2, \"config\": {\"digest\": \"md5:00\", \"size\": 1}, \"layers\": []}",
        "{\"schemaVersion\": 2, \"config\": {\"digest\": 5, \"size\": 1}, \"layers\": []}",
        "{\"schemaVersion\": 2, \"manifests\": [{}]}",
        "{\"schemaVersion\": 2, \"manifests\": [5]}",
      })
  void whatIsNoManifestIsRefusedWithASentence(String text) {
    assertThatThrownBy(() -> Manifests.read(bytes(text), "It"))
        .isInstanceOf(BuildFailure.class)
        .hasMessageStartingWith("It ");
  }

  /** A failing seed goes into the list and stays there. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 20_261_124})
  void foreignBytesEndInAnAnswerOrASentence(long seed) throws BuildFailure {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    Manifests.Manifest manifest = manifest();
    List<String> words =
        List.of(
            "null",
            "5",
            "-1",
            "1e99",
            "{}",
            "[]",
            "\"\"",
            "[[[",
            "\"sha256:x\"",
            "true",
            "\\u0000",
            "");
    for (int round = 0; round < 1_500; round++) {
      String text = List.of(MANIFEST, INDEX, CONFIGURATION).get(random.nextInt(3));
      for (int i = random.nextInt(1, 4); i > 0; i--) {
        int at = random.nextInt(text.length());
        int to = Math.min(text.length(), at + random.nextInt(20));
        text = text.substring(0, at) + words.get(random.nextInt(words.size())) + text.substring(to);
      }
      try {
        Manifests.read(bytes(text), "It");
      } catch (BuildFailure refused) {
        assertThat(refused).as("seed %d", seed).hasMessageStartingWith("It ");
      }
      try {
        Manifests.readConfiguration(bytes(text), manifest, "It");
      } catch (BuildFailure refused) {
        assertThat(refused).as("seed %d", seed).hasMessageStartingWith("It ");
      }
    }
  }
}
