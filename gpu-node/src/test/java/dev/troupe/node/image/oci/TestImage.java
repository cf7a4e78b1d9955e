package dev.troupe.node.image.oci;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * An image as a registry holds it.
 *
 * @param blobs by digest, the configuration among them
 */
record TestImage(String mediaType, byte[] manifest, Map<String, byte[]> blobs) {

  static final String OCI = "application/vnd.oci.image.manifest.v1+json";
  static final String DOCKER = "application/vnd.docker.distribution.manifest.v2+json";
  static final String OCI_INDEX = "application/vnd.oci.image.index.v1+json";

  /** Of these tars, packed by gzip, with a configuration that says something of everything. */
  static TestImage of(TarMaker... layers) {
    List<byte[]> tars = new ArrayList<>();
    List<byte[]> packed = new ArrayList<>();
    for (TarMaker layer : layers) {
      byte[] tar = layer.bytes();
      tars.add(tar);
      packed.add(TarMaker.gzip(tar));
    }
    return of(OCI, "amd64", tars, packed);
  }

  static TestImage of(
      String mediaType, String architecture, List<byte[]> tars, List<byte[]> packed) {
    String diffIds =
        tars.stream()
            .map(tar -> '"' + Digest.sha256(tar).text() + '"')
            .collect(Collectors.joining(","));
    byte[] configuration =
        """
        {"os": "linux", "architecture": "%s", "rootfs": {"type": "layers", "diff_ids": [%s]},
         "config": {"Env": ["PATH=/bin", "WORD=a=b"], "WorkingDir": "/srv", "Entrypoint": ["/run"],
           "Cmd": ["it"], "User": "me"}}
        """
            .formatted(architecture, diffIds)
            .getBytes(StandardCharsets.UTF_8);
    Map<String, byte[]> blobs = new LinkedHashMap<>();
    blobs.put(Digest.sha256(configuration).text(), configuration);
    packed.forEach(layer -> blobs.put(Digest.sha256(layer).text(), layer));
    String layers =
        packed.stream()
            .map(layer -> descriptor("application/vnd.oci.image.layer.v1.tar+gzip", layer))
            .collect(Collectors.joining(","));
    byte[] manifest =
        "{\"schemaVersion\": 2, \"mediaType\": \"%s\", \"config\": %s, \"layers\": [%s]}"
            .formatted(
                mediaType,
                descriptor("application/vnd.oci.image.config.v1+json", configuration),
                layers)
            .getBytes(StandardCharsets.UTF_8);
    return new TestImage(mediaType, manifest, blobs);
  }

  static String descriptor(String mediaType, byte[] blob) {
    return "{\"mediaType\": \"%s\", \"digest\": \"%s\", \"size\": %d}"
        .formatted(mediaType, Digest.sha256(blob), blob.length);
  }

  /** An index of images, by architecture. */
  static byte[] index(Map<String, TestImage> images) {
    String entries =
        images.entrySet().stream()
            .map(
                image ->
                    "{\"mediaType\": \"%s\", \"digest\": \"%s\", \"size\": %d, \"platform\": {\"os\": \"linux\", \"architecture\": \"%s\"}}"
                        .formatted(
                            OCI,
                            image.getValue().digest(),
                            image.getValue().manifest().length,
                            image.getKey()))
            .collect(Collectors.joining(","));
    return "{\"schemaVersion\": 2, \"mediaType\": \"%s\", \"manifests\": [%s]}"
        .formatted(OCI_INDEX, entries)
        .getBytes(StandardCharsets.UTF_8);
  }

  String digest() {
    return Digest.sha256(manifest).text();
  }

  /** The digest of its first layer, as it travels. */
  String firstLayer() {
    return blobs.keySet().stream().skip(1).findFirst().orElseThrow();
  }
}
