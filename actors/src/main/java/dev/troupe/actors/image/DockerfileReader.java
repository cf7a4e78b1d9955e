package dev.troupe.actors.image;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.troupe.actors.image.BuildSteps.Adding;
import dev.troupe.actors.image.BuildSteps.Argument;
import dev.troupe.actors.image.BuildSteps.Assignment;
import dev.troupe.actors.image.BuildSteps.Base;
import dev.troupe.actors.image.BuildSteps.ByFunction;
import dev.troupe.actors.image.BuildSteps.Command;
import dev.troupe.actors.image.BuildSteps.Copy;
import dev.troupe.actors.image.BuildSteps.DefaultCommand;
import dev.troupe.actors.image.BuildSteps.EntryPoint;
import dev.troupe.actors.image.BuildSteps.Environment;
import dev.troupe.actors.image.BuildSteps.InlineFile;
import dev.troupe.actors.image.BuildSteps.LayerBelow;
import dev.troupe.actors.image.BuildSteps.NoEffect;
import dev.troupe.actors.image.BuildSteps.Python;
import dev.troupe.actors.image.BuildSteps.Registry;
import dev.troupe.actors.image.BuildSteps.Run;
import dev.troupe.actors.image.BuildSteps.Scratch;
import dev.troupe.actors.image.BuildSteps.Served;
import dev.troupe.actors.image.BuildSteps.Shell;
import dev.troupe.actors.image.BuildSteps.Source;
import dev.troupe.actors.image.BuildSteps.Stage;
import dev.troupe.actors.image.BuildSteps.StageBelow;
import dev.troupe.actors.image.BuildSteps.Step;
import dev.troupe.actors.image.BuildSteps.Unsupported;
import dev.troupe.actors.image.BuildSteps.WorkingDirectory;
import dev.troupe.actors.image.Instruction.Flag;
import dev.troupe.actors.image.Instruction.HereDocument;
import dev.troupe.actors.image.Instruction.Malformed;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Turns the lines of one definition into {@link BuildSteps}. */
final class DockerfileReader {

  private static final Pattern PYTHON_TAG =
      Pattern.compile(
          "(?:docker\\.io/)?(?:library/)?python:(\\d+\\.\\d+)(?:\\.\\d+)?-slim(?:-[a-z]+)?");

  // The client names it with the host of a registry, which need not be reached: PyPI has it too.
  private static final Pattern UV = Pattern.compile("(?:[^/]+/)?astral-sh/uv(?::([\\w.-]+))?");

  private final ImageDefinition definition;
  private final Map<String, String> globals = new HashMap<>();
  private final List<Stage> stages = new ArrayList<>();
  private final Map<String, Integer> names = new HashMap<>();

  DockerfileReader(ImageDefinition definition) {
    this.definition = definition;
  }

  BuildSteps read() {
    try {
      for (ImageDefinition.Extra extra : ImageDefinition.Extra.values()) {
        if (definition.extras().contains(extra)) {
          throw new Malformed("%s is not served yet".formatted(extra.words()));
        }
      }
      List<Instruction> instructions = Instruction.read(definition.lines());
      if (definition.byFunction() && instructions.isEmpty() && definition.baseTags().size() == 1) {
        return new ByFunction();
      }
      if (instructions.isEmpty()) {
        throw new Malformed("an image without build steps is not served yet");
      }
      int at = 0;
      while (at < instructions.size() && instructions.get(at).name().equals("ARG")) {
        global(instructions.get(at++));
      }
      while (at < instructions.size()) {
        at = stage(instructions, at);
      }
      return new Served(globals, stages);
    } catch (Malformed malformed) {
      return new Unsupported(String.valueOf(malformed.getMessage()));
    }
  }

  // ---- stages

  private void global(Instruction instruction) {
    Argument argument = argument(instruction);
    String word = argument.word();
    String given = definition.arguments().get(argument.name());
    if (given != null || word != null) {
      globals.put(
          argument.name(),
          given != null ? given : DockerfileWords.expand(word == null ? "" : word, globals));
    }
  }

  /** Reads a stage that begins at {@code first}; gives the place behind it. */
  private int stage(List<Instruction> instructions, int first) {
    Instruction from = instructions.get(first);
    if (!from.name().equals("FROM")) {
      throw notServed(from, "'FROM …' was expected");
    }
    List<String> words = DockerfileWords.split(from.arguments());
    boolean named = words.size() == 3 && words.get(1).equalsIgnoreCase("AS");
    if (words.size() != 1 && !named) {
      throw notServed(from, "'FROM image' or 'FROM image AS name' was expected");
    }
    Base base = base(DockerfileWords.expand(words.getFirst(), globals));
    List<Step> steps = new ArrayList<>();
    int at = first + 1;
    while (at < instructions.size() && !instructions.get(at).name().equals("FROM")) {
      steps.add(step(instructions.get(at++)));
    }
    if (named) {
      names.put(words.get(2).toLowerCase(Locale.ROOT), stages.size());
    }
    stages.add(new Stage(from.line(), base, steps));
    return at;
  }

  private Base base(String image) {
    Integer earlier = names.get(image.toLowerCase(Locale.ROOT));
    if (earlier != null) {
      return new StageBelow(earlier);
    }
    if (definition.baseTags().contains(image)) {
      return new LayerBelow(image);
    }
    if (image.equals("scratch")) {
      return new Scratch();
    }
    Matcher python = PYTHON_TAG.matcher(image);
    return python.matches() && BuildSteps.PYTHON_TO_DEBIAN.containsKey(python.group(1))
        ? new Python(image, python.group(1))
        : new Registry(image);
  }

  // ---- steps

  private Step step(Instruction instruction) {
    String line = instruction.line();
    if (instruction.arguments().isBlank()) {
      throw notServed(instruction, "it says nothing");
    }
    return switch (instruction.name()) {
      case "RUN" -> run(instruction);
      case "COPY", "ADD" -> copy(instruction);
      case "ENV" -> environment(instruction);
      case "ARG" -> argument(instruction);
      case "WORKDIR" -> new WorkingDirectory(line, instruction.arguments());
      case "ENTRYPOINT" -> new EntryPoint(line, command(instruction));
      case "CMD" -> new DefaultCommand(line, command(instruction));
      case "SHELL" -> shell(instruction);
      case "USER" -> new NoEffect(line, "USER is passed over: functions and steps run as root");
      case "LABEL", "EXPOSE", "VOLUME", "STOPSIGNAL", "HEALTHCHECK", "ONBUILD", "MAINTAINER" ->
          new NoEffect(line, "");
      default ->
          throw notServed(instruction, "'%s' is no instruction".formatted(instruction.name()));
    };
  }

  private Run run(Instruction instruction) {
    List<RunMount> mounts = new ArrayList<>();
    boolean network = true;
    for (Flag flag : instruction.flags()) {
      switch (flag.name() + "=" + flag.value()) {
        case "network=default" -> network = true;
        case "network=none" -> network = false;
        case "network=host" ->
            throw notServed(instruction, "no step has the network of the machine itself");
        case "security=sandbox" -> {}
        case "security=insecure" ->
            throw notServed(instruction, "no step has more rights than a function's container");
        default -> mounts.add(mount(instruction, flag));
      }
    }
    return new Run(instruction.line(), program(instruction), mounts, network);
  }

  private RunMount mount(Instruction instruction, Flag flag) {
    if (!flag.name().equals("mount")) {
      throw notServed(instruction, "it does not know --" + flag.name());
    }
    try {
      return RunMountReader.read(
          flag.value(), from -> source(instruction, DockerfileWords.expand(from, globals)));
    } catch (IllegalArgumentException wrong) {
      throw notServed(instruction, String.valueOf(wrong.getMessage()));
    }
  }

  private static Command program(Instruction instruction) {
    if (instruction.documents().isEmpty()) {
      return command(instruction);
    }
    HereDocument first = instruction.documents().getFirst();
    if (instruction.arguments().equals(first.opening())) {
      // The lines are the program, for the shell or for what its first line names.
      return new Command.Shell(first.text());
    }
    // The shell itself reads them.
    StringBuilder text = new StringBuilder(instruction.arguments()).append('\n');
    instruction.documents().forEach(it -> text.append(it.text()).append(it.name()).append('\n'));
    return new Command.Shell(text.toString());
  }

  private Copy copy(Instruction instruction) {
    Source from = new Source.Context();
    String owner = "";
    Integer mode = null;
    boolean adds = instruction.name().equals("ADD");
    String checksum = "";
    @Nullable Boolean unpack = null;
    for (Flag flag : instruction.flags()) {
      switch ((adds ? "ADD --" : "COPY --") + flag.name()) {
        case "ADD --checksum" -> checksum = checksum(instruction, flag.value());
        case "ADD --unpack" -> unpack = !flag.value().equalsIgnoreCase("false");
        case "COPY --from" ->
            from = source(instruction, DockerfileWords.expand(flag.value(), globals));
        case "COPY --chown", "ADD --chown" -> owner = flag.value();
        case "COPY --chmod", "ADD --chmod" -> mode = mode(instruction, flag.value());
        case "COPY --link", "ADD --link" -> {}
        default -> throw notServed(instruction, "it does not know --" + flag.name());
      }
    }
    List<String> words = new ArrayList<>(copied(instruction));
    if (words.size() < 2) {
      throw notServed(instruction, "it takes sources and a target");
    }
    String target = words.removeLast();
    Map<String, HereDocument> documents = new HashMap<>();
    instruction.documents().forEach(document -> documents.put(document.opening(), document));
    List<InlineFile> inline = new ArrayList<>();
    for (String word : words) {
      HereDocument document = documents.get(word);
      if (document != null) {
        inline.add(new InlineFile(document.name(), document.text()));
      }
    }
    words.removeIf(documents::containsKey);
    if (adds && words.stream().anyMatch(Adding::isRepository)) {
      throw notServed(instruction, "ADD takes no repository of git; RUN git clone does");
    }
    if (!checksum.isEmpty() && words.size() != 1) {
      throw notServed(instruction, "--checksum is for one address");
    }
    return new Copy(
        instruction.line(),
        from,
        words,
        inline,
        target,
        owner,
        mode,
        adds ? new Adding(checksum, unpack) : null);
  }

  private static String checksum(Instruction instruction, String text) {
    if (!text.matches("sha256:[0-9a-f]{64}")) {
      throw notServed(instruction, "--checksum is sha256: and 64 hexadecimal digits");
    }
    return text;
  }

  private static List<String> copied(Instruction instruction) {
    return instruction.arguments().startsWith("[")
        ? list(instruction)
        : DockerfileWords.split(instruction.arguments());
  }

  private Source source(Instruction instruction, String name) {
    Integer stage = names.get(name.toLowerCase(Locale.ROOT));
    if (stage == null && name.matches("\\d{1,4}") && Integer.parseInt(name) < stages.size()) {
      stage = Integer.parseInt(name);
    }
    if (stage != null) {
      return new Source.EarlierStage(stage);
    }
    Matcher uv = UV.matcher(name);
    if (uv.matches()) {
      String version = uv.group(1);
      return new Source.Uv(version == null || version.equals("latest") ? "" : version);
    }
    if (name.indexOf('/') < 0 && name.indexOf(':') < 0) {
      throw notServed(instruction, "there is no stage '%s'".formatted(name));
    }
    return new Source.RegistryImage(name);
  }

  private static int mode(Instruction instruction, String text) {
    if (!text.matches("[0-7]{3,4}")) {
      throw notServed(instruction, "--chmod takes an octal number");
    }
    return Integer.parseInt(text, 8);
  }

  private static Environment environment(Instruction instruction) {
    List<String> words = DockerfileWords.split(instruction.arguments());
    List<Assignment> assignments = new ArrayList<>();
    if (words.getFirst().indexOf('=') < 0) {
      // The old form: one name, and all the rest of the line is its value.
      String[] parts = instruction.arguments().split("\\s+", 2);
      return new Environment(
          instruction.line(), List.of(new Assignment(parts[0], parts.length > 1 ? parts[1] : "")));
    }
    for (String word : words) {
      int equals = word.indexOf('=');
      if (equals <= 0) {
        throw notServed(instruction, "'" + word + "' is no NAME=VALUE");
      }
      assignments.add(new Assignment(word.substring(0, equals), word.substring(equals + 1)));
    }
    return new Environment(instruction.line(), assignments);
  }

  private static Argument argument(Instruction instruction) {
    String text = instruction.arguments();
    int equals = text.indexOf('=');
    String name = equals < 0 ? text : text.substring(0, equals);
    @Nullable String word = equals < 0 ? null : text.substring(equals + 1);
    if (!name.matches("[A-Za-z_][A-Za-z0-9_]*")) {
      throw notServed(instruction, "ARG takes one NAME or NAME=VALUE");
    }
    return new Argument(instruction.line(), name, word);
  }

  private static Shell shell(Instruction instruction) {
    List<String> words = list(instruction);
    if (words.isEmpty()) {
      throw notServed(instruction, "SHELL takes a list that is not empty");
    }
    return new Shell(instruction.line(), words);
  }

  private static Command command(Instruction instruction) {
    String text = instruction.arguments();
    if (text.startsWith("[")) {
      try {
        return new Command.Words(List.of(new ObjectMapper().readValue(text, String[].class)));
      } catch (JsonProcessingException isForTheShell) {
        // As in Docker: [ is a program too.
        return new Command.Shell(text);
      }
    }
    return new Command.Shell(text);
  }

  private static List<String> list(Instruction instruction) {
    try {
      return List.of(new ObjectMapper().readValue(instruction.arguments(), String[].class));
    } catch (JsonProcessingException malformed) {
      throw notServed(instruction, "a list of strings was expected, as in [\"/bin/bash\", \"-c\"]");
    }
  }

  private static Malformed notServed(Instruction instruction, String because) {
    return new Malformed(
        "build step '%s' is not served yet: %s".formatted(instruction.line(), because));
  }
}
