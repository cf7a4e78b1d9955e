package dev.troupe.node.image.oci;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.troupe.node.image.BuildFailure;
import dev.troupe.node.image.oci.Manifests.Entry;
import dev.troupe.node.image.oci.Manifests.Index;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;

/** A folder in the OCI image layout: {@code oci-layout}, {@code index.json}, {@code blobs}. */
final class OciLayout {

  private static final String MARKER = "oci-layout";
  private static final String INDEX = "index.json";
  private static final String MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
  private static final String CONFIG_TYPE = "application/vnd.oci.image.config.v1+json";
  private static final String LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip";
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path folder;

  private OciLayout(Path folder) {
    this.folder = folder;
  }

  /** One that is there. */
  static OciLayout open(Path folder) throws BuildFailure {
    if (!Files.isRegularFile(folder.resolve(INDEX))
        || !Files.isDirectory(folder.resolve("blobs"))) {
      throw new BuildFailure(
          "%s is no OCI image layout: it has no index.json and blobs.".formatted(folder));
    }
    return new OciLayout(folder);
  }

  /** An image of a layout. */
  record Chosen(Manifests.Manifest manifest, Digest digest, Optional<String> refName) {}

  /** Its image: the one of this tag, or the only one there is for the platform. */
  Chosen choose(Optional<String> tag, Platform platform) throws IOException {
    Index index = index(read(folder.resolve(INDEX)), INDEX);
    List<Entry> entries =
        index.entries().stream()
            .filter(entry -> tag.isEmpty() || entry.refName().equals(tag))
            .toList();
    if (entries.size() > 1) {
      List<Entry> ours =
          entries.stream()
              .filter(entry -> entry.platform().filter(platform::equals).isPresent())
              .toList();
      entries = ours.isEmpty() ? entries : ours;
    }
    if (entries.size() != 1) {
      throw new BuildFailure(
          "%s has %s%s. Its tags: %s. Choose with --tag."
              .formatted(
                  folder,
                  entries.isEmpty() ? "no image" : "several images",
                  tag.map(" of the tag "::concat).orElse(""),
                  index.entries().stream()
                      .flatMap(entry -> entry.refName().stream())
                      .map(Printable::of)
                      .sorted()
                      .limit(50)
                      .collect(Collectors.joining(", "))));
    }
    Descriptor descriptor = entries.getFirst().descriptor();
    Manifests.Document document = document(descriptor);
    if (document instanceof Index inner) {
      descriptor = RegistryImages.choose(inner, platform, folder.toString());
      document = document(descriptor);
    }
    if (!(document instanceof Manifests.Manifest manifest)) {
      throw new BuildFailure("%s has an index within an index.".formatted(folder));
    }
    return new Chosen(manifest, descriptor.digest(), entries.getFirst().refName());
  }

  private Manifests.Document document(Descriptor descriptor) throws IOException {
    byte[] bytes = read(blob(descriptor.digest()));
    if (!descriptor.digest().matches(bytes)) {
      throw new BuildFailure(
          "%s is damaged: the blob %s is something else.".formatted(folder, descriptor.digest()));
    }
    return Manifests.read(bytes, "The manifest " + descriptor.digest());
  }

  private static Index index(byte[] bytes, String what) throws BuildFailure {
    if (Manifests.read(bytes, what) instanceof Index index) {
      return index;
    }
    throw new BuildFailure(what + " is no index of manifests.");
  }

  private byte[] read(Path file) throws IOException {
    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      throw new BuildFailure("%s has no %s.".formatted(folder, folder.relativize(file)));
    }
    try (InputStream stream = Files.newInputStream(file)) {
      byte[] bytes = stream.readNBytes(Manifests.LONGEST_BYTES + 1);
      if (bytes.length > Manifests.LONGEST_BYTES) {
        throw new BuildFailure("%s is too long.".formatted(file));
      }
      return bytes;
    }
  }

  private Path blob(Digest digest) {
    return folder.resolve("blobs").resolve(digest.algorithm()).resolve(digest.hex());
  }

  /** Its blobs. */
  BlobSource source() {
    return (blob, _) -> {
      Path file = blob(blob.digest());
      if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
        throw new BuildFailure("%s has no blob %s.".formatted(folder, blob.digest()));
      }
      return Files.newInputStream(file);
    };
  }

  /** What an image that is written out says of itself. */
  record Content(
      List<Path> layers,
      Map<String, String> environment,
      String workingDirectory,
      List<String> entrypoint,
      List<String> command,
      String user,
      List<String> shell) {}

  /** Writes an image, its only one, into a folder that is empty or not there; gives its digest. */
  static Digest write(Path folder, Content content, String refName, Platform platform)
      throws IOException {
    Files.createDirectories(folder);
    try (Stream<Path> there = Files.list(folder)) {
      if (there.findAny().isPresent()) {
        throw new BuildFailure("%s is not empty.".formatted(folder));
      }
    }
    Files.createDirectories(folder.resolve("blobs/sha256"));
    OciLayout layout = new OciLayout(folder);
    ArrayNode diffIds = JSON.createArrayNode();
    ArrayNode layers = JSON.createArrayNode();
    for (Path layer : content.layers()) {
      layers.add(layout.layer(layer, diffIds));
    }
    ObjectNode configuration = JSON.createObjectNode();
    configuration.put("architecture", platform.architecture()).put("os", platform.system());
    configuration.set("config", config(content));
    configuration.putObject("rootfs").put("type", "layers").set("diff_ids", diffIds);
    ObjectNode manifest = JSON.createObjectNode().put("schemaVersion", 2);
    manifest.put("mediaType", MANIFEST_TYPE);
    manifest.set("config", layout.small(configuration, CONFIG_TYPE));
    manifest.set("layers", layers);
    ObjectNode described = layout.small(manifest, MANIFEST_TYPE);
    described.putObject("annotations").put(Manifests.REF_NAME, refName);
    ObjectNode index = JSON.createObjectNode().put("schemaVersion", 2);
    index.putArray("manifests").add(described);
    Files.write(folder.resolve(INDEX), JSON.writeValueAsBytes(index));
    Files.writeString(folder.resolve(MARKER), "{\"imageLayoutVersion\":\"1.0.0\"}");
    return new Digest(described.path("digest").asText());
  }

  private static ObjectNode config(Content content) {
    ObjectNode config = JSON.createObjectNode();
    ArrayNode environment = config.putArray("Env");
    content.environment().forEach((name, value) -> environment.add(name + "=" + value));
    list(config, "Entrypoint", content.entrypoint());
    list(config, "Cmd", content.command());
    list(config, "Shell", content.shell());
    text(config, "WorkingDir", content.workingDirectory());
    text(config, "User", content.user());
    return config;
  }

  private static void list(ObjectNode config, String name, List<String> values) {
    if (!values.isEmpty()) {
      ArrayNode array = config.putArray(name);
      values.forEach(array::add);
    }
  }

  private static void text(ObjectNode config, String name, String value) {
    if (!value.isEmpty()) {
      config.put(name, value);
    }
  }

  private ObjectNode layer(Path layer, ArrayNode diffIds) throws IOException {
    Path file = Files.createTempFile(folder, "layer", ".new");
    MessageDigest plain = Digest.sha256(new byte[0]).newMessageDigest();
    MessageDigest packed = Digest.sha256(new byte[0]).newMessageDigest();
    long size;
    try (OutputStream to = new DigestOutputStream(Files.newOutputStream(file), packed);
        GZIPOutputStream gzip = new GZIPOutputStream(to, 1 << 16)) {
      LayerPacker.pack(layer, new DigestOutputStream(new Unclosed(gzip), plain));
    }
    size = Files.size(file);
    Digest digest = Digest.of("sha256", packed.digest());
    Files.move(file, blob(digest), StandardCopyOption.REPLACE_EXISTING);
    diffIds.add(Digest.of("sha256", plain.digest()).text());
    return descriptor(LAYER_TYPE, digest, size);
  }

  private ObjectNode small(ObjectNode json, String mediaType) throws IOException {
    byte[] bytes = JSON.writeValueAsBytes(json);
    Digest digest = Digest.sha256(bytes);
    Files.write(blob(digest), bytes);
    return descriptor(mediaType, digest, bytes.length);
  }

  private static ObjectNode descriptor(String mediaType, Digest digest, long size) {
    return JSON.createObjectNode()
        .put("mediaType", mediaType)
        .put("digest", digest.text())
        .put("size", size);
  }

  /** Writes on, in whole pieces, and is not closed. */
  private static final class Unclosed extends FilterOutputStream {
    Unclosed(OutputStream to) {
      super(to);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      out.write(bytes, offset, length);
    }

    @Override
    public void close() {}
  }
}
