package dev.troupe.node.image;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class AptSourcesTest {

  @Test
  void keepsMirrorAndTrustForAnotherRelease() {
    AptSources sources =
        new AptSources(
            AptSources.parseStanzas(
                """
                Types: deb
                # a comment
                URIs: http://mirror.example/debian
                Suites: bookworm bookworm-updates
                Components: main contrib
                Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

                Types: deb
                URIs: http://mirror.example/debian-security
                Suites: bookworm-security
                Components: main
                Trusted: yes
                """));

    assertThat(sources.forRelease("trixie"))
        .hasValue(
            """
            Types: deb
            URIs: http://mirror.example/debian
            Suites: trixie trixie-updates
            Components: main
            Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

            Types: deb
            URIs: http://mirror.example/debian-security
            Suites: trixie-security
            Components: main
            Trusted: yes

            """);
  }

  @Test
  void readsTheOldForm() {
    AptSources sources =
        new AptSources(
            AptSources.parseLines(
                """
                # deb http://old.example/debian bookworm main
                deb [signed-by=/k.gpg arch=amd64] http://mirror.example/debian bookworm main # why
                deb-src http://mirror.example/debian bookworm main
                deb http://mirror.example/debian bookworm-backports main
                """));

    assertThat(sources.forRelease("bookworm"))
        .hasValue(
            """
            Types: deb
            URIs: http://mirror.example/debian
            Suites: bookworm
            Components: main
            Signed-By: /k.gpg
            Architectures: amd64

            """);
  }

  @Test
  void othersPackagesAreNoMirrorOfDebian() {
    AptSources sources =
        new AptSources(
            AptSources.parseLines("deb https://packages.example/apt cloud-sdk-bookworm main\n"));

    assertThat(sources.forRelease("bookworm")).isEmpty();
  }
}
