package dev.troupe.node.image.oci;

import dev.troupe.cluster.DirectoryLock;
import dev.troupe.node.image.BuildFailure;
import dev.troupe.node.image.BuildGate;
import dev.troupe.node.image.ImageRecord;
import dev.troupe.node.image.ImageStore;
import dev.troupe.node.image.oci.ReferenceBook.Known;
import dev.troupe.node.linux.FileTree;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The images of a machine as its administrator handles them: brought in and written out as OCI
 * layouts, listed, and freed of layers that nothing names. All may be done while the agent runs:
 * layers are removed while nobody builds, and those of an image that is there are named.
 */
public final class LocalImages {

  /** Layers that no image names and containers or builds use: the client's runner, Pythons, uv. */
  private static final List<String> SHARED = List.of("runner-", "python-", "skeleton-", "uv-");

  private final Path folder;
  private final ImageStore store;
  private final ReferenceBook references;
  private final BuildGate gate;
  private final ImageSettings settings;
  private final Platform platform = Platform.ofThisMachine();

  private LocalImages(Path folder, ImageStore store, BuildGate gate, ImageSettings settings) {
    this.folder = folder;
    this.store = store;
    this.references = RegistryImages.book(folder);
    this.gate = gate;
    this.settings = settings;
  }

  /**
   * Those of an agent.
   *
   * @param agent the agent's data directory
   */
  public static LocalImages of(Path agent, ImageSettings settings) throws IOException {
    Path folder = agent.resolve("images");
    ImageStore store = ImageStore.attach(folder.resolve("store"));
    return within(folder, store, BuildGate.of(folder.resolve("store")), settings);
  }

  /** Those of the agent that is this process. */
  public static LocalImages within(
      Path folder, ImageStore store, BuildGate gate, ImageSettings settings) {
    return new LocalImages(folder, store, gate, settings);
  }

  /**
   * One image.
   *
   * @param name its id, where a client built it, or else its name
   * @param bytes of the files in its layers
   */
  public record Listed(String name, List<String> layers, long bytes) {}

  /**
   * What was freed.
   *
   * @param caches folders of cache mounts
   */
  public record Freed(List<String> layers, int caches, long bytes) {}

  /**
   * Brings in an image: from now on its name stands for it, whatever a registry has.
   *
   * @param from an OCI layout: a folder, or a tar of one
   * @param tag which of its images; empty where it has one
   * @param name under which builds find it; empty where the layout says a whole name
   */
  public OciImage bring(
      Path from, Optional<String> tag, Optional<String> name, Consumer<String> log)
      throws IOException, InterruptedException {
    try (DirectoryLock alone = alone()) {
      if (Files.isDirectory(from)) {
        return bringFolder(from, tag, name, log);
      }
      if (!Files.isRegularFile(from)) {
        throw new BuildFailure("There is no folder or file " + from + ".");
      }
      Path unpacked = store.newFolder();
      try {
        try (InputStream file = Files.newInputStream(from)) {
          LayerUnpacker.unpack(Decompression.open(file), unpacked, settings.layerLimits(), log);
        } catch (MalformedLayer malformed) {
          throw new BuildFailure("%s can't be used: %s.".formatted(from, malformed.getMessage()));
        }
        return bringFolder(unpacked, tag, name, log);
      } finally {
        FileTree.delete(unpacked);
      }
    }
  }

  private OciImage bringFolder(
      Path from, Optional<String> tag, Optional<String> name, Consumer<String> log)
      throws IOException, InterruptedException {
    OciLayout layout = OciLayout.open(from);
    OciLayout.Chosen chosen = layout.choose(tag, platform);
    ImageName as =
        ImageName.parse(
            name.or(chosen::refName)
                .orElseThrow(
                    () ->
                        new BuildFailure(
                            "The layout names its image nothing; give it a name: --name REF.")));
    String what = "The configuration of " + as;
    LayerIntake intake =
        new LayerIntake(store, settings.layerLimits(), settings.parallelTransfers());
    try {
      byte[] json = intake.small(chosen.manifest().configuration(), layout.source(), what);
      ImageConfiguration configuration = Manifests.readConfiguration(json, chosen.manifest(), what);
      RegistryImages.requirePlatform(configuration.platform(), platform, as);
      intake.layers(chosen.manifest(), configuration, layout.source(), log);
      OciImage image = OciImage.of(as.toString(), chosen.digest(), configuration);
      references.put(as, new Known(image, true, true));
      references.put(as.at(chosen.digest()), new Known(image, true, true));
      return image;
    } catch (Damaged damaged) {
      throw new BuildFailure(String.valueOf(damaged.getMessage()));
    }
  }

  /** Writes an image, by id or name, as an OCI layout into a folder that is empty or not there. */
  public String write(String image, Path to) throws IOException {
    Optional<ImageRecord> built =
        image.matches("im-[0-9A-Za-z]+") ? store.find(image) : Optional.empty();
    if (built.isPresent()) {
      ImageRecord record = built.get();
      return OciLayout.write(
              to,
              new OciLayout.Content(
                  store.layersOf(record),
                  record.environment(),
                  record.workingDirectory(),
                  record.entryPoint(),
                  record.command(),
                  "",
                  record.shell()),
              image,
              platform)
          .text();
    }
    OciImage known =
        references
            .find(ImageName.parse(image))
            .map(Known::image)
            .filter(one -> one.layers().stream().allMatch(store::hasLayer))
            .orElseThrow(() -> new BuildFailure("There is no image " + image + " here."));
    return OciLayout.write(
            to,
            new OciLayout.Content(
                known.layers().stream().map(store::layer).toList(),
                known.environment(),
                known.workingDirectory(),
                known.entrypoint(),
                known.command(),
                known.user(),
                known.shell()),
            known.name(),
            platform)
        .text();
  }

  /** All images whose layers are here. */
  public List<Listed> list() throws IOException {
    List<Listed> all = new ArrayList<>();
    for (Known known : references.all()) {
      List<String> layers = known.image().layers();
      if (layers.stream().allMatch(store::hasLayer)
          && all.stream().noneMatch(one -> one.name().equals(known.image().name()))) {
        all.add(new Listed(known.image().name(), layers, size(layers)));
      }
    }
    for (String id : store.imageIds()) {
      Optional<ImageRecord> image = store.find(id);
      if (image.isPresent()) {
        all.add(new Listed(id, image.get().layers(), size(image.get().layers())));
      }
    }
    return all;
  }

  /** Removes the layers that no image names, and what builds keep by cache mounts. */
  public Freed collect() throws IOException {
    try (DirectoryLock alone = alone();
        BuildGate.Inside nobodyBuilds =
            gate.alone()
                .orElseThrow(
                    () ->
                        new BuildFailure(
                            "Images are being built, and may need any layer. Try again later."))) {
      return delete(takeLayers(Duration.ZERO), store.takeCaches());
    }
  }

  /**
   * Removes the layers that no image names and that have been there for a while; empty where
   * somebody builds or brings images in.
   */
  public Optional<Freed> sweep(Duration age) throws IOException {
    Map<String, Path> taken;
    try (DirectoryLock alone = alone()) {
      Optional<BuildGate.Inside> nobodyBuilds = gate.alone();
      if (nobodyBuilds.isEmpty()) {
        return Optional.empty();
      }
      try (BuildGate.Inside inside = nobodyBuilds.get()) {
        taken = takeLayers(age);
      }
    } catch (BuildFailure anotherCleanUp) {
      return Optional.empty();
    }
    return Optional.of(delete(taken, List.of()));
  }

  /**
   * Takes away what no image names. Whatever runs, runs on layers that its image names: the record
   * of an image is kept for as long as its layers are.
   */
  private Map<String, Path> takeLayers(Duration age) throws IOException {
    Set<String> named = new LinkedHashSet<>();
    references.all().forEach(known -> named.addAll(known.image().layers()));
    for (String id : store.imageIds()) {
      named.addAll(store.record(id).map(ImageRecord::layers).orElse(List.of()));
    }
    Instant young = Instant.now().minus(age);
    Map<String, Path> taken = new LinkedHashMap<>();
    for (String key : store.layerKeys()) {
      if (!named.contains(key)
          && SHARED.stream().noneMatch(key::startsWith)
          && !store.placedAt(key).isAfter(young)) {
        taken.put(key, store.takeLayer(key));
      }
    }
    return taken;
  }

  private static Freed delete(Map<String, Path> layers, List<Path> caches) throws IOException {
    long bytes = 0;
    for (Path folder : Stream.concat(layers.values().stream(), caches.stream()).toList()) {
      bytes += FileTree.size(folder);
      FileTree.delete(folder);
    }
    return new Freed(List.copyOf(layers.keySet()), caches.size(), bytes);
  }

  private DirectoryLock alone() throws IOException {
    Files.createDirectories(folder.resolve("references"));
    try {
      return DirectoryLock.take(folder.resolve("references"));
    } catch (DirectoryLock.InUse inUse) {
      throw new BuildFailure(
          "Another import or clean-up is on its way (pid %s).".formatted(inUse.owner()));
    }
  }

  private long size(List<String> layers) throws IOException {
    long bytes = 0;
    for (String key : layers) {
      bytes += FileTree.size(store.layer(key));
    }
    return bytes;
  }
}
