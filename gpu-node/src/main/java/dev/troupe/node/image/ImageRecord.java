package dev.troupe.node.image;

import java.util.List;
import java.util.Map;

/**
 * A built image: which layers, and what was set in them. Kept as JSON under the image's id.
 *
 * @param layers keys of its layers, lowest first
 * @param pythonVersion as the client shows it, {@code Python 3.11.2}
 * @param libcVersion of its C library
 */
public record ImageRecord(
    List<String> layers,
    Map<String, String> environment,
    String workingDirectory,
    List<String> command,
    String pythonVersion,
    String libcVersion) {

  public ImageRecord {
    layers = List.copyOf(layers);
    environment = Map.copyOf(environment);
    command = List.copyOf(command);
  }

  /** Series of its Python, {@code 3.11}: compiled code of one series runs on no other. */
  public String pythonSeries() {
    String[] parts = pythonVersion.replace("Python ", "").split("\\.", 3);
    return parts.length < 2 ? "" : parts[0] + "." + parts[1];
  }
}
