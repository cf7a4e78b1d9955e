package dev.troupe.node.image.oci;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/**
 * An image whose layers are in the store.
 *
 * @param name in full
 * @param digest of its manifest: by it the same image is had again, whatever becomes of the tag
 * @param layers their keys in the store, lowest first
 * @param environment in the image's order
 * @param workingDirectory empty where it sets none
 * @param user empty where it sets none
 * @param shell what runs the lines of RUN; empty where it sets none
 */
public record OciImage(
    String name,
    String digest,
    List<String> layers,
    Map<String, String> environment,
    String workingDirectory,
    List<String> entrypoint,
    List<String> command,
    String user,
    List<String> shell) {

  private static final String LAYER_PREFIX = "oci-";

  public OciImage {
    layers = List.copyOf(layers);
    environment = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(environment));
    entrypoint = List.copyOf(entrypoint);
    command = List.copyOf(command);
    shell = List.copyOf(shell);
  }

  static OciImage of(String name, Digest manifest, ImageConfiguration configuration) {
    return new OciImage(
        name,
        manifest.text(),
        keys(configuration.diffIds()),
        configuration.environment(),
        configuration.workingDirectory(),
        configuration.entrypoint(),
        configuration.command(),
        configuration.user(),
        configuration.shell());
  }

  /** The store's key for a layer whose uncompressed tar has this digest. */
  static String layerKey(Digest diffId) {
    return LAYER_PREFIX + diffId.hex();
  }

  /**
   * Each layer once, where it stands last: an overlay refuses a folder that it has already, and
   * what a layer gives or hides, it gives or hides from its highest place.
   */
  private static List<String> keys(List<Digest> diffIds) {
    LinkedHashSet<String> highestFirst = new LinkedHashSet<>();
    diffIds.reversed().forEach(diffId -> highestFirst.add(layerKey(diffId)));
    return new ArrayList<>(highestFirst).reversed();
  }
}
