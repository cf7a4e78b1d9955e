package dev.troupe.node.image;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.troupe.actors.id.Ids;
import dev.troupe.node.container.RuncDriver;
import dev.troupe.node.container.TinyImage;
import dev.troupe.node.image.oci.ImageSettings;
import dev.troupe.node.linux.FileTree;
import dev.troupe.node.log.Pipes;
import dev.troupe.node.network.HostFiles;
import dev.troupe.node.network.MachineNetwork;
import dev.troupe.node.network.SandboxPool;
import dev.troupe.protocol.link.ImageChain;
import dev.troupe.protocol.link.Layer;
import dev.troupe.protocol.link.Mount;
import dev.troupe.protocol.link.MountFile;
import dev.troupe.protocol.modal.Image;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;

/**
 * Builds images by real containers, from a context with a tiny system in its folder {@code tiny}.
 */
final class BuildBench implements AutoCloseable {

  private static final String SERVER = "00b11d5e";

  /** The beginning of a Dockerfile over the tiny system. */
  static final String TINY = "FROM scratch\nCOPY tiny /";

  final List<String> log = new CopyOnWriteArrayList<>();
  private final Path folder;
  private final Map<String, Path> contents = new ConcurrentHashMap<>();
  private final Map<String, Path> context = new TreeMap<>();
  private final RuncDriver driver;
  private final MachineNetwork network;
  private final SandboxPool sandboxes;
  private final Pipes pipes = new Pipes();
  private Images images;

  /**
   * One in a folder.
   *
   * @param disk where images are kept and containers write
   */
  BuildBench(Path folder, Path disk) throws IOException {
    this.folder = disk;
    driver =
        RuncDriver.open(
            new RuncDriver.Settings(
                "runc", folder.resolve("state"), disk.resolve("containers"), "/troupe-" + SERVER));
    network = MachineNetwork.open(SERVER, Files.createDirectories(folder.resolve("shared")));
    sandboxes = new SandboxPool(network, 1);
    Path tiny = TinyImage.in(folder.resolve("tiny"));
    try (Stream<Path> files = Files.walk(tiny)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        add("/tiny/" + tiny.relativize(file), file);
      }
    }
    images = open(folder);
  }

  private Images open(Path host) throws IOException {
    return Images.open(
        folder.resolve("images"),
        this::content,
        driver,
        sandboxes,
        HostFiles.in(host.resolve("host"), Map.of()),
        pipes,
        ImageSettings.from(ConfigFactory.defaultReference().getConfig("troupe")),
        (_, _, _, _, _, _) -> {
          throw new IOException("no functions here");
        });
  }

  private InputStream content(String sha256) throws IOException {
    Path file = contents.get(sha256);
    if (file == null) {
      throw new IOException("no content " + sha256);
    }
    return Files.newInputStream(file);
  }

  /** Adds a file to the context. */
  void add(String name, Path file) throws IOException {
    contents.put(FileTree.sha256(file), file);
    context.put(name, file);
  }

  /** As the next start of an agent finds it. */
  void restart(Path host) throws IOException {
    for (var left : driver.recover()) {
      driver.destroy(left);
    }
    images = open(host);
  }

  ImageStore store() throws IOException {
    return ImageStore.attach(folder.resolve("images/store"));
  }

  ImageRecord build(String... lines) throws Exception {
    return build(Map.of(), lines);
  }

  /** Builds an image of its own, over {@link #TINY}. */
  ImageRecord build(Map<String, String> secrets, String... lines) throws Exception {
    Mount.Builder files = Mount.newBuilder();
    for (Map.Entry<String, Path> file : context.entrySet()) {
      int mode = (int) Files.getAttribute(file.getValue(), "unix:mode") & 0777;
      files.addFiles(
          MountFile.newBuilder()
              .setPath(file.getKey())
              .setSha256Hex(FileTree.sha256(file.getValue()))
              .setMode(mode));
    }
    String id = HexFormat.of().formatHex(Ids.sha256().digest(files.build().toByteArray()));
    files.setMountId("mo-" + id.replaceAll("[^0-9A-Za-z]", "").substring(0, 22));
    Image definition =
        Image.newBuilder()
            .addDockerfileCommands(TINY + "\n" + String.join("\n", lines))
            .setContextMountId(files.getMountId())
            .build();
    Layer layer =
        Layer.newBuilder()
            .setImageId("im-" + java.util.UUID.randomUUID().toString().replace("-", ""))
            .setDefinition(definition.toByteString())
            .setContext(files)
            .putAllEnvironment(secrets)
            .build();
    return images.build(ImageChain.newBuilder().addLayers(layer).build(), log::add);
  }

  /** A file of an image. */
  String read(ImageRecord image, String path) throws IOException {
    try (LayerMount mount = LayerMount.of(store(), store().layersOf(image))) {
      return mount.files().read(path);
    }
  }

  /** All names in the top layer of an image. */
  List<String> topLayer(ImageRecord image) throws IOException {
    Path layer = store().layer(image.layers().getLast());
    try (Stream<Path> files = Files.walk(layer)) {
      return files.skip(1).map(file -> layer.relativize(file).toString()).sorted().toList();
    }
  }

  /** No half layer, no temporary folder, no mount, no container. */
  void assertNothingLeft() throws IOException {
    for (String part :
        List.of("images/store/unfinished", "images/mounts/unfinished", "containers")) {
      try (Stream<Path> left = Files.list(folder.resolve(part))) {
        assertThat(left).as(part).isEmpty();
      }
    }
    assertThat(Files.readString(Path.of("/proc/self/mountinfo")))
        .doesNotContain(folder + "/images")
        .doesNotContain(folder + "/containers");
    try (Stream<Path> records = Files.list(folder.resolve("images/store/images"))) {
      assertThat(records).allMatch(file -> file.toString().endsWith(".json"));
    }
    for (String id : store().imageIds()) {
      assertThat(store().find(id)).as("an image without its layers: " + id).isPresent();
    }
  }

  @Override
  public void close() throws IOException {
    sandboxes.close();
    network.close();
    pipes.close();
    driver.close();
  }
}
