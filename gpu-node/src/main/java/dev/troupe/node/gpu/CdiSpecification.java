package dev.troupe.node.gpu;

import dev.troupe.node.container.ContainerDriver.Bind;
import dev.troupe.node.container.ContainerDriver.DeviceNode;
import dev.troupe.node.container.ContainerDriver.Devices;
import dev.troupe.node.container.ContainerDriver.Hook;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;

/**
 * The Container Device Interface: files in YAML or JSON, written by the vendor's tools ({@code
 * nvidia-ctk cdi generate}), that say what a container needs for a device. Read at each start of a
 * container with devices, since an update of the driver writes them anew.
 */
final class CdiSpecification {

  private static final String KIND = "nvidia.com/gpu";
  private static final long LARGEST = 4 << 20;

  private CdiSpecification() {}

  /** What devices change of a container. */
  record Edits(Devices devices, List<Bind> binds, Map<String, String> environment) {}

  /**
   * The edits for all of {@code devices}, from the last folder whose specification knows them, each
   * by its name for good or by its index; empty where none does.
   */
  static Optional<Edits> edits(List<Path> folders, List<GpuDevice> devices) throws IOException {
    for (Path folder : folders.reversed()) {
      for (Path file : files(folder)) {
        Map<?, ?> specification = read(file);
        if (!KIND.equals(specification.get("kind"))) {
          continue;
        }
        Optional<List<Map<?, ?>>> found = find(specification, devices);
        if (found.isPresent()) {
          Collected collected = new Collected();
          try {
            collected.add(map(specification.get("containerEdits")));
            for (Map<?, ?> device : found.get()) {
              collected.add(map(device.get("containerEdits")));
            }
          } catch (ClassCastException | IllegalArgumentException | IOException unusable) {
            throw new IOException(file + " can't be followed: " + unusable.getMessage(), unusable);
          }
          return Optional.of(collected.edits());
        }
      }
    }
    return Optional.empty();
  }

  private static List<Path> files(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(file -> file.getFileName().toString().matches(".*\\.(json|ya?ml)"))
          .sorted()
          .toList();
    }
  }

  private static Map<?, ?> read(Path file) throws IOException {
    if (Files.size(file) > LARGEST) {
      throw new IOException(file + " is too large for a CDI specification");
    }
    try {
      Object all = new Yaml(new SafeConstructor(new LoaderOptions())).load(Files.readString(file));
      return all instanceof Map<?, ?> map ? map : Map.of();
    } catch (YAMLException damaged) {
      throw new IOException(file + " is no YAML or JSON: " + damaged.getMessage(), damaged);
    }
  }

  private static Optional<List<Map<?, ?>>> find(Map<?, ?> specification, List<GpuDevice> devices) {
    Map<String, Map<?, ?>> byName = new LinkedHashMap<>();
    for (Object entry : list(specification.get("devices"))) {
      if (entry instanceof Map<?, ?> device) {
        byName.put(String.valueOf(device.get("name")), device);
      }
    }
    List<Map<?, ?>> found = new ArrayList<>();
    for (GpuDevice device : devices) {
      Map<?, ?> entry = byName.get(device.uuid());
      if (entry == null) {
        entry = byName.get(Integer.toString(device.index()));
      }
      if (entry == null) {
        return Optional.empty();
      }
      found.add(entry);
    }
    return Optional.of(found);
  }

  private static List<?> list(@Nullable Object value) {
    return value instanceof List<?> list ? list : List.of();
  }

  private static Map<?, ?> map(@Nullable Object value) {
    return value instanceof Map<?, ?> map ? map : Map.of();
  }

  /** Edits of several parts of a specification, those that are named twice once. */
  private static final class Collected {

    private final Map<String, DeviceNode> nodes = new LinkedHashMap<>();
    private final Map<String, Bind> binds = new LinkedHashMap<>();
    private final List<Hook> hooks = new ArrayList<>();
    private final Map<String, String> environment = new LinkedHashMap<>();

    void add(Map<?, ?> edits) throws IOException {
      for (String variable : strings(edits.get("env"))) {
        int equals = variable.indexOf('=');
        if (equals > 0) {
          environment.put(variable.substring(0, equals), variable.substring(equals + 1));
        }
      }
      for (Object entry : list(edits.get("deviceNodes"))) {
        Map<?, ?> node = map(entry);
        String path = required(node, "path");
        String hostPath = node.get("hostPath") instanceof String other ? other : path;
        String access = node.get("permissions") instanceof String said ? said : "rw";
        nodes.put(path, DeviceNode.of(Path.of(hostPath), path, access));
      }
      for (Object entry : list(edits.get("mounts"))) {
        Map<?, ?> mount = map(entry);
        String target = required(mount, "containerPath");
        // Nothing of a machine's driver is a container's to change, whatever the options say.
        binds.put(target, new Bind(Path.of(required(mount, "hostPath")), target, true));
      }
      for (Object entry : list(edits.get("hooks"))) {
        Map<?, ?> hook = map(entry);
        hooks.add(
            new Hook(
                required(hook, "hookName"),
                required(hook, "path"),
                strings(hook.get("args")),
                strings(hook.get("env"))));
      }
    }

    Edits edits() {
      return new Edits(
          new Devices(List.copyOf(nodes.values()), List.copyOf(hooks)),
          List.copyOf(binds.values()),
          environment);
    }

    private static String required(Map<?, ?> of, String name) throws IOException {
      if (of.get(name) instanceof String value) {
        return value;
      }
      throw new IOException("an entry without '" + name + "': " + of);
    }

    private static List<String> strings(@Nullable Object value) {
      return list(value).stream().map(String::valueOf).toList();
    }
  }
}
