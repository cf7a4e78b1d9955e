package dev.troupe.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.yaml.snakeyaml.Yaml;
import picocli.CommandLine;

/** The files of deploy/ name commands, flags and settings that this release has. */
class DeploymentFilesTest {

  private static final Path DEPLOY = Path.of("../deploy");

  private static List<Map<String, Object>> manifests() throws IOException {
    List<Map<String, Object>> all = new ArrayList<>();
    try (Stream<Path> files = Files.list(DEPLOY.resolve("kubernetes"))) {
      for (Path file : files.sorted().toList()) {
        for (Object document : new Yaml().loadAll(Files.readString(file))) {
          all.add(map(document));
        }
      }
    }
    assertThat(all).hasSizeGreaterThanOrEqualTo(5);
    return all;
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> map(Object value) {
    return (Map<String, Object>) value;
  }

  /** What lies at a path of names and numbers. */
  private static Object at(Object value, Object... path) {
    Object here = value;
    for (Object step : path) {
      Object next = step instanceof Integer index ? list(here).get(index) : map(here).get(step);
      here = Objects.requireNonNull(next, step + " of " + Arrays.toString(path));
    }
    return here;
  }

  @SuppressWarnings("unchecked")
  private static List<Object> list(Object value) {
    return (List<Object>) value;
  }

  private static Map<String, Object> manifest(String kind) throws IOException {
    return manifests().stream()
        .filter(each -> kind.equals(each.get("kind")))
        .findFirst()
        .orElseThrow();
  }

  /** A file in the place of each "@FILE", which is read where the command runs. */
  private static void parses(List<?> arguments, Path token) {
    String[] words =
        arguments.stream()
            .map(word -> word.toString().replaceFirst("^@.*", "@" + token))
            .toArray(String[]::new);
    new CommandLine(new Main()).parseArgs(words);
  }

  @Test
  void podsRunCommandsThatThereAre(@TempDir Path directory) throws IOException {
    Path token = Files.writeString(directory.resolve("token"), "machine:secret");

    parses(list(at(manifest("StatefulSet"), container("args"))), token);
    parses(list(at(manifest("DaemonSet"), container("args"))), token);
  }

  private static Object[] container(Object... path) {
    return Stream.concat(
            Stream.of("spec", "template", "spec", "containers", 0), Arrays.stream(path))
        .toArray();
  }

  @Test
  void probesAskForPathsThatAreAnswered() throws IOException {
    Map<String, Object> server = manifest("StatefulSet");

    for (String probe : List.of("startupProbe", "livenessProbe")) {
      assertThat(at(server, container(probe, "httpGet", "path"))).isEqualTo("/healthz");
    }
    assertThat(at(server, container("readinessProbe", "httpGet", "path"))).isEqualTo("/readyz");
    assertThat(at(server, container("ports", 0, "containerPort"))).isEqualTo(8420);
  }

  @Test
  void aPodHasTheTimeThatAnEndTakes() throws IOException {
    for (String kind : List.of("StatefulSet", "DaemonSet")) {
      assertThat(
              (Integer)
                  at(manifest(kind), "spec", "template", "spec", "terminationGracePeriodSeconds"))
          .isGreaterThan(45);
    }
  }

  @Test
  void theSettingsAreOnesThatThereAre() throws IOException {
    onlyKnown(at(manifest("ConfigMap"), "data", "troupe.conf").toString());
    onlyKnown(Files.readString(DEPLOY.resolve("image/troupe.conf")));
    onlyKnown(Files.readString(Path.of("src/main/distribution/conf/troupe.conf")));
  }

  private static void onlyKnown(String settings) {
    Config known = ConfigFactory.defaultReference();
    assertThat(ConfigFactory.parseString(settings).resolve().entrySet())
        .isNotEmpty()
        .allSatisfy(entry -> assertThat(known.hasPath(entry.getKey())).as(entry.getKey()).isTrue());
  }

  @Test
  void unitsStartCommandsThatThereAre(@TempDir Path directory) throws IOException {
    Path token = Files.writeString(directory.resolve("token"), "machine:secret");
    try (Stream<Path> units = Files.list(DEPLOY.resolve("systemd"))) {
      List<Path> all = units.toList();
      assertThat(all).hasSize(2);
      for (Path unit : all) {
        String start =
            Files.readAllLines(unit).stream()
                .filter(line -> line.startsWith("ExecStart="))
                .findFirst()
                .orElseThrow();
        List<String> words = List.of(start.substring("ExecStart=".length()).split(" ", -1));
        assertThat(words.getFirst()).isEqualTo("/opt/troupe/bin/troupe-server");
        parses(words.subList(1, words.size()), token);
      }
    }
  }
}
