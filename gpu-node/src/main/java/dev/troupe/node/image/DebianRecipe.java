package dev.troupe.node.image;

import dev.troupe.actors.image.BuildSteps;
import dev.troupe.node.linux.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Makes what stands in for the official Python images where no registry is asked: a small Debian
 * with its own Python, from the mirror that this machine's apt uses.
 */
final class DebianRecipe {

  /** Part of the layer's key: a change of this file that changes the result changes it. */
  static final String VERSION = "2";

  private static final Duration LIMIT = Duration.ofMinutes(20);
  private static final Path APT = Path.of("/etc/apt");
  private static final String PACKAGES = "python3,python3-pip,python3-venv,ca-certificates";

  /** Settings of this machine's apt that reaching the mirror may depend on. */
  private static final Pattern TRANSPORT =
      Pattern.compile(
          "Acquire::(Retries|https?::(Proxy|Proxy::.*|Verify-Peer|Verify-Host|CaInfo|SslCert|SslKey))"
              + " \".*\";");

  /** Makes the root filesystem of a Python series in an empty folder. */
  static void make(String series, Path folder, Consumer<String> log) throws IOException {
    String release =
        Objects.requireNonNull(BuildSteps.PYTHON_TO_DEBIAN.get(series), "a served series");
    String sources =
        AptSources.ofThisMachine(APT)
            .forRelease(release)
            .orElseThrow(
                () ->
                    new BuildFailure(
                        "This machine's apt has no source of Debian's packages in /etc/apt, which"
                            + " base images are made from."));
    log.accept(
        "Making Debian %s with its own Python %s, from this machine's package mirror.%n"
            .formatted(release, series));
    Path list = Files.createTempFile("troupe", ".sources");
    try {
      Files.writeString(list, sources);
      bootstrap(release, folder, list, log);
    } finally {
      Files.deleteIfExists(list);
    }
    finish(series, folder, sources);
  }

  private static void bootstrap(String release, Path folder, Path list, Consumer<String> log)
      throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                "mmdebstrap",
                "--mode=root",
                "--format=directory",
                "--variant=minbase",
                "--include=" + PACKAGES));
    for (String option : transportSettings()) {
      command.add("--aptopt=" + option);
    }
    command.addAll(List.of(release, folder.toString(), list.toString()));
    Command.Result result;
    try {
      result = Command.execute(LIMIT, "", command, Map.of(), log);
    } catch (IOException missing) {
      throw new BuildFailure(
          "mmdebstrap can't be run (%s); on Debian: apt-get install mmdebstrap"
              .formatted(missing.getMessage()));
    }
    if (result.exitCode() != 0) {
      throw new BuildFailure(
          "mmdebstrap ended with %d: %s".formatted(result.exitCode(), result.output().strip()));
    }
  }

  private static List<String> transportSettings() throws IOException {
    return Command.run(Duration.ofSeconds(30), "apt-config", "dump")
        .lines()
        .filter(line -> TRANSPORT.matcher(line).matches())
        .toList();
  }

  /** What the official images have and Debian has not: {@code python}, and a pip that installs. */
  private static void finish(String series, Path folder, String sources) throws IOException {
    Files.deleteIfExists(folder.resolve("usr/lib/python" + series + "/EXTERNALLY-MANAGED"));
    Path programs = Files.createDirectories(folder.resolve("usr/local/bin"));
    for (String name : List.of("python", "python3")) {
      link(programs.resolve(name), "/usr/bin/python" + series);
    }
    recordPackages(folder.resolve("usr/lib/python3/dist-packages"));
    Path parts = folder.resolve("etc/apt/sources.list.d");
    try (Stream<Path> files = Files.list(parts)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.writeString(parts.resolve("debian.sources"), sources);
  }

  /**
   * Writes the RECORD that Debian strips from its Python packages. Without it pip 25 refuses to
   * replace them, and the client's first build step is {@code pip install --upgrade pip wheel}.
   */
  private static void recordPackages(Path packages) throws IOException {
    List<Path> facts;
    try (Stream<Path> entries = Files.list(packages)) {
      facts = entries.filter(entry -> entry.toString().endsWith(".dist-info")).toList();
    }
    for (Path info : facts) {
      Path record = info.resolve("RECORD");
      String name = info.getFileName().toString();
      Path code = packages.resolve(name.substring(0, name.indexOf('-')));
      if (Files.exists(record) || !Files.isDirectory(code)) {
        continue;
      }
      List<String> lines = new ArrayList<>();
      for (Path part : List.of(code, info)) {
        try (Stream<Path> files = Files.walk(part)) {
          files
              .filter(Files::isRegularFile)
              .map(file -> packages.relativize(file) + ",,")
              .forEach(lines::add);
        }
      }
      lines.add(packages.relativize(record) + ",,");
      Files.write(record, lines);
    }
  }

  private static void link(Path link, String target) throws IOException {
    Files.deleteIfExists(link);
    Files.createSymbolicLink(link, Path.of(target));
  }

  private DebianRecipe() {}
}
