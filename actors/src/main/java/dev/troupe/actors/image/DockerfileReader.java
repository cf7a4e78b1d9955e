package dev.troupe.actors.image;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.troupe.actors.image.BuildSteps.Assignment;
import dev.troupe.actors.image.BuildSteps.Base;
import dev.troupe.actors.image.BuildSteps.CopyFile;
import dev.troupe.actors.image.BuildSteps.DefaultCommand;
import dev.troupe.actors.image.BuildSteps.Environment;
import dev.troupe.actors.image.BuildSteps.LayerBelow;
import dev.troupe.actors.image.BuildSteps.Python;
import dev.troupe.actors.image.BuildSteps.Run;
import dev.troupe.actors.image.BuildSteps.Served;
import dev.troupe.actors.image.BuildSteps.Step;
import dev.troupe.actors.image.BuildSteps.Unsupported;
import dev.troupe.actors.image.BuildSteps.WorkingDirectory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Turns the lines of one definition into {@link BuildSteps}. */
final class DockerfileReader {

  private static final Pattern PYTHON_TAG =
      Pattern.compile(
          "(?:docker\\.io/)?(?:library/)?python:(\\d+\\.\\d+)(?:\\.\\d+)?-slim(?:-[a-z]+)?");

  private static final String SERVED_SERIES =
      String.join(" and ", BuildSteps.PYTHON_TO_DEBIAN.keySet());

  private final ImageDefinition definition;

  DockerfileReader(ImageDefinition definition) {
    this.definition = definition;
  }

  BuildSteps read() {
    try {
      for (ImageDefinition.Extra extra : ImageDefinition.Extra.values()) {
        if (definition.extras().contains(extra)) {
          throw new Refused("%s is not served yet".formatted(extra.words()));
        }
      }
      List<String> instructions = instructions(definition.lines());
      if (instructions.isEmpty()) {
        throw new Refused("an image without build steps is not served yet");
      }
      Base base = base(instructions.getFirst());
      List<Step> steps = new ArrayList<>();
      for (String line : instructions.subList(1, instructions.size())) {
        step(base, line).ifPresent(steps::add);
      }
      return new Served(base, steps);
    } catch (Refused refused) {
      return new Unsupported(refused.sentence);
    }
  }

  /** Joins continued lines and leaves out comments and empty ones. */
  private static List<String> instructions(List<String> lines) {
    List<String> instructions = new ArrayList<>();
    StringBuilder open = new StringBuilder();
    for (String line : lines) {
      String text = line.strip();
      if (text.startsWith("#") || text.isEmpty()) {
        continue;
      }
      if (text.endsWith("\\")) {
        open.append(text, 0, text.length() - 1);
        continue;
      }
      instructions.add(open.append(text).toString());
      open.setLength(0);
    }
    if (!open.toString().isBlank()) {
      instructions.add(open.toString().strip());
    }
    return instructions;
  }

  private Base base(String line) {
    String image = arguments(line, "FROM");
    if (definition.baseTags().contains(image)) {
      return new LayerBelow(image);
    }
    Matcher python = PYTHON_TAG.matcher(image);
    if (!python.matches()) {
      throw new Refused(
          "base image '%s' is not served yet: this server makes python:X.Y-slim images (Python %s)"
              .formatted(image, SERVED_SERIES));
    }
    String series = python.group(1);
    if (!BuildSteps.PYTHON_TO_DEBIAN.containsKey(series)) {
      throw new Refused(
          "images with Python %s are not served yet: this server makes images with Python %s, as in debian_slim(python_version=\"3.13\")"
              .formatted(series, SERVED_SERIES));
    }
    return new Python(image, series);
  }

  private Optional<Step> step(Base base, String line) {
    String instruction = line.split("\\s", 2)[0].toUpperCase(Locale.ROOT);
    return switch (instruction) {
      case "ENV" -> Optional.of(environment(line));
      case "WORKDIR" -> Optional.of(new WorkingDirectory(line, arguments(line, "WORKDIR")));
      case "CMD" -> Optional.of(new DefaultCommand(line, command(arguments(line, "CMD"))));
      case "ENTRYPOINT" -> entrypoint(line);
      case "RUN" -> Optional.of(run(base, line));
      case "COPY" -> Optional.of(copy(base, line));
      default ->
          throw notServed(line, "this server knows ENV, WORKDIR, CMD, and RUN of debian_slim()");
    };
  }

  private static Environment environment(String line) {
    String text = arguments(line, "ENV");
    List<String> words = DockerfileWords.split(text);
    List<Assignment> assignments = new ArrayList<>();
    if (words.getFirst().indexOf('=') < 0) {
      // The old form: one name, and all the rest of the line is its value.
      String[] parts = text.split("\\s+", 2);
      return new Environment(
          line, List.of(new Assignment(parts[0], parts.length > 1 ? parts[1] : "")));
    }
    for (String word : words) {
      int equals = word.indexOf('=');
      if (equals <= 0) {
        throw notServed(line, "'" + word + "' is no NAME=VALUE");
      }
      assignments.add(new Assignment(word.substring(0, equals), word.substring(equals + 1)));
    }
    return new Environment(line, assignments);
  }

  private static Run run(Base base, String line) {
    String commandLine = arguments(line, "RUN");
    if (!(base instanceof Python)) {
      throw notServed(
          line, "a layer over another image can set ENV, WORKDIR and CMD in this release");
    }
    if (commandLine.startsWith("--") || commandLine.startsWith("<<")) {
      throw notServed(line, "RUN takes a plain command line in this release");
    }
    if (commandLine.startsWith("[")) {
      throw notServed(line, "RUN takes a command line, not a list, in this release");
    }
    return new Run(line, commandLine);
  }

  private CopyFile copy(Base base, String line) {
    List<String> words = DockerfileWords.split(arguments(line, "COPY"));
    if (base instanceof Python
        && words.size() == 2
        && definition.contextFiles().contains(words.get(0))
        && words.get(1).startsWith("/")) {
      return new CopyFile(line, words.get(0), words.get(1));
    }
    throw notServed(
        line, "files are added to images when they start (add_local_file and the like)");
  }

  /** An empty list takes away what there is not; any other would have to run before the runner. */
  private static Optional<Step> entrypoint(String line) {
    if (arguments(line, "ENTRYPOINT").replaceAll("\\s", "").equals("[]")) {
      return Optional.empty();
    }
    throw notServed(line, "functions start without an entrypoint in this release");
  }

  private static List<String> command(String text) {
    if (!text.startsWith("[")) {
      return List.of("/bin/sh", "-c", text);
    }
    try {
      return List.of(new ObjectMapper().readValue(text, String[].class));
    } catch (JsonProcessingException malformed) {
      throw new Refused("build step 'CMD %s' is not a list of strings".formatted(text));
    }
  }

  private static String arguments(String line, String instruction) {
    String[] parts = line.split("\\s+", 2);
    if (!parts[0].equalsIgnoreCase(instruction) || parts.length < 2 || parts[1].isBlank()) {
      throw new Refused(
          "build step '%s' is not served yet: '%s …' was expected".formatted(line, instruction));
    }
    return parts[1].strip();
  }

  private static Refused notServed(String line, String because) {
    return new Refused("build step '%s' is not served yet: %s".formatted(line, because));
  }

  /** Leaves the reader with the sentence for the user. */
  private static final class Refused extends RuntimeException {
    private static final long serialVersionUID = 1;
    private final String sentence;

    Refused(String sentence) {
      super(sentence, null, false, false);
      this.sentence = sentence;
    }
  }
}
