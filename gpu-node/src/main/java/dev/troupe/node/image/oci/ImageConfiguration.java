package dev.troupe.node.image.oci;

import java.util.List;
import java.util.Map;

/**
 * The configuration of an image, as far as it is used here.
 *
 * @param diffIds digests of the layers' uncompressed tars, lowest first
 */
record ImageConfiguration(
    Platform platform,
    List<Digest> diffIds,
    Map<String, String> environment,
    String workingDirectory,
    List<String> entrypoint,
    List<String> command,
    String user,
    List<String> shell) {}
