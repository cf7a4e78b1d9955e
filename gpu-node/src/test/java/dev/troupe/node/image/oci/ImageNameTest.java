package dev.troupe.node.image.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.node.image.BuildFailure;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImageNameTest {

  private static final String DIGEST = "sha256:" + "0123456789abcdef".repeat(4);

  @Test
  void whatANameLeavesOutIsFilledIn() throws BuildFailure {
    ImageName bare = ImageName.parse("ubuntu");

    assertThat(bare.registry()).isEqualTo(ImageName.defaultRegistry());
    assertThat(bare.repository()).isEqualTo("library/ubuntu");
    assertThat(bare.tag()).hasValue("latest");
    assertThat(ImageName.parse("ubuntu:22.04").qualifier()).isEqualTo("22.04");
    assertThat(ImageName.parse("some/thing").repository()).isEqualTo("some/thing");
    assertThat(ImageName.parse(bare.toString())).isEqualTo(bare);
  }

  @Test
  void aRegistryOfItsOwnIsKept() throws BuildFailure {
    ImageName name = ImageName.parse("127.0.0.1:5000/a/b:c");

    assertThat(name.registry()).isEqualTo("127.0.0.1:5000");
    assertThat(name.repository()).isEqualTo("a/b");
    assertThat(name).hasToString("127.0.0.1:5000/a/b:c");
    assertThat(ImageName.parse("localhost/x").registry()).isEqualTo("localhost");
  }

  @Test
  void aDigestGoesBeforeATag() throws BuildFailure {
    ImageName name = ImageName.parse("registry.example/x:tag@" + DIGEST);

    assertThat(name.tag()).isEmpty();
    assertThat(name.digest()).isEqualTo(Optional.of(new Digest(DIGEST)));
    assertThat(name).hasToString("registry.example/x@" + DIGEST);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "Upper",
        "a:b:c",
        "a@sha256:5",
        "a b",
        "../x",
        "a/../b",
        "x?y",
        "a\nb",
        "scratch"
      })
  void whatIsNoNameIsRefused(String text) {
    assertThatThrownBy(() -> ImageName.parse(text)).isInstanceOf(BuildFailure.class);
  }
}
