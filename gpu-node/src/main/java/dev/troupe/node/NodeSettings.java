package dev.troupe.node;

import com.typesafe.config.Config;
import dev.troupe.node.image.oci.ImageSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Section {@code troupe.agent}.
 *
 * @param enabled whether a server runs an agent in its own process
 * @param machine the machine's name; empty where it makes one at its first start
 * @param dataDirectory of images, logs and container filesystems
 * @param runtime the program that runs containers
 * @param simulatedGpus devices that this machine only pretends to have
 * @param nvmlLibrary the library by which real ones are found; empty: none are looked for
 * @param sandboxStock network namespaces made ahead of need, of each kind
 * @param scratchBytes what a container may write to its own file system where its function does not
 *     say; 0: as much as the machine has
 * @param scratchStock such file systems made ahead of need
 * @param logLimitBytes kept of the output of each app
 * @param logAge how long the output of containers is kept
 * @param labels by which functions may choose this machine
 * @param images section {@code troupe.images}
 */
public record NodeSettings(
    boolean enabled,
    String machine,
    Path dataDirectory,
    String runtime,
    List<String> simulatedGpus,
    String nvmlLibrary,
    int sandboxStock,
    long scratchBytes,
    int scratchStock,
    long logLimitBytes,
    Duration logAge,
    Map<String, String> labels,
    ImageSettings images) {

  public NodeSettings {
    dataDirectory = dataDirectory.toAbsolutePath().normalize();
    simulatedGpus = List.copyOf(simulatedGpus);
    labels = Map.copyOf(labels);
  }

  /** Reads the section. */
  public static NodeSettings from(Config troupe) {
    Config section = troupe.getConfig("agent");
    Map<String, String> labels = new TreeMap<>();
    section
        .getObject("labels")
        .forEach((name, value) -> labels.put(name, value.unwrapped().toString()));
    return new NodeSettings(
        section.getBoolean("enabled"),
        section.getString("machine"),
        Path.of(section.getString("data-directory")),
        section.getString("runtime"),
        section.getStringList("simulated-gpus"),
        section.getString("nvml-library"),
        section.getInt("sandbox-stock"),
        section.getBytes("scratch-limit"),
        section.getInt("scratch-stock"),
        section.getBytes("log-limit"),
        section.getDuration("log-age"),
        labels,
        ImageSettings.from(troupe));
  }
}
