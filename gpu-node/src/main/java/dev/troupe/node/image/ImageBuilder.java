package dev.troupe.node.image;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.actors.id.Ids;
import dev.troupe.actors.image.BuildSteps;
import dev.troupe.actors.image.BuildSteps.Base;
import dev.troupe.actors.image.BuildSteps.Stage;
import dev.troupe.actors.image.ImageDefinition;
import dev.troupe.node.image.oci.ImageSettings;
import dev.troupe.node.image.oci.RegistryImages;
import dev.troupe.node.image.oci.StandalonePython;
import dev.troupe.node.linux.FileTree;
import dev.troupe.protocol.link.ImageChain;
import dev.troupe.protocol.link.Layer;
import dev.troupe.protocol.link.Mount;
import dev.troupe.protocol.link.StartContainer;
import dev.troupe.protocol.modal.BaseImage;
import dev.troupe.protocol.modal.FunctionInput;
import dev.troupe.protocol.modal.Image;
import dev.troupe.protocol.modal.ImageContextFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** Builds images from their definitions, each of a chain on the one below. */
public final class ImageBuilder {

  private final ImageStore store;
  private final BuildContainer container;
  private final MountStore mounts;
  private final RunnerStore runners;
  private final StandalonePython pythons;
  private final FunctionSteps functions;
  private final CacheMounts caches;
  private final Downloads downloads;
  private final ImageSettings settings;
  private final BaseImages bases;
  private final PythonFacts facts;
  private final UvTool uv;
  private final Map<String, ReentrantLock> building = new ConcurrentHashMap<>();

  ImageBuilder(
      ImageStore store,
      BuildContainer container,
      MountStore mounts,
      RunnerStore runners,
      RegistryImages registries,
      StandalonePython pythons,
      FunctionSteps functions,
      Downloads downloads,
      ImageSettings settings) {
    this.downloads = downloads;
    this.settings = settings;
    this.caches = new CacheMounts(store, settings.cacheLimitBytes(), InstantSource.system());
    this.pythons = pythons;
    this.runners = runners;
    this.functions = functions;
    this.store = store;
    this.container = container;
    this.mounts = mounts;
    this.facts = new PythonFacts(store, container);
    this.bases = new BaseImages(store, facts, registries);
    this.uv = new UvTool(store, container);
  }

  /** The image of a chain, built as far as it is not here yet. One build of an image at once. */
  public ImageRecord build(ImageChain chain, Consumer<String> log)
      throws IOException, InterruptedException {
    Optional<ImageRecord> built = Optional.empty();
    for (Layer layer : chain.getLayersList()) {
      built = Optional.of(buildLayer(layer, built, log));
    }
    return built.orElseThrow(() -> new BuildFailure("The image has no layers."));
  }

  private ImageRecord buildLayer(Layer layer, Optional<ImageRecord> below, Consumer<String> log)
      throws IOException, InterruptedException {
    ReentrantLock lock = building.computeIfAbsent(layer.getImageId(), _ -> new ReentrantLock());
    lock.lockInterruptibly();
    try {
      Optional<ImageRecord> here = store.find(layer.getImageId());
      if (here.isPresent()) {
        return here.get();
      }
      ImageRecord image = execute(layer, below, log);
      store.put(layer.getImageId(), image);
      return image;
    } finally {
      lock.unlock();
    }
  }

  private ImageRecord execute(Layer layer, Optional<ImageRecord> below, Consumer<String> log)
      throws IOException, InterruptedException {
    Image definition;
    try {
      definition = Image.parseFrom(layer.getDefinition());
    } catch (InvalidProtocolBufferException malformed) {
      throw new BuildFailure("The definition of the image can't be read.");
    }
    return switch (BuildSteps.parse(describe(definition))) {
      case BuildSteps.Unsupported(var sentence) -> throw new BuildFailure(sentence);
      case BuildSteps.ByFunction() ->
          runFunction(
              layer, definition, below.orElseThrow(() -> new BuildFailure("It has no base.")), log);
      case BuildSteps.Served served -> {
        Path files = store.newFolder();
        try {
          writeContextFiles(definition, files);
          yield carryOut(
              served,
              below,
              inputs(layer, definition, served.globals(), context(layer, definition, files)),
              log);
        } finally {
          FileTree.delete(files);
        }
      }
    };
  }

  private static ImageDefinition describe(Image image) {
    return new ImageDefinition(
        image.getDockerfileCommandsList(),
        image.getBaseImagesList().stream()
            .map(BaseImage::getDockerTag)
            .collect(Collectors.toUnmodifiableSet()),
        image.getBuildArgsMap(),
        image.hasBuildFunction(),
        Set.of());
  }

  /** What the function leaves behind is the layer, unless an equal one did so before. */
  private ImageRecord runFunction(
      Layer layer, Image definition, ImageRecord below, Consumer<String> log)
      throws IOException, InterruptedException {
    byte[] function = definition.getBuildFunction().toByteArray();
    String key =
        inputs(layer, definition, Map.of(), List.of())
            .key(below, "function", HexFormat.of().formatHex(Ids.sha256().digest(function)));
    if (!store.hasLayer(key)) {
      requireInputs(layer, layer.hasBuildFunction());
      StartContainer order = layer.getBuildFunction();
      List<Path> above = new ArrayList<>();
      above.add(runners.ensure(below, order.getClientVersion(), order.getBuilderVersion(), log));
      for (Mount mount : order.getMountsList()) {
        above.add(mounts.ensure(mount));
      }
      FunctionInput input = definition.getBuildFunction().getInput();
      try (FunctionSteps.Changes changes =
          functions.run(order, input, below, store.layersOf(below), above, log)) {
        store.publish(store.moved(changes.folder()), key);
      }
    }
    return below.withLayer(key);
  }

  private static void requireInputs(Layer layer, boolean there) throws BuildFailure {
    if (!there) {
      throw new BuildFailure(
          "Image %s is gone from this machine; build it again (modal deploy, with force_build)."
              .formatted(layer.getImageId()));
    }
  }

  private List<RootFolder> context(Layer layer, Image definition, Path files)
      throws IOException, InterruptedException {
    List<RootFolder> context = new ArrayList<>();
    if (!definition.getContextMountId().isEmpty()) {
      requireInputs(layer, layer.hasContext());
      String python = layer.getContext().getStandalonePython();
      context.add(
          new RootFolder(
              python.isEmpty() ? mounts.ensure(layer.getContext()) : pythons.folder(python)));
    }
    context.add(new RootFolder(files));
    return context;
  }

  private static BuildInputs inputs(
      Layer layer, Image definition, Map<String, String> globals, List<RootFolder> context) {
    return new BuildInputs(
        definition.getBuildArgsMap(),
        globals,
        context,
        layer.getEnvironmentMap(),
        String.join(" ", definition.getSecretIdsList()),
        layer.getRegistrySecretMap(),
        layer.getFresh());
  }

  /** The small files that are in the definition itself. */
  private static void writeContextFiles(Image definition, Path folder) throws IOException {
    for (ImageContextFile file : definition.getContextFilesList()) {
      Path place = LayerFolders.place(folder, Path.of("/").resolve(file.getFilename()).toString());
      Files.write(place, file.getData().toByteArray());
      LayerFolders.setMode(place, 0644);
    }
  }

  private ImageRecord carryOut(
      BuildSteps.Served served,
      Optional<ImageRecord> below,
      BuildInputs inputs,
      Consumer<String> log)
      throws IOException, InterruptedException {
    List<ImageRecord> stages = new ArrayList<>();
    for (Stage stage : served.stages()) {
      if (!(stage.base() instanceof BuildSteps.LayerBelow)) {
        log.accept(stage.line() + "\n");
      }
      StageSources sources = new StageSources(store, uv, bases, inputs, List.copyOf(stages), log);
      CopyStep copies = new CopyStep(store, sources, downloads, settings, inputs);
      ImageRecord base = base(stage.base(), below, stages, inputs, log);
      stages.add(
          new StageRunner(store, container, caches, sources, copies, inputs, log)
              .run(base, stage.steps()));
    }
    ImageRecord image = stages.getLast();
    return image.pythonVersion().isEmpty() ? facts.of(image) : image;
  }

  private ImageRecord base(
      Base base,
      Optional<ImageRecord> below,
      List<ImageRecord> stages,
      BuildInputs inputs,
      Consumer<String> log)
      throws IOException, InterruptedException {
    return switch (base) {
      case BuildSteps.Python python -> bases.python(python, log);
      case BuildSteps.Registry(var reference) ->
          bases.registry(reference, inputs.registrySecret(), log);
      case BuildSteps.LayerBelow(var tag) ->
          below.orElseThrow(() -> new BuildFailure("There is no image '" + tag + "'."));
      case BuildSteps.StageBelow(var index) -> stages.get(index);
      case BuildSteps.Scratch() -> bases.scratch();
    };
  }
}
