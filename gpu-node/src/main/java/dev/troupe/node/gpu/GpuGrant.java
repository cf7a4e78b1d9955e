package dev.troupe.node.gpu;

import dev.troupe.node.container.ContainerDriver.Bind;
import dev.troupe.node.container.ContainerDriver.Devices;
import java.util.List;
import java.util.Map;

/**
 * What a container gets with its devices.
 *
 * @param devices nodes and hooks for the runtime
 * @param binds files of the driver
 * @param environment variables, which go before all others
 * @param libraries folder in the container where the driver's libraries are; empty where the
 *     container finds them by itself
 */
public record GpuGrant(
    Devices devices, List<Bind> binds, Map<String, String> environment, String libraries) {

  /** Of a container without devices. */
  public static final GpuGrant NONE = new GpuGrant(Devices.NONE, List.of(), Map.of(), "");

  private static final String LIBRARY_PATH = "LD_LIBRARY_PATH";

  public GpuGrant {
    binds = List.copyOf(binds);
    environment = Map.copyOf(environment);
  }

  /** Adds what it has to the variables of a container. */
  public void addTo(Map<String, String> variables) {
    variables.putAll(environment);
    if (!libraries.isEmpty()) {
      variables.merge(LIBRARY_PATH, libraries, (own, ours) -> own + ":" + ours);
    }
  }
}
