package dev.troupe.node.image;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
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
 */
@JsonIgnoreProperties("fresh") // of records before images that are built anew had ids of their own
public record ImageRecord(
    List<String> layers,
    Map<String, String> environment,
    String workingDirectory,
    List<String> entryPoint,
    List<String> command,
    List<String> shell,
    String pythonVersion,
    String libcVersion) {

  private static final List<String> DEFAULT_SHELL = List.of("/bin/sh", "-c");

  /** An image without layers. */
  static final ImageRecord NOTHING =
      new ImageRecord(List.of(), Map.of(), "", List.of(), List.of(), DEFAULT_SHELL, "", "");

  public ImageRecord {
    layers = List.copyOf(layers);
    environment = Map.copyOf(environment);
    entryPoint = orEmpty(entryPoint);
    command = orEmpty(command);
    shell = orEmpty(shell).isEmpty() ? DEFAULT_SHELL : List.copyOf(shell);
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
    return withLayers(Stream.concat(layers.stream(), Stream.of(key)).toList());
  }

  ImageRecord withLayers(List<String> others) {
    return with(made -> made.layers = others);
  }

  ImageRecord withEnvironment(Map<String, String> variables) {
    return with(made -> made.environment = variables);
  }

  ImageRecord withDirectory(String path) {
    return with(made -> made.workingDirectory = path);
  }

  ImageRecord withEntryPoint(List<String> words) {
    return with(made -> made.entryPoint = words);
  }

  ImageRecord withCommand(List<String> words) {
    return with(made -> made.command = words);
  }

  ImageRecord withShell(List<String> words) {
    return with(made -> made.shell = words);
  }

  ImageRecord withPython(String version, String libc) {
    return with(
        made -> {
          made.pythonVersion = version;
          made.libcVersion = libc;
        });
  }

  private ImageRecord with(Consumer<Parts> change) {
    Parts made = new Parts(this);
    change.accept(made);
    return new ImageRecord(
        made.layers,
        made.environment,
        made.workingDirectory,
        made.entryPoint,
        made.command,
        made.shell,
        made.pythonVersion,
        made.libcVersion);
  }

  /** What an image is made of, while another is made from it. */
  private static final class Parts {
    private List<String> layers;
    private Map<String, String> environment;
    private String workingDirectory;
    private List<String> entryPoint;
    private List<String> command;
    private List<String> shell;
    private String pythonVersion;
    private String libcVersion;

    private Parts(ImageRecord of) {
      layers = of.layers;
      environment = of.environment;
      workingDirectory = of.workingDirectory;
      entryPoint = of.entryPoint;
      command = of.command;
      shell = of.shell;
      pythonVersion = of.pythonVersion;
      libcVersion = of.libcVersion;
    }
  }
}
