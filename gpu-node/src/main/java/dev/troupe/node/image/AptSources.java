package dev.troupe.node.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The package sources of this machine, and the same mirrors for another release of Debian. Reads
 * both forms that apt has: one line a source, and stanzas.
 *
 * @param sources those with a Debian release, in the order they stand
 */
record AptSources(List<Source> sources) {

  private static final List<String> RELEASES =
      List.of("buster", "bullseye", "bookworm", "trixie", "forky", "stable", "oldstable");

  /**
   * One source.
   *
   * @param options further fields, such as {@code Signed-By}, by the names stanzas have for them
   */
  record Source(
      List<String> uris,
      List<String> suites,
      List<String> components,
      Map<String, String> options) {}

  static AptSources ofThisMachine(Path directory) throws IOException {
    List<Source> sources = new ArrayList<>();
    List<Path> files = new ArrayList<>();
    files.add(directory.resolve("sources.list"));
    Path parts = directory.resolve("sources.list.d");
    if (Files.isDirectory(parts)) {
      try (Stream<Path> entries = Files.list(parts)) {
        files.addAll(entries.sorted().toList());
      }
    }
    for (Path file : files) {
      if (!Files.isReadable(file)) {
        continue;
      }
      if (file.toString().endsWith(".list")) {
        sources.addAll(parseLines(Files.readString(file)));
      } else if (file.toString().endsWith(".sources")) {
        sources.addAll(parseStanzas(Files.readString(file)));
      }
    }
    return new AptSources(List.copyOf(sources));
  }

  static List<Source> parseLines(String text) {
    List<Source> sources = new ArrayList<>();
    for (String raw : text.split("\n", -1)) {
      String line = raw.replaceFirst("#.*", "").strip();
      if (!line.startsWith("deb ")) {
        continue;
      }
      String rest = line.substring(4).strip();
      Map<String, String> options = new LinkedHashMap<>();
      if (rest.startsWith("[") && rest.indexOf(']') > 0) {
        for (String option : words(rest.substring(1, rest.indexOf(']')))) {
          String[] pair = option.split("=", 2);
          options.put(fieldName(pair[0]), pair.length > 1 ? pair[1].replace(',', ' ') : "");
        }
        rest = rest.substring(rest.indexOf(']') + 1).strip();
      }
      List<String> fields = words(rest);
      if (fields.size() >= 3) {
        sources.add(
            new Source(
                List.of(fields.get(0)),
                List.of(fields.get(1)),
                fields.subList(2, fields.size()),
                options));
      }
    }
    return sources;
  }

  private static String fieldName(String option) {
    return switch (option.toLowerCase(Locale.ROOT)) {
      case "signed-by" -> "Signed-By";
      case "trusted" -> "Trusted";
      case "arch" -> "Architectures";
      default -> option;
    };
  }

  static List<Source> parseStanzas(String text) {
    List<Source> sources = new ArrayList<>();
    Map<String, String> fields = new LinkedHashMap<>();
    String last = "";
    for (String line : (text + "\n\n").split("\n", -1)) {
      if (line.startsWith("#")) {
        continue;
      }
      if (line.isBlank()) {
        source(fields).ifPresent(sources::add);
        fields = new LinkedHashMap<>();
        last = "";
      } else if (Character.isWhitespace(line.charAt(0)) && !last.isEmpty()) {
        fields.merge(last, "\n" + line, String::concat);
      } else if (line.indexOf(':') > 0) {
        last = line.substring(0, line.indexOf(':')).strip();
        fields.put(last, line.substring(line.indexOf(':') + 1).strip());
      }
    }
    return sources;
  }

  private static Optional<Source> source(Map<String, String> fields) {
    boolean binary = words(fields.getOrDefault("Types", "")).contains("deb");
    boolean enabled = !fields.getOrDefault("Enabled", "yes").equalsIgnoreCase("no");
    if (!binary || !enabled) {
      return Optional.empty();
    }
    Map<String, String> options = new LinkedHashMap<>(fields);
    List.of("Types", "URIs", "Suites", "Components", "Enabled").forEach(options::remove);
    return Optional.of(
        new Source(
            words(fields.getOrDefault("URIs", "")),
            words(fields.getOrDefault("Suites", "")),
            words(fields.getOrDefault("Components", "")),
            options));
  }

  private static List<String> words(String text) {
    return Stream.of(text.strip().split("\\s+", -1)).filter(word -> !word.isEmpty()).toList();
  }

  /**
   * The same mirrors for another release, as stanzas; empty where this machine has no source of
   * Debian's main packages.
   */
  Optional<String> forRelease(String release) {
    StringBuilder text = new StringBuilder();
    boolean hasMain = false;
    for (Source source : sources) {
      List<String> suites =
          source.suites().stream()
              .filter(suite -> RELEASES.contains(baseOf(suite)) && !suite.endsWith("-backports"))
              .map(suite -> release + suite.substring(baseOf(suite).length()))
              .toList();
      if (suites.isEmpty() || !source.components().contains("main")) {
        continue;
      }
      hasMain |= suites.contains(release);
      text.append("Types: deb\n");
      text.append("URIs: ").append(String.join(" ", source.uris())).append('\n');
      text.append("Suites: ").append(String.join(" ", suites)).append('\n');
      text.append("Components: main\n");
      source.options().forEach((name, value) -> text.append(name + ": " + value + "\n"));
      text.append('\n');
    }
    return hasMain ? Optional.of(text.toString()) : Optional.empty();
  }

  private static String baseOf(String suite) {
    int end = suite.length();
    for (int i = 0; i < suite.length(); i++) {
      if (suite.charAt(i) == '-' || suite.charAt(i) == '/') {
        end = i;
        break;
      }
    }
    return suite.substring(0, end);
  }
}
