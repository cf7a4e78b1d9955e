package dev.troupe.node.gpu;

import dev.troupe.node.container.ContainerDriver.Bind;
import dev.troupe.node.container.ContainerDriver.DeviceNode;
import dev.troupe.node.container.ContainerDriver.Devices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * How a container gets its devices: as the machine's CDI specification says, where there is one;
 * otherwise by the driver's device nodes, its libraries and {@code nvidia-smi}.
 */
final class GpuAccess {

  /** Where CDI has its specifications; those of the second come first. */
  static final List<Path> CDI_FOLDERS = List.of(Path.of("/etc/cdi"), Path.of("/var/run/cdi"));

  static final String LIBRARIES = "/usr/local/nvidia/lib64";

  private static final List<String> SHARED_NODES =
      List.of("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset");

  private static final List<String> LIBRARY_FOLDERS =
      List.of(
          "usr/lib/x86_64-linux-gnu",
          "usr/lib/aarch64-linux-gnu",
          "usr/lib64",
          "usr/lib",
          "usr/local/nvidia/lib64",
          "usr/lib/wsl/lib");

  /** Those that compute, and what they load; nothing that draws on a screen. */
  private static final String LIBRARY =
      "lib(cuda|cudadebugger|nvcuvid|nvidia-(ml|ptxjitcompiler|nvvm|nvvm70|gpucomp|opencl|encode"
          + "|opticalflow|allocator|cfg|pkcs11|pkcs11-openssl3))\\.so\\.[0-9]+";

  private static final List<String> PROGRAMS =
      List.of("usr/bin/nvidia-smi", "usr/local/nvidia/bin/nvidia-smi");

  private final Path root;
  private final List<Path> cdiFolders;

  /**
   * Looks below a root.
   *
   * @param root of the machine's files
   */
  GpuAccess(Path root, List<Path> cdiFolders) {
    this.root = root;
    this.cdiFolders = List.copyOf(cdiFolders);
  }

  /** What a container with these devices gets. */
  GpuGrant grant(List<GpuDevice> devices) throws IOException {
    Map<String, String> variables = new LinkedHashMap<>();
    if (devices.stream().allMatch(GpuDevice::simulated)) {
      visible(variables, devices);
      return new GpuGrant(Devices.NONE, List.of(), variables, "");
    }
    Optional<CdiSpecification.Edits> edits = CdiSpecification.edits(cdiFolders, devices);
    if (edits.isPresent()) {
      variables.putAll(edits.get().environment());
      visible(variables, devices);
      return new GpuGrant(edits.get().devices(), edits.get().binds(), variables, "");
    }
    visible(variables, devices);
    List<Bind> libraries = libraries();
    List<Bind> binds = new ArrayList<>(libraries);
    program().ifPresent(binds::add);
    return new GpuGrant(
        new Devices(nodes(devices), List.of()),
        binds,
        variables,
        libraries.isEmpty() ? "" : LIBRARIES);
  }

  /** By name, since a container's own count begins at 0 whichever devices it has. */
  private static void visible(Map<String, String> variables, List<GpuDevice> devices) {
    String names = devices.stream().map(GpuDevice::uuid).collect(Collectors.joining(","));
    variables.put("CUDA_VISIBLE_DEVICES", names);
    variables.put("NVIDIA_VISIBLE_DEVICES", names);
    variables.put(
        "TROUPE_GPUS", devices.stream().map(GpuDevice::type).collect(Collectors.joining(",")));
  }

  private List<DeviceNode> nodes(List<GpuDevice> devices) throws IOException {
    List<DeviceNode> nodes = new ArrayList<>();
    for (GpuDevice device : devices) {
      String name = "nvidia" + device.minor();
      if (!Files.exists(root.resolve("dev").resolve(name))) {
        throw new IOException(
            "GPU %s has no /dev/%s on its machine: its driver is loaded by nvidia-modprobe -u -c=%d"
                .formatted(device, name, device.minor()));
      }
      nodes.add(node(name));
    }
    for (String name : SHARED_NODES) {
      if (Files.exists(root.resolve("dev").resolve(name))) {
        nodes.add(node(name));
      }
    }
    return nodes;
  }

  private DeviceNode node(String name) throws IOException {
    return DeviceNode.of(root.resolve("dev").resolve(name), "/dev/" + name, "rw");
  }

  /** The driver's libraries, from the first folder that has that of CUDA. */
  private List<Bind> libraries() throws IOException {
    for (String name : LIBRARY_FOLDERS) {
      Path folder = root.resolve(name);
      if (!Files.exists(folder.resolve("libcuda.so.1"))) {
        continue;
      }
      Map<String, Path> found = new TreeMap<>();
      try (Stream<Path> files = Files.list(folder)) {
        files
            .filter(file -> file.getFileName().toString().matches(LIBRARY))
            .forEach(file -> found.put(file.getFileName().toString(), file));
      }
      List<Bind> binds = new ArrayList<>();
      for (Map.Entry<String, Path> each : found.entrySet()) {
        binds.add(new Bind(each.getValue().toRealPath(), LIBRARIES + "/" + each.getKey(), true));
      }
      return binds;
    }
    return List.of();
  }

  private Optional<Bind> program() {
    return PROGRAMS.stream()
        .map(root::resolve)
        .filter(Files::isExecutable)
        .findFirst()
        .map(program -> new Bind(program, "/usr/bin/nvidia-smi", true));
  }
}
