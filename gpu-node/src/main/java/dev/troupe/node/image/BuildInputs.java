package dev.troupe.node.image;

import dev.troupe.actors.id.Ids;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What came with a layer's definition.
 *
 * @param arguments values of {@code ARG}s
 * @param globals arguments that the Dockerfile sets before its first stage
 * @param context what {@code COPY} may name
 * @param secrets variables of its {@code RUN}s
 * @param secretsKey names these secrets, not what is in them
 * @param registrySecret by which the registries of its images let us in; empty for none
 * @param fresh not empty: layers that were made under another word are of no use
 */
record BuildInputs(
    Map<String, String> arguments,
    Map<String, String> globals,
    List<RootFolder> context,
    Map<String, String> secrets,
    String secretsKey,
    Map<String, String> registrySecret,
    String fresh) {

  /** The key of the layer that a step makes over an image. */
  String key(ImageRecord image, String... what) {
    List<String> parts = new ArrayList<>(List.of(String.join(" ", image.layers())));
    parts.addAll(List.of(what));
    if (!fresh.isEmpty()) {
      parts.add(fresh);
    }
    return "step-" + Ids.contentKey(parts.toArray(String[]::new));
  }
}
