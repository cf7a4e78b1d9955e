package dev.troupe.node.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.node.container.ContainerDriver.Bind;
import dev.troupe.node.container.ContainerDriver.DeviceNode;
import dev.troupe.node.container.ContainerDriver.Devices;
import dev.troupe.node.container.ContainerDriver.Hook;
import dev.troupe.node.linux.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GpuAccessTest {

  private static final GpuDevice FIRST = new GpuDevice(0, 0, "H100", "GPU-aa", false);
  private static final GpuDevice SECOND = new GpuDevice(1, 3, "H100", "GPU-bb", false);

  /** As {@code nvidia-ctk cdi generate} writes it, shortened. */
  private static final String SPECIFICATION =
      """
      ---
      cdiVersion: 0.5.0
      kind: nvidia.com/gpu
      containerEdits:
        env:
        - NVIDIA_VISIBLE_DEVICES=void
        - OF_THE_DRIVER=yes
        deviceNodes:
        - path: /dev/nvidiactl
          hostPath: ROOT/dev/nvidiactl
        hooks:
        - hookName: createContainer
          path: /usr/bin/nvidia-cdi-hook
          args: [nvidia-cdi-hook, update-ldcache, --folder, /usr/lib64]
        mounts:
        - hostPath: /usr/lib64/libcuda.so.1
          containerPath: /usr/lib64/libcuda.so.1
          options: [ro, nosuid, nodev, bind]
      devices:
      - name: "0"
        containerEdits:
          deviceNodes:
          - path: /dev/nvidia0
            hostPath: ROOT/dev/nvidia0
      - name: GPU-bb
        containerEdits:
          deviceNodes:
          - path: /dev/nvidia3
            hostPath: ROOT/dev/nvidia3
            permissions: rwm
      """;

  private final Path root;
  private final Path cdi;

  GpuAccessTest(@TempDir Path root) throws IOException {
    this.root = root;
    cdi = Files.createDirectories(root.resolve("etc/cdi"));
    Path devices = Files.createDirectories(root.resolve("dev"));
    makeNode(devices.resolve("nvidia0"), 0);
    makeNode(devices.resolve("nvidia3"), 3);
    makeNode(devices.resolve("nvidiactl"), 255);
  }

  private static void makeNode(Path path, int minor) throws IOException {
    Command.run(
        Duration.ofSeconds(20),
        "mknod",
        "-m",
        "666",
        path.toString(),
        "c",
        "195",
        String.valueOf(minor));
  }

  private GpuGrant grant(GpuDevice... devices) throws IOException {
    return new GpuAccess(root, List.of(root.resolve("none"), cdi)).grant(List.of(devices));
  }

  private static DeviceNode device(String name, int minor, String access) {
    return new DeviceNode("/dev/" + name, "c", 195, minor, 0666, 0, 0, access);
  }

  @Test
  void withoutASpecificationItGetsItsOwnNodesAndTheDriversFiles() throws IOException {
    Path libraries = Files.createDirectories(root.resolve("usr/lib64"));
    Path real = Files.createFile(libraries.resolve("libcuda.so.550.1"));
    Files.createSymbolicLink(libraries.resolve("libcuda.so.1"), real);
    Files.createFile(libraries.resolve("libnvidia-ml.so.1"));
    Files.createFile(libraries.resolve("libnvidia-glcore.so.550.1"));
    Path program = Files.createDirectories(root.resolve("usr/bin")).resolve("nvidia-smi");
    assertThat(Files.createFile(program).toFile().setExecutable(true)).isTrue();

    GpuGrant grant = grant(SECOND);

    assertThat(grant.devices())
        .isEqualTo(
            new Devices(
                List.of(device("nvidia3", 3, "rw"), device("nvidiactl", 255, "rw")), List.of()));
    assertThat(grant.binds())
        .containsExactly(
            new Bind(real.toRealPath(), "/usr/local/nvidia/lib64/libcuda.so.1", true),
            new Bind(
                libraries.resolve("libnvidia-ml.so.1").toRealPath(),
                "/usr/local/nvidia/lib64/libnvidia-ml.so.1",
                true),
            new Bind(program, "/usr/bin/nvidia-smi", true));
    Map<String, String> variables = new HashMap<>(Map.of("LD_LIBRARY_PATH", "/own"));
    variables.put("NVIDIA_VISIBLE_DEVICES", "all");
    grant.addTo(variables);
    assertThat(variables)
        .containsEntry("CUDA_VISIBLE_DEVICES", "GPU-bb")
        .containsEntry("NVIDIA_VISIBLE_DEVICES", "GPU-bb")
        .containsEntry("LD_LIBRARY_PATH", "/own:/usr/local/nvidia/lib64");
  }

  @Test
  void aSpecificationSaysWhatItGets() throws IOException {
    Files.writeString(cdi.resolve("nvidia.yaml"), SPECIFICATION.replace("ROOT", root.toString()));

    GpuGrant grant = grant(FIRST, SECOND);

    assertThat(grant.devices().nodes())
        .containsExactly(
            device("nvidiactl", 255, "rw"),
            device("nvidia0", 0, "rw"),
            device("nvidia3", 3, "rwm"));
    assertThat(grant.devices().hooks())
        .containsExactly(
            new Hook(
                "createContainer",
                "/usr/bin/nvidia-cdi-hook",
                List.of("nvidia-cdi-hook", "update-ldcache", "--folder", "/usr/lib64"),
                List.of()));
    assertThat(grant.binds())
        .containsExactly(
            new Bind(Path.of("/usr/lib64/libcuda.so.1"), "/usr/lib64/libcuda.so.1", true));
    assertThat(grant.environment())
        .containsEntry("OF_THE_DRIVER", "yes")
        .containsEntry("NVIDIA_VISIBLE_DEVICES", "GPU-aa,GPU-bb");
    assertThat(grant.libraries()).isEmpty();
  }

  @Test
  void aSpecificationThatDoesNotKnowADeviceIsPassedOver() throws IOException {
    Files.writeString(
        cdi.resolve("nvidia.json"), "{\"kind\": \"nvidia.com/gpu\", \"devices\": []}");

    assertThat(grant(FIRST).devices().nodes())
        .containsExactly(device("nvidia0", 0, "rw"), device("nvidiactl", 255, "rw"));
  }

  @Test
  void aDamagedSpecificationIsNamed() throws IOException {
    Path file = Files.writeString(cdi.resolve("nvidia.yaml"), "kind: [nvidia.com/gpu\n");

    assertThatThrownBy(() -> grant(FIRST)).hasMessageContaining(file + " is no YAML or JSON");
    Files.writeString(
        file, "{kind: nvidia.com/gpu, devices: [{name: '0', containerEdits: {mounts: [{}]}}]}");
    assertThatThrownBy(() -> grant(FIRST))
        .hasMessageContaining(file + " can't be followed: an entry without 'containerPath'");
  }

  @Test
  void aDeviceWithoutItsNodeIsNamed() {
    assertThatThrownBy(() -> grant(new GpuDevice(2, 9, "L4", "GPU-cc", false)))
        .hasMessageContaining("L4 2 (GPU-cc) has no /dev/nvidia9");
  }

  @Test
  void simulatedOnesAreNoMoreThanTheirNames() throws IOException {
    GpuGrant grant = grant(new GpuDevice(0, 0, "H100", "GPU-dd", true));

    assertThat(grant.devices()).isEqualTo(Devices.NONE);
    assertThat(grant.binds()).isEmpty();
    assertThat(grant.environment())
        .containsEntry("CUDA_VISIBLE_DEVICES", "GPU-dd")
        .containsEntry("TROUPE_GPUS", "H100");
  }
}
