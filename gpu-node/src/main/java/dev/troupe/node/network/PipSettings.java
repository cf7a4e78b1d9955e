package dev.troupe.node.network;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The settings of this machine's pip that say where packages come from: those of its files, the
 * machine's before the user's, and of its variables, which count most.
 *
 * @param values by name, as the command line has it: {@code index-url}
 */
record PipSettings(Map<String, String> values) {

  /** Variables of uv that are for it what these settings are for pip. */
  static final Set<String> UV_VARIABLES =
      Set.of(
          "UV_DEFAULT_INDEX",
          "UV_INDEX",
          "UV_INDEX_URL",
          "UV_EXTRA_INDEX_URL",
          "UV_INSECURE_HOST",
          "UV_HTTP_TIMEOUT");

  private static final List<String> PASSED =
      List.of(
          "index-url",
          "extra-index-url",
          "trusted-host",
          "find-links",
          "no-index",
          "proxy",
          "retries",
          "timeout",
          "default-timeout");

  private static final List<String> CERTIFICATES = List.of("cert", "client-cert");

  static PipSettings ofThisMachine(Map<String, String> environment) throws IOException {
    Map<String, String> global = new LinkedHashMap<>();
    Map<String, String> install = new LinkedHashMap<>();
    for (Path file : files(environment)) {
      if (Files.isReadable(file) && Files.isRegularFile(file)) {
        parse(Files.readString(file), global, install);
      }
    }
    Map<String, String> values = new LinkedHashMap<>(global);
    values.putAll(install);
    environment.forEach(
        (name, value) -> {
          if (name.startsWith("PIP_") && !value.isBlank()) {
            values.put(nameOf(name.substring("PIP_".length())), value.strip());
          }
        });
    return new PipSettings(Map.copyOf(values));
  }

  /** Those that pip reads; {@code PIP_CONFIG_FILE=/dev/null} stands for none at all. */
  private static List<Path> files(Map<String, String> environment) {
    String own = environment.getOrDefault("PIP_CONFIG_FILE", "");
    if (own.equals("/dev/null")) {
      return List.of();
    }
    List<Path> files = new ArrayList<>();
    files.add(Path.of("/etc/xdg/pip/pip.conf"));
    files.add(Path.of("/etc/pip.conf"));
    String home = environment.getOrDefault("HOME", "");
    if (!home.isEmpty()) {
      files.add(Path.of(home, ".pip", "pip.conf"));
      files.add(Path.of(home, ".config", "pip", "pip.conf"));
    }
    if (!own.isEmpty()) {
      files.add(Path.of(own));
    }
    return files;
  }

  /** Reads a file as pip's own reader does: indented lines belong to the setting above them. */
  static void parse(String text, Map<String, String> global, Map<String, String> install) {
    Map<String, Map<String, String>> sections = Map.of("global", global, "install", install);
    String section = "";
    String name = "";
    for (String line : text.lines().toList()) {
      String words = line.strip();
      if (words.isEmpty() || words.startsWith("#") || words.startsWith(";")) {
        continue;
      }
      Map<String, String> settings = sections.get(section);
      if (Character.isWhitespace(line.charAt(0)) && !name.isEmpty()) {
        if (settings != null) {
          settings.merge(name, words, (before, more) -> (before + " " + more).strip());
        }
        continue;
      }
      name = "";
      if (words.startsWith("[") && words.endsWith("]")) {
        section = words.substring(1, words.length() - 1).strip();
        continue;
      }
      String[] pair = words.split("[=:]", 2);
      if (pair.length == 2) {
        name = nameOf(pair[0]);
        if (settings != null) {
          settings.put(name, pair[1].strip());
        }
      }
    }
  }

  private static String nameOf(String written) {
    return written.strip().toLowerCase(Locale.ROOT).replace('_', '-').replaceFirst("^--", "");
  }

  /** As pip's own variables; a folder of this machine is none of a container. */
  Map<String, String> variables() {
    Map<String, String> variables = new LinkedHashMap<>();
    for (String name : PASSED) {
      String value = values.getOrDefault(name, "");
      String passed = name.equals("find-links") ? addresses(value) : value;
      if (!passed.isEmpty()) {
        variables.put(variable(name), passed);
      }
    }
    return variables;
  }

  private static String addresses(String places) {
    return Stream.of(places.split("\\s+"))
        .filter(place -> place.startsWith("http://") || place.startsWith("https://"))
        .collect(Collectors.joining(" "));
  }

  /** Files that a variable of pip names. */
  Map<String, Path> certificates() {
    Map<String, Path> files = new LinkedHashMap<>();
    for (String name : CERTIFICATES) {
      String file = values.getOrDefault(name, "");
      if (!file.isEmpty() && Files.isReadable(Path.of(file))) {
        files.put(variable(name), Path.of(file));
      }
    }
    return files;
  }

  /** The same for uv. */
  Map<String, String> variablesOfUv() {
    Map<String, String> variables = new LinkedHashMap<>();
    Map.of(
            "index-url", "UV_INDEX_URL",
            "extra-index-url", "UV_EXTRA_INDEX_URL",
            "trusted-host", "UV_INSECURE_HOST")
        .forEach(
            (name, variable) -> {
              if (values.containsKey(name)) {
                variables.put(variable, values.get(name));
              }
            });
    return variables;
  }

  private static String variable(String name) {
    return "PIP_" + name.toUpperCase(Locale.ROOT).replace('-', '_');
  }
}
