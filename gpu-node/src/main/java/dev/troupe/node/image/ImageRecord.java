package dev.troupe.node.image;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A built image: which layers, and what was set in them. Kept as JSON under the image's id; what an
 * older record does not have is empty.
 *
 * @param layers keys of its layers, lowest first
 * @param workingDirectory empty: not set
 * @param entryPoint what runs before every command
 * @param command what runs when nothing else is named
 * @param shell what shell forms of later build steps are given to
 * @param pythonVersion as the client shows it, {@code Python 3.11.2}
 * @param libcVersion of its C library
 * @param fresh the word of the build that was to use nothing kept; empty for others
 */
public record ImageRecord(
    List<String> layers,
    Map<String, String> environment,
    String workingDirectory,
    List<String> entryPoint,
    List<String> command,
    List<String> shell,
    String pythonVersion,
    String libcVersion,
    String fresh) {

  private static final List<String> DEFAULT_SHELL = List.of("/bin/sh", "-c");

  /** An image without layers. */
  static final ImageRecord NOTHING =
      new ImageRecord(List.of(), Map.of(), "", List.of(), List.of(), DEFAULT_SHELL, "", "", "");

  public ImageRecord {
    layers = List.copyOf(layers);
    environment = Map.copyOf(environment);
    entryPoint = orEmpty(entryPoint);
    command = orEmpty(command);
    shell = orEmpty(shell).isEmpty() ? DEFAULT_SHELL : List.copyOf(shell);
    fresh = Objects.requireNonNullElse(fresh, "");
  }

  private static List<String> orEmpty(@Nullable List<String> words) {
    return words == null ? List.of() : List.copyOf(words);
  }

  /** Series of its Python, {@code 3.11}: compiled code of one series runs on no other. */
  public String pythonSeries() {
    String[] parts = pythonVersion.replace("Python ", "").split("\\.", 3);
    return parts.length < 2 ? "" : parts[0] + "." + parts[1];
  }

  /** Where commands run in it. */
  String directory() {
    return workingDirectory.isEmpty() ? "/" : workingDirectory;
  }

  ImageRecord withLayer(String key) {
    List<String> more = new java.util.ArrayList<>(layers);
    more.add(key);
    return withLayers(more);
  }

  ImageRecord withLayers(List<String> others) {
    return new ImageRecord(
        others,
        environment,
        workingDirectory,
        entryPoint,
        command,
        shell,
        pythonVersion,
        libcVersion,
        fresh);
  }

  ImageRecord withEnvironment(Map<String, String> variables) {
    return new ImageRecord(
        layers,
        variables,
        workingDirectory,
        entryPoint,
        command,
        shell,
        pythonVersion,
        libcVersion,
        fresh);
  }

  ImageRecord withDirectory(String path) {
    return new ImageRecord(
        layers, environment, path, entryPoint, command, shell, pythonVersion, libcVersion, fresh);
  }

  ImageRecord withEntryPoint(List<String> words) {
    return new ImageRecord(
        layers,
        environment,
        workingDirectory,
        words,
        command,
        shell,
        pythonVersion,
        libcVersion,
        fresh);
  }

  ImageRecord withCommand(List<String> words) {
    return new ImageRecord(
        layers,
        environment,
        workingDirectory,
        entryPoint,
        words,
        shell,
        pythonVersion,
        libcVersion,
        fresh);
  }

  ImageRecord withShell(List<String> words) {
    return new ImageRecord(
        layers,
        environment,
        workingDirectory,
        entryPoint,
        command,
        words,
        pythonVersion,
        libcVersion,
        fresh);
  }

  ImageRecord withPython(String version, String libc) {
    return new ImageRecord(
        layers, environment, workingDirectory, entryPoint, command, shell, version, libc, fresh);
  }

  ImageRecord builtAs(String word) {
    return new ImageRecord(
        layers,
        environment,
        workingDirectory,
        entryPoint,
        command,
        shell,
        pythonVersion,
        libcVersion,
        word);
  }
}
