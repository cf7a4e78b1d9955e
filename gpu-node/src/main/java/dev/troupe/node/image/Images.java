package dev.troupe.node.image;

import dev.troupe.actors.blob.ContentSource;
import dev.troupe.node.container.ContainerDriver;
import dev.troupe.node.image.oci.ImageSettings;
import dev.troupe.node.image.oci.LocalImages;
import dev.troupe.node.image.oci.RegistryImages;
import dev.troupe.node.image.oci.StandalonePython;
import dev.troupe.node.log.Pipes;
import dev.troupe.node.network.HostFiles;
import dev.troupe.node.network.SandboxPool;
import dev.troupe.protocol.link.ImageChain;
import dev.troupe.protocol.link.Mount;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** All that a root filesystem is made of: images, the runner, mounts. */
public final class Images implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Images.class);

  private final ImageStore store;
  private final BuildGate gate;
  private final LayerSweeper sweeper;
  private final ImageBuilder builder;
  private final RunnerStore runners;
  private final MountStore mounts;

  private Images(
      ImageStore store,
      BuildGate gate,
      LayerSweeper sweeper,
      ImageBuilder builder,
      RunnerStore runners,
      MountStore mounts) {
    this.store = store;
    this.gate = gate;
    this.sweeper = sweeper;
    this.builder = builder;
    this.runners = runners;
    this.mounts = mounts;
  }

  /**
   * Opens what is kept.
   *
   * @param folder of this machine's disk
   */
  public static Images open(
      Path folder,
      ContentSource contents,
      ContainerDriver driver,
      SandboxPool sandboxes,
      HostFiles hostFiles,
      Pipes pipes,
      ImageSettings settings,
      FunctionSteps functions)
      throws IOException {
    ImageStore store = ImageStore.open(folder.resolve("store"));
    BuildContainer container = new BuildContainer(driver, sandboxes, hostFiles, pipes, store);
    MountStore mounts = MountStore.open(folder.resolve("mounts"), contents);
    RunnerStore runners = RunnerStore.open(store, container, folder);
    ImageBuilder builder =
        new ImageBuilder(
            store,
            container,
            mounts,
            runners,
            RegistryImages.open(store, folder, settings),
            new StandalonePython(store, settings),
            functions,
            new Downloads(sandboxes, hostFiles, settings.layerLimitBytes()),
            settings);
    BuildGate gate = BuildGate.of(folder.resolve("store"));
    LayerSweeper sweeper =
        LayerSweeper.start(
            LocalImages.within(folder, store, gate, settings), settings.unnamedLayerAge());
    return new Images(store, gate, sweeper, builder, runners, mounts);
  }

  /** Ids of the images that are here. */
  public List<String> imageIds() throws IOException {
    return store.imageIds();
  }

  /** Builds an image as far as it is not here. */
  public ImageRecord build(ImageChain chain, Consumer<String> log)
      throws IOException, InterruptedException {
    try (BuildGate.Inside building = gate.build()) {
      return builder.build(chain, log);
    }
  }

  /** An image for a container: mostly here; one that isn't is built, without anybody watching. */
  public ImageRecord image(ImageChain chain) throws IOException, InterruptedException {
    return build(chain, line -> LOG.debug("build: {}", line.strip()));
  }

  /** Removes no more layers. */
  @Override
  public void close() {
    sweeper.close();
  }

  /** Folders of an image, lowest first. */
  public List<Path> layers(ImageRecord image) {
    return store.layersOf(image);
  }

  /** The runner's layer. */
  public Path runner(ImageRecord image, String clientVersion, String builderVersion)
      throws IOException, InterruptedException {
    return runners.ensure(
        image, clientVersion, builderVersion, line -> LOG.info("runner: {}", line.strip()));
  }

  /** A mount's layer. */
  public Path mount(Mount mount) throws IOException, InterruptedException {
    return mounts.ensure(mount);
  }
}
