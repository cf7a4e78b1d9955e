package dev.troupe.node.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import dev.troupe.node.container.ContainerDriver.Bind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PackageSettingsTest {

  private final Path folder;

  PackageSettingsTest(@TempDir Path folder) {
    this.folder = folder;
  }

  @Test
  void whatPipIsToldIsToldToPipAndUv() throws IOException {
    Path file = folder.resolve("pip.conf");
    Files.writeString(
        file,
        """
        # of the machine
        [global]
        index_url = https://packages.example/simple
        extra-index-url =
            https://more.example/simple
            https://most.example/simple
        find-links = /opt/wheels https://wheels.example/
        [install]
        trusted-host: packages.example
        [freeze]
        timeout = 5
        """);

    PackageSettings settings = in(Map.of("PIP_CONFIG_FILE", file.toString(), "PIP_RETRIES", "9"));

    assertThat(settings.environment())
        .contains(
            entry("PIP_INDEX_URL", "https://packages.example/simple"),
            entry("PIP_EXTRA_INDEX_URL", "https://more.example/simple https://most.example/simple"),
            entry("PIP_FIND_LINKS", "https://wheels.example/"),
            entry("PIP_TRUSTED_HOST", "packages.example"),
            entry("PIP_RETRIES", "9"),
            entry("UV_INDEX_URL", "https://packages.example/simple"),
            entry("UV_INSECURE_HOST", "packages.example"))
        .doesNotContainKeys("PIP_TIMEOUT", "PIP_CONFIG_FILE", "APT_CONFIG");
  }

  @Test
  void aVariableCountsMoreThanAFile() throws IOException {
    Path file = folder.resolve("pip.conf");
    Files.writeString(file, "[install]\nindex-url = https://file.example/simple\n");

    PackageSettings settings =
        in(
            Map.of(
                "PIP_CONFIG_FILE",
                file.toString(),
                "PIP_INDEX_URL",
                "https://variable.example/simple",
                "UV_DEFAULT_INDEX",
                "https://uv.example/simple"));

    assertThat(settings.environment())
        .containsEntry("PIP_INDEX_URL", "https://variable.example/simple")
        .containsEntry("UV_DEFAULT_INDEX", "https://uv.example/simple")
        .doesNotContainKey("UV_INDEX_URL");
  }

  @Test
  void filesThatAreNamedAreBoundBelowOneFolder() throws IOException {
    Path certificate = Files.writeString(folder.resolve("own.pem"), "a certificate");

    PackageSettings settings =
        PackageSettings.in(
            folder.resolve("made"),
            Map.of("PIP_CONFIG_FILE", "/dev/null", "PIP_CERT", certificate.toString()),
            List.of("Acquire::https::CaInfo \"" + certificate + "\";"));

    assertThat(settings.environment())
        .containsExactlyInAnyOrderEntriesOf(
            Map.of("PIP_CERT", "/etc/troupe/pip_cert", "APT_CONFIG", "/etc/troupe/apt.conf"));
    assertThat(settings.binds())
        .containsExactly(
            new Bind(folder.resolve("made"), "/etc/troupe", true),
            new Bind(certificate, "/etc/troupe/pip_cert", true),
            new Bind(certificate, "/etc/troupe/apt-1", true));
    assertThat(folder.resolve("made/apt.conf"))
        .hasContent("Acquire::https::CaInfo \"/etc/troupe/apt-1\";");
    assertThat(folder.resolve("made/ca-certificates.crt")).isEmptyFile();
  }

  @Test
  void whatIsOnTheWayToMirrorsIsToldToApt() throws IOException {
    PackageSettings settings =
        PackageSettings.in(
            folder.resolve("made"),
            Map.of("PIP_CONFIG_FILE", "/dev/null"),
            List.of(
                "Acquire::http::Proxy \"http://proxy.example:3128\";",
                "Acquire::https::Proxy \"http://127.0.0.1:3142/\";",
                "Acquire::Retries \"5\";",
                "Acquire::http::Proxy-Auto-Detect \"/usr/bin/detect\";",
                "APT::Install-Recommends \"0\";"));

    assertThat(settings.environment()).containsOnlyKeys("APT_CONFIG");
    assertThat(folder.resolve("made/apt.conf"))
        .hasContent("Acquire::http::Proxy \"http://proxy.example:3128\";\nAcquire::Retries \"5\";");
  }

  private PackageSettings in(Map<String, String> environment) throws IOException {
    return PackageSettings.in(folder.resolve("made"), environment, List.of());
  }
}
