package dev.troupe.node.image;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.actors.id.Ids;
import dev.troupe.actors.image.BuildSteps;
import dev.troupe.actors.image.BuildSteps.Step;
import dev.troupe.actors.image.DockerfileWords;
import dev.troupe.actors.image.ImageDefinition;
import dev.troupe.protocol.link.ImageChain;
import dev.troupe.protocol.link.Layer;
import dev.troupe.protocol.modal.BaseImage;
import dev.troupe.protocol.modal.Image;
import dev.troupe.protocol.modal.ImageContextFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * Builds images from their definitions, a layer a step. A layer's key is made from the step and the
 * layer below, so a step that was run once on this machine is not run again.
 */
public final class ImageBuilder {

  private static final String PATH = "/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin";

  private static final String DESCRIBE_PYTHON =
      "import platform; print('Python', platform.python_version());"
          + " print(' '.join(platform.libc_ver()))";

  private final ImageStore store;
  private final BuildContainer container;
  private final Map<String, ReentrantLock> building = new ConcurrentHashMap<>();

  ImageBuilder(ImageStore store, BuildContainer container) {
    this.store = store;
    this.container = container;
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
      case BuildSteps.Served(BuildSteps.Python python, List<Step> steps) -> {
        log.accept("FROM " + python.tag() + "\n");
        yield carryOut(pythonBase(python, log), steps, definition, log);
      }
      case BuildSteps.Served(BuildSteps.LayerBelow(var tag), List<Step> steps) ->
          carryOut(
              below.orElseThrow(() -> new BuildFailure("There is no image '" + tag + "'.")),
              steps,
              definition,
              log);
    };
  }

  private static ImageDefinition describe(Image image) {
    return new ImageDefinition(
        image.getDockerfileCommandsList(),
        image.getBaseImagesList().stream()
            .map(BaseImage::getDockerTag)
            .collect(Collectors.toUnmodifiableSet()),
        image.getContextFilesList().stream()
            .map(ImageContextFile::getFilename)
            .collect(Collectors.toUnmodifiableSet()),
        Set.of());
  }

  private ImageRecord pythonBase(BuildSteps.Python python, Consumer<String> log)
      throws IOException, InterruptedException {
    String release = BuildSteps.PYTHON_TO_DEBIAN.getOrDefault(python.series(), "");
    String skeleton = skeleton();
    String key = "base-" + Ids.contentKey("debian", DebianRecipe.VERSION, python.series(), release);
    if (!store.hasLayer(key)) {
      Path folder = store.newFolder();
      DebianRecipe.make(python.series(), folder, log);
      store.publish(folder, key);
    }
    Map<String, String> environment = new LinkedHashMap<>();
    environment.put("PATH", PATH);
    environment.put("LANG", "C.UTF-8");
    ImageRecord base =
        new ImageRecord(List.of(skeleton, key), environment, "", List.of("python3"), "", "");
    List<String> facts = new ArrayList<>();
    Path nothing =
        container.run(
            step(base, List.of("/usr/bin/python3", "-c", DESCRIBE_PYTHON)),
            line -> facts.add(line.strip()));
    dev.troupe.node.linux.FileTree.delete(nothing);
    String version = facts.isEmpty() ? "" : facts.getFirst();
    environment.put("PYTHON_VERSION", version.replace("Python ", ""));
    return new ImageRecord(
        base.layers(),
        environment,
        "",
        base.command(),
        version,
        facts.size() > 1 ? facts.get(1) : "");
  }

  /** The lowest layer of every image: what the machine binds into containers has a place in it. */
  private String skeleton() throws IOException {
    String key = "skeleton-1";
    if (!store.hasLayer(key)) {
      Path folder = store.newFolder();
      for (String name : List.of("run/troupe", "etc/troupe", "proc", "sys", "dev", "tmp", "root")) {
        LayerFolders.folder(folder, Path.of(name));
      }
      for (String name :
          List.of("etc/hosts", "etc/resolv.conf", "etc/troupe/ca-certificates.crt")) {
        Files.createFile(folder.resolve(name));
      }
      store.publish(folder, key);
    }
    return key;
  }

  private ImageRecord carryOut(
      ImageRecord from, List<Step> steps, Image definition, Consumer<String> log)
      throws IOException, InterruptedException {
    ImageRecord image = from;
    for (Step step : steps) {
      log.accept(step.line() + "\n");
      image =
          switch (step) {
            case BuildSteps.Run run -> run(image, run, log);
            case BuildSteps.CopyFile copy -> copy(image, copy, definition);
            case BuildSteps.Environment set -> environment(image, set);
            case BuildSteps.WorkingDirectory set -> workingDirectory(image, set);
            case BuildSteps.DefaultCommand set ->
                with(
                    image,
                    image.layers(),
                    image.environment(),
                    image.workingDirectory(),
                    set.command());
          };
    }
    return image;
  }

  private ImageRecord run(ImageRecord image, BuildSteps.Run run, Consumer<String> log)
      throws IOException, InterruptedException {
    String key =
        layerKey(
            image,
            "run",
            run.commandLine(),
            new java.util.TreeMap<>(image.environment()).toString(),
            image.workingDirectory());
    if (!store.hasLayer(key)) {
      Path changes = container.run(step(image, List.of("/bin/sh", "-c", run.commandLine())), log);
      store.publish(changes, key);
    }
    return plus(image, key);
  }

  private BuildContainer.Step step(ImageRecord image, List<String> command) {
    Map<String, String> environment = new LinkedHashMap<>();
    environment.put("HOME", "/root");
    environment.putAll(image.environment());
    String directory = image.workingDirectory().isEmpty() ? "/" : image.workingDirectory();
    return new BuildContainer.Step(
        store.layersOf(image), command, environment, directory, List.of());
  }

  private ImageRecord copy(ImageRecord image, BuildSteps.CopyFile copy, Image definition)
      throws IOException {
    byte[] bytes =
        definition.getContextFilesList().stream()
            .filter(file -> file.getFilename().equals(copy.source()))
            .findFirst()
            .orElseThrow(() -> new BuildFailure("There is no file '" + copy.source() + "'."))
            .getData()
            .toByteArray();
    String digest = java.util.HexFormat.of().formatHex(Ids.sha256().digest(bytes));
    String key = layerKey(image, "copy", digest, copy.target());
    if (!store.hasLayer(key)) {
      Path folder = store.newFolder();
      Files.write(LayerFolders.place(folder, copy.target()), bytes);
      store.publish(folder, key);
    }
    return plus(image, key);
  }

  private static ImageRecord environment(ImageRecord image, BuildSteps.Environment set) {
    Map<String, String> environment = new LinkedHashMap<>(image.environment());
    // All of a line see the values before it, as in Docker.
    set.assignments()
        .forEach(
            assignment ->
                environment.put(
                    assignment.name(),
                    DockerfileWords.expand(assignment.word(), image.environment())));
    return with(image, image.layers(), environment, image.workingDirectory(), image.command());
  }

  private ImageRecord workingDirectory(ImageRecord image, BuildSteps.WorkingDirectory set)
      throws IOException {
    String word = DockerfileWords.expand(set.word(), image.environment());
    String before = image.workingDirectory().isEmpty() ? "/" : image.workingDirectory();
    String path = Path.of(before).resolve(word).normalize().toString();
    ImageRecord moved = with(image, image.layers(), image.environment(), path, image.command());
    if (path.equals("/") || LayerFolders.hasFolder(store.layersOf(image), path)) {
      return moved;
    }
    String key = layerKey(image, "workdir", path);
    if (!store.hasLayer(key)) {
      Path folder = store.newFolder();
      LayerFolders.folder(folder, Path.of("/").relativize(Path.of(path)));
      store.publish(folder, key);
    }
    return plus(moved, key);
  }

  private static String layerKey(ImageRecord image, String... what) {
    List<String> parts = new ArrayList<>(List.of(String.join(" ", image.layers())));
    parts.addAll(List.of(what));
    return "step-" + Ids.contentKey(parts.toArray(String[]::new));
  }

  private static ImageRecord plus(ImageRecord image, String key) {
    List<String> layers = new ArrayList<>(image.layers());
    layers.add(key);
    return with(image, layers, image.environment(), image.workingDirectory(), image.command());
  }

  private static ImageRecord with(
      ImageRecord image,
      List<String> layers,
      Map<String, String> environment,
      String workingDirectory,
      List<String> command) {
    return new ImageRecord(
        layers, environment, workingDirectory, command, image.pythonVersion(), image.libcVersion());
  }
}
