package dev.troupe.node.image;

import dev.troupe.actors.image.BuildSteps;
import dev.troupe.actors.image.BuildSteps.Command;
import dev.troupe.actors.image.BuildSteps.Step;
import dev.troupe.actors.image.DockerfileWords;
import dev.troupe.node.container.ContainerDriver.Bind;
import dev.troupe.node.linux.FileTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Carries out the steps of one stage, a layer a step. A layer's key is made from the step and the
 * layers below, so a step that was run once on this machine is not run again.
 */
final class StageRunner {

  /** Every image has this folder, so what is bound over it leaves nothing in the layer. */
  private static final String SCRIPT_FOLDER = "/run/troupe";

  private static final String SCRIPT = SCRIPT_FOLDER + "/step";

  private final ImageStore store;
  private final BuildContainer container;
  private final CacheMounts caches;
  private final StageSources sources;
  private final CopyStep copies;
  private final BuildInputs inputs;
  private final Consumer<String> log;

  // Values of ARGs so far, by name.
  private final Map<String, String> arguments = new LinkedHashMap<>();

  StageRunner(
      ImageStore store,
      BuildContainer container,
      CacheMounts caches,
      StageSources sources,
      CopyStep copies,
      BuildInputs inputs,
      Consumer<String> log) {
    this.store = store;
    this.container = container;
    this.caches = caches;
    this.sources = sources;
    this.copies = copies;
    this.inputs = inputs;
    this.log = log;
  }

  /** The image after these steps. */
  ImageRecord run(ImageRecord from, List<Step> steps) throws IOException, InterruptedException {
    ImageRecord image = from;
    for (Step step : steps) {
      log.accept(step.line() + "\n");
      image = carryOut(image, step);
    }
    return image;
  }

  private ImageRecord carryOut(ImageRecord image, Step step)
      throws IOException, InterruptedException {
    return switch (step) {
      case BuildSteps.Run run -> run(image, run);
      case BuildSteps.Copy copy -> copies.copy(image, copy, word -> expand(image, word));
      case BuildSteps.Environment set -> environment(image, set);
      case BuildSteps.Argument argument -> argument(image, argument);
      case BuildSteps.WorkingDirectory set -> workingDirectory(image, set);
      case BuildSteps.Shell set -> image.withShell(set.words());
      case BuildSteps.EntryPoint set -> image.withEntryPoint(words(image, set.command()));
      case BuildSteps.DefaultCommand set -> image.withCommand(words(image, set.command()));
      case BuildSteps.NoEffect(var _, var note) -> {
        if (!note.isEmpty()) {
          log.accept(note + "\n");
        }
        yield image;
      }
    };
  }

  private static List<String> words(ImageRecord image, Command command) {
    return switch (command) {
      case Command.Words(var words) -> words;
      case Command.Shell(var text) -> {
        List<String> words = new ArrayList<>(image.shell());
        words.add(text);
        yield words;
      }
    };
  }

  private String expand(ImageRecord image, String word) {
    return DockerfileWords.expand(word, variables(image));
  }

  /** An image's own variables hide arguments of the same name. */
  private Map<String, String> variables(ImageRecord image) {
    Map<String, String> variables = new LinkedHashMap<>(arguments);
    variables.putAll(image.environment());
    return variables;
  }

  // ---- RUN

  private ImageRecord run(ImageRecord image, BuildSteps.Run run)
      throws IOException, InterruptedException {
    try (StepMounts mounts =
        new StepMounts(store, caches, sources, inputs, image, word -> expand(image, word))) {
      List<String> what = new ArrayList<>();
      what.add("run");
      what.add(run.command().toString());
      what.add(new TreeMap<>(variables(image)).toString());
      what.add(image.workingDirectory());
      what.add(String.join(" ", image.shell()));
      what.add(inputs.secretsKey());
      if (!run.mounts().isEmpty()) {
        what.add(mounts.key(run.mounts()));
      }
      if (!run.network()) {
        what.add("without network");
      }
      String key = inputs.key(image, what.toArray(String[]::new));
      store.ensure(
          key,
          () -> {
            mounts.prepare(run.mounts());
            store.publish(changes(image, run, mounts), key);
          });
      return image.withLayer(key);
    }
  }

  private Path changes(ImageRecord image, BuildSteps.Run run, StepMounts mounts)
      throws IOException, InterruptedException {
    Map<String, String> environment = new LinkedHashMap<>();
    environment.put("HOME", "/root");
    environment.putAll(variables(image));
    environment.putAll(inputs.secrets());
    environment.putAll(mounts.environment());
    // Lines that say themselves who reads them are a program of their own.
    boolean isScript = run.command() instanceof Command.Shell(var text) && text.startsWith("#!");
    Path aside = store.newFolder();
    try {
      List<Bind> binds = new ArrayList<>(mounts.binds());
      if (isScript) {
        binds.add(script(aside, what(run)));
      }
      return container.run(
          new BuildContainer.Step(
              what(run),
              store.layersOf(image),
              isScript ? List.of(SCRIPT) : words(image, run.command()),
              environment,
              image.directory(),
              binds,
              mounts.contents(),
              run.network()),
          log);
    } finally {
      FileTree.delete(aside);
    }
  }

  private static String what(BuildSteps.Run run) {
    return switch (run.command()) {
      case Command.Shell(var text) -> text.strip();
      case Command.Words(var words) -> String.join(" ", words);
    };
  }

  private static Bind script(Path folder, String text) throws IOException {
    Path script = folder.resolve("step");
    Files.writeString(script, text + "\n");
    LayerFolders.setMode(script, 0755);
    return new Bind(folder, SCRIPT_FOLDER, true);
  }

  // ---- what is set

  private ImageRecord environment(ImageRecord image, BuildSteps.Environment set) {
    Map<String, String> environment = new LinkedHashMap<>(image.environment());
    // All of a line see the values before it, as in Docker.
    set.assignments()
        .forEach(
            assignment -> environment.put(assignment.name(), expand(image, assignment.word())));
    return image.withEnvironment(environment);
  }

  private ImageRecord argument(ImageRecord image, BuildSteps.Argument argument) {
    String given = inputs.arguments().get(argument.name());
    String word = argument.word();
    if (given != null) {
      arguments.put(argument.name(), given);
    } else if (word != null) {
      arguments.put(argument.name(), expand(image, word));
    } else if (inputs.globals().containsKey(argument.name())) {
      arguments.put(argument.name(), inputs.globals().getOrDefault(argument.name(), ""));
    }
    return image;
  }

  private ImageRecord workingDirectory(ImageRecord image, BuildSteps.WorkingDirectory set)
      throws IOException {
    String word = expand(image, set.word());
    String path = Path.of(image.directory()).resolve(word).normalize().toString();
    ImageRecord moved = image.withDirectory(path);
    String key = inputs.key(image, "workdir", path);
    if (store.hasLayer(key)) {
      return moved.withLayer(key);
    }
    try (LayerMount mount = LayerMount.of(store, store.layersOf(image))) {
      if (mount.files().isFolder(path)) {
        return moved;
      }
      mount.files().makeFolders(path);
      mount.publish(store, key);
    }
    return moved.withLayer(key);
  }
}
