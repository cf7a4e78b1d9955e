package dev.troupe.node.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.troupe.node.linux.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The driver's library by a stand-in that the test compiles. */
class NvmlTest {

  /** Four devices: an H100, one that is lost, one split by MIG, an A100 at another node. */
  private static final String LIBRARY =
      """
      #include <stdio.h>
      #include <string.h>
      static int ids[4] = {0, 1, 2, 3};
      static int began = 0;
      struct memory { unsigned long long total, free, used; };
      int nvmlInit_v2(void) { began++; return INIT; }
      int nvmlShutdown(void) { began--; return 0; }
      const char *nvmlErrorString(int result) {
        return result == 18 ? "Driver/library version mismatch" : "GPU is lost";
      }
      int nvmlDeviceGetCount_v2(unsigned int *count) { *count = 4; return began ? 0 : 1; }
      int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **device) {
        *device = &ids[index];
        return index == 1 ? 15 : 0;
      }
      int nvmlDeviceGetMinorNumber(void *device, unsigned int *minor) {
        *minor = *(int *)device == 3 ? 7 : *(int *)device;
        return 0;
      }
      int nvmlDeviceGetMigMode(void *device, unsigned int *now, unsigned int *later) {
        *now = *later = *(int *)device == 2;
        return *(int *)device == 0 ? 3 : 0;
      }
      int nvmlDeviceGetMemoryInfo(void *device, struct memory *memory) {
        memory->total = 80ULL << 30;
        return 0;
      }
      int nvmlDeviceGetName(void *device, char *name, unsigned int length) {
        strncpy(name, *(int *)device == 3 ? "NVIDIA A100-SXM4-80GB" : "NVIDIA H100 80GB HBM3", length);
        return 0;
      }
      int nvmlDeviceGetUUID(void *device, char *uuid, unsigned int length) {
        snprintf(uuid, length, "GPU-%d", *(int *)device);
        return 0;
      }
      """;

  private final Path folder;

  NvmlTest(@TempDir Path folder) {
    this.folder = folder;
  }

  @Test
  void tellsOfWholeDevicesAsUsersSayThem() throws IOException {
    assertThat(Nvml.devices(library(0)))
        .containsExactly(
            new GpuDevice(0, 0, "H100", "GPU-0", false),
            new GpuDevice(3, 7, "A100-80GB", "GPU-3", false));
  }

  @Test
  void saysWhatTheLibrarySaysWhereItCannotBeUsed() throws IOException {
    String library = library(18);

    assertThatThrownBy(() -> Nvml.devices(library))
        .isInstanceOf(IOException.class)
        .hasMessage("nvmlInit_v2 says: Driver/library version mismatch");
    assertThat(Gpus.open("m", List.of(), library).types()).isEmpty();
  }

  @Test
  void aMachineWithoutTheLibraryHasNone() throws IOException {
    assertThat(Nvml.devices("libnvidia-ml-missing.so.1")).isEmpty();
    assertThat(Gpus.open("m", List.of(), "").types()).isEmpty();
  }

  private String library(int result) throws IOException {
    Path source = Files.writeString(folder.resolve("nvml.c"), LIBRARY);
    Path library = folder.resolve("libnvidia-ml.so.1");
    assumeTrue(compilerIsThere(), "there is no C compiler: scripts/setup.bash installs one");
    Command.run(
        Duration.ofSeconds(60),
        "cc",
        "-shared",
        "-fPIC",
        "-DINIT=" + result,
        "-o",
        library.toString(),
        source.toString());
    return library.toString();
  }

  private static boolean compilerIsThere() {
    try {
      Command.run(Duration.ofSeconds(20), "cc", "--version");
      return true;
    } catch (IOException missing) {
      return false;
    }
  }
}
