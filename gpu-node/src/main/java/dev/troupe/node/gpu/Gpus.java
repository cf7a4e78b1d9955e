package dev.troupe.node.gpu;

import dev.troupe.actors.placement.GpuTypes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The GPUs of this machine, from the search for them to what a container gets of them. */
public final class Gpus {

  private static final Logger LOG = LoggerFactory.getLogger(Gpus.class);

  /** The longest that a container's removal takes. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final GpuPool pool;
  private final GpuAccess access;

  private Gpus(GpuPool pool, GpuAccess access) {
    this.pool = pool;
    this.access = access;
  }

  /**
   * Looks for them.
   *
   * @param machine the machine's id, after which simulated devices are named
   * @param simulated types of devices that the machine only pretends to have; where there are some,
   *     it has no others
   * @param library the driver's management library; empty: it is not asked
   */
  public static Gpus open(String machine, List<String> simulated, String library)
      throws IOException {
    List<GpuDevice> devices = simulated.isEmpty() ? real(library) : simulated(machine, simulated);
    devices.forEach(device -> LOG.info("GPU: {}", device));
    return new Gpus(new GpuPool(devices), new GpuAccess(Path.of("/"), GpuAccess.CDI_FOLDERS));
  }

  private static List<GpuDevice> real(String library) {
    if (library.isEmpty()) {
      return List.of();
    }
    try {
      return Nvml.devices(library);
    } catch (IOException unusable) {
      LOG.warn("the machine's GPUs can't be used: {}", unusable.getMessage());
      return List.of();
    }
  }

  static List<GpuDevice> simulated(String machine, List<String> types) throws IOException {
    List<GpuDevice> devices = new ArrayList<>();
    for (String said : types) {
      String type =
          GpuTypes.ofSimulated(said)
              .orElseThrow(
                  () ->
                      new IOException(
                          "troupe.agent.simulated-gpus: '%s' is no type of GPU; there are %s"
                              .formatted(said, GpuTypes.devices())));
      int index = devices.size();
      byte[] name = (machine + "/" + index).getBytes(StandardCharsets.UTF_8);
      String uuid = "GPU-" + UUID.nameUUIDFromBytes(name);
      devices.add(new GpuDevice(index, index, type, uuid, true));
    }
    return List.copyOf(devices);
  }

  /** The types of all of them, one entry a device. */
  public List<String> types() {
    return pool.all().stream().map(GpuDevice::type).toList();
  }

  /** Takes one device of each of {@code types} for a container. */
  public List<GpuDevice> lease(List<String> types) throws IOException, InterruptedException {
    return types.isEmpty() ? List.of() : pool.lease(types, PATIENCE);
  }

  /** What a container with these devices is given; a driver that is incomplete is said. */
  public GpuGrant grant(List<GpuDevice> devices) throws IOException {
    return devices.isEmpty() ? GpuGrant.NONE : access.grant(devices);
  }

  /** Gives devices back, once no process is there that may have them open. */
  public void release(List<GpuDevice> devices) {
    pool.release(devices);
  }
}
