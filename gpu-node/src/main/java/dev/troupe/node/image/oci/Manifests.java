package dev.troupe.node.image.oci;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.troupe.node.image.BuildFailure;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Reads manifests, indexes and configurations, of OCI and of Docker's version 2, which differ in
 * media types alone. All of it is foreign: whatever is wrong with it ends in a {@link
 * BuildFailure}.
 */
final class Manifests {

  /** What a registry is asked for. */
  static final String ACCEPT =
      String.join(
          ", ",
          "application/vnd.oci.image.manifest.v1+json",
          "application/vnd.oci.image.index.v1+json",
          "application/vnd.docker.distribution.manifest.v2+json",
          "application/vnd.docker.distribution.manifest.list.v2+json");

  /** No manifest or configuration may be longer; registries have the same limit. */
  static final int LONGEST_BYTES = 4 << 20;

  static final String REF_NAME = "org.opencontainers.image.ref.name";

  private static final int MOST_LAYERS = 1000;
  private static final ObjectMapper JSON = new ObjectMapper();

  /** A manifest, or an index of manifests. */
  sealed interface Document {}

  /** One image. */
  record Manifest(Descriptor configuration, List<Descriptor> layers) implements Document {}

  /** Images for several platforms, or by several names. */
  record Index(List<Entry> entries) implements Document {}

  /** One of an index; {@code refName} is its name in a layout. */
  record Entry(Descriptor descriptor, Optional<Platform> platform, Optional<String> refName) {}

  /** Reads a manifest or an index; {@code what} names it in the sentences of failures. */
  static Document read(byte[] bytes, String what) throws BuildFailure {
    JsonNode root = object(bytes, what);
    if (root.path("schemaVersion").asInt() != 2) {
      throw new BuildFailure(
          what + " is in the form of 2014 (schema version 1), which is not read; push it again.");
    }
    if (root.path("manifests").isArray()) {
      return index(root, what);
    }
    if (!root.path("config").isObject()) {
      throw new BuildFailure(what + " is neither a manifest nor an index of manifests.");
    }
    List<Descriptor> layers = new ArrayList<>();
    for (JsonNode layer : list(root, "layers", what)) {
      layers.add(descriptor(layer, what));
    }
    return new Manifest(descriptor(root.path("config"), what), List.copyOf(layers));
  }

  /** Reads the configuration that belongs to a manifest. */
  static ImageConfiguration readConfiguration(byte[] bytes, Manifest manifest, String what)
      throws BuildFailure {
    JsonNode root = object(bytes, what);
    List<Digest> diffIds = new ArrayList<>();
    for (JsonNode diffId : list(root.path("rootfs"), "diff_ids", what)) {
      diffIds.add(Digest.parse(string(diffId, what), what));
    }
    if (diffIds.size() != manifest.layers().size()) {
      throw new BuildFailure(
          "%s names %d layers, and its manifest %d."
              .formatted(what, diffIds.size(), manifest.layers().size()));
    }
    JsonNode config = root.path("config");
    return new ImageConfiguration(
        new Platform(text(root, "os", what), text(root, "architecture", what)),
        List.copyOf(diffIds),
        environment(config, what),
        text(config, "WorkingDir", what),
        strings(config, "Entrypoint", what),
        strings(config, "Cmd", what),
        text(config, "User", what),
        strings(config, "Shell", what));
  }

  private static Index index(JsonNode root, String what) throws BuildFailure {
    List<Entry> entries = new ArrayList<>();
    for (JsonNode entry : list(root, "manifests", what)) {
      JsonNode platform = entry.path("platform");
      Optional<Platform> of =
          platform.isObject()
              ? Optional.of(
                  new Platform(text(platform, "os", what), text(platform, "architecture", what)))
              : Optional.empty();
      String refName = text(entry.path("annotations"), REF_NAME, what);
      entries.add(
          new Entry(
              descriptor(entry, what),
              of,
              refName.isEmpty() ? Optional.empty() : Optional.of(refName)));
    }
    return new Index(List.copyOf(entries));
  }

  private static Descriptor descriptor(JsonNode node, String what) throws BuildFailure {
    Digest digest = Digest.parse(string(node.path("digest"), what), what);
    JsonNode size = node.path("size");
    if (!size.isIntegralNumber() || !size.canConvertToLong() || size.asLong() < 0) {
      throw new BuildFailure("%s names no size of %s.".formatted(what, digest));
    }
    return new Descriptor(text(node, "mediaType", what), digest, size.asLong());
  }

  private static Map<String, String> environment(JsonNode config, String what) throws BuildFailure {
    Map<String, String> environment = new LinkedHashMap<>();
    for (String assignment : strings(config, "Env", what)) {
      int equals = assignment.indexOf('=');
      if (equals > 0 && assignment.indexOf(0) < 0) {
        environment.put(assignment.substring(0, equals), assignment.substring(equals + 1));
      }
    }
    return environment;
  }

  private static JsonNode object(byte[] bytes, String what) throws BuildFailure {
    try {
      JsonNode root = JSON.readTree(bytes);
      if (root == null || !root.isObject()) {
        throw new BuildFailure(what + " is no JSON object.");
      }
      return root;
    } catch (BuildFailure failure) {
      throw failure;
    } catch (JsonProcessingException malformed) {
      throw new BuildFailure(
          "%s is no JSON: %s.".formatted(what, Printable.of(malformed.getOriginalMessage())));
    } catch (IOException malformed) {
      throw new BuildFailure("%s is no JSON: %s.".formatted(what, malformed.getMessage()));
    }
  }

  private static JsonNode list(JsonNode parent, String name, String what) throws BuildFailure {
    JsonNode list = parent.path(name);
    if (!list.isArray() || list.size() > MOST_LAYERS) {
      throw new BuildFailure(
          list.isArray()
              ? "%s has a list '%s' of %d; %d are the most."
                  .formatted(what, name, list.size(), MOST_LAYERS)
              : "%s has no list '%s'.".formatted(what, name));
    }
    return list;
  }

  private static List<String> strings(JsonNode parent, String name, String what)
      throws BuildFailure {
    JsonNode list = parent.path(name);
    if (list.isMissingNode() || list.isNull()) {
      return List.of();
    }
    List<String> strings = new ArrayList<>();
    for (JsonNode element : list(parent, name, what)) {
      strings.add(string(element, what));
    }
    return List.copyOf(strings);
  }

  private static String text(JsonNode parent, String name, String what) throws BuildFailure {
    JsonNode node = parent.path(name);
    return node.isMissingNode() || node.isNull() ? "" : string(node, what);
  }

  private static String string(JsonNode node, String what) throws BuildFailure {
    if (!node.isTextual()) {
      throw new BuildFailure(what + " has something else where a text must be.");
    }
    return node.asText();
  }

  private Manifests() {}
}
