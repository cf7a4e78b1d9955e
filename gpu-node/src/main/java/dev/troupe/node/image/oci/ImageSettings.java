package dev.troupe.node.image.oci;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigValue;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Section {@code troupe.images}.
 *
 * @param offline whether no registry and no mirror is ever asked
 * @param mirrors what is asked before a registry, by the registry's host
 * @param insecureRegistries hosts that are spoken to without TLS; this machine itself always is
 * @param caFile authorities in PEM that are believed beside Java's own; empty: none
 * @param parallelTransfers layers that come at the same time
 * @param layerLimitBytes of one layer, unpacked
 * @param layerEntries files and folders of one layer
 * @param hostPackageSettings whether build steps get this machine's settings of pip and apt
 * @param cacheLimitBytes of all cache mounts of builds together
 * @param unnamedLayerAge how long a layer is kept that no image names
 * @param standalonePython archives for {@code add_python}, by Python version or series
 */
public record ImageSettings(
    boolean offline,
    Map<String, List<URI>> mirrors,
    Set<String> insecureRegistries,
    String caFile,
    int parallelTransfers,
    long layerLimitBytes,
    long layerEntries,
    boolean hostPackageSettings,
    long cacheLimitBytes,
    Duration unnamedLayerAge,
    Map<String, Path> standalonePython) {

  /** The key of mirrors for names without a registry. */
  private static final String DEFAULT = "default";

  public ImageSettings {
    mirrors = Map.copyOf(mirrors);
    insecureRegistries = Set.copyOf(insecureRegistries);
    standalonePython = Map.copyOf(standalonePython);
    if (parallelTransfers < 1) {
      throw new IllegalArgumentException("troupe.images.parallel-transfers must be 1 or more");
    }
  }

  /** Reads the section. */
  public static ImageSettings from(Config troupe) {
    Config section = troupe.getConfig("images");
    Map<String, List<URI>> mirrors = new LinkedHashMap<>();
    for (Map.Entry<String, ConfigValue> entry : section.getObject("mirrors").entrySet()) {
      List<URI> uris = new ArrayList<>();
      for (Object mirror : listOf(entry)) {
        uris.add(mirror(mirror.toString(), entry.getKey()));
      }
      mirrors.put(entry.getKey(), List.copyOf(uris));
    }
    Map<String, Path> pythons = new LinkedHashMap<>();
    section
        .getObject("standalone-python")
        .forEach(
            (version, archive) ->
                pythons.put(version, Path.of(archive.unwrapped().toString()).toAbsolutePath()));
    return new ImageSettings(
        section.getBoolean("offline"),
        mirrors,
        new LinkedHashSet<>(section.getStringList("insecure-registries")),
        section.getString("ca-file"),
        section.getInt("parallel-transfers"),
        section.getBytes("layer-limit"),
        section.getLong("layer-entries"),
        section.getBoolean("host-package-settings"),
        section.getBytes("cache-limit"),
        section.getDuration("unnamed-layer-age"),
        pythons);
  }

  private static List<?> listOf(Map.Entry<String, ConfigValue> entry) {
    Object value = entry.getValue().unwrapped();
    return value instanceof List<?> list ? list : List.of(value);
  }

  private static URI mirror(String text, String registry) {
    URI uri = URI.create(text);
    boolean plain = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
    if (!plain || uri.getHost() == null || uri.getQuery() != null || uri.getUserInfo() != null) {
      throw new IllegalArgumentException(
          "troupe.images.mirrors of \"%s\": '%s' is no http://HOST[:PORT][/PREFIX] or https://…"
              .formatted(registry, text));
    }
    return uri;
  }

  /** The file of further authorities, if there is one. */
  Optional<Path> authorities() {
    return caFile.isEmpty() ? Optional.empty() : Optional.of(Path.of(caFile));
  }

  /** What a layer may take. */
  LayerUnpacker.Limits layerLimits() {
    return new LayerUnpacker.Limits(layerLimitBytes, layerEntries);
  }

  /** The mirrors of an image's registry, the first to ask first. */
  List<URI> mirrorsOf(ImageName name) {
    List<String> keys = new ArrayList<>(name.registryAliases());
    if (name.registry().equals(ImageName.defaultRegistry())) {
      keys.addFirst(DEFAULT);
    }
    return keys.stream()
        .flatMap(key -> mirrors.getOrDefault(key, List.of()).stream())
        .distinct()
        .toList();
  }

  /** Whether a registry is spoken to without TLS. */
  boolean isInsecure(ImageName name) {
    String host = name.registryHost().replaceFirst(":\\d+$", "");
    return host.equals("localhost")
        || host.matches("127\\.\\d+\\.\\d+\\.\\d+")
        || insecureRegistries.contains(name.registry())
        || insecureRegistries.contains(host);
  }
}
