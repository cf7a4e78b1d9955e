package dev.troupe.actors.image;

import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What building one layer takes, or a sentence on why this server doesn't build it. Pure: the
 * gateway asks before it accepts an image, the machine asks before it builds one, and both hear the
 * same.
 */
public sealed interface BuildSteps {

  /** Python series that a base image can be made for, and the Debian release each comes from. */
  SortedMap<String, String> PYTHON_TO_DEBIAN =
      java.util.Collections.unmodifiableSortedMap(
          new TreeMap<>(Map.of("3.11", "bookworm", "3.13", "trixie")));

  /** Reads a definition. */
  static BuildSteps parse(ImageDefinition definition) {
    return new DockerfileReader(definition).read();
  }

  /** A layer that can be built: {@code steps} in order, on {@code base}. */
  record Served(Base base, List<Step> steps) implements BuildSteps {
    public Served {
      steps = List.copyOf(steps);
    }
  }

  /** A layer that can't be built here; the sentence is for the client's user. */
  record Unsupported(String sentence) implements BuildSteps {}

  /** What a layer stands on. */
  sealed interface Base {}

  /** The official Python image of a series: {@code tag} is what was asked for. */
  record Python(String tag, String series) implements Base {}

  /** Another image of the client. */
  record LayerBelow(String tag) implements Base {}

  /** One line of a Dockerfile; {@code line} is that line, as the log shows it. */
  sealed interface Step {
    String line();
  }

  /** Runs a command line by {@code /bin/sh -c}. */
  record Run(String line, String commandLine) implements Step {}

  /** Copies a file that came with the definition. */
  record CopyFile(String line, String source, String target) implements Step {}

  /** Sets variables, each to a word whose quotes and {@code $NAME}s are still in it. */
  record Environment(String line, List<Assignment> assignments) implements Step {
    public Environment {
      assignments = List.copyOf(assignments);
    }
  }

  /** One variable of {@link Environment}. */
  record Assignment(String name, String word) {}

  /** Sets the folder in which steps and functions run; a word, as in {@link Environment}. */
  record WorkingDirectory(String line, String word) implements Step {}

  /** Sets what runs when nothing else is named. */
  record DefaultCommand(String line, List<String> command) implements Step {
    public DefaultCommand {
      command = List.copyOf(command);
    }
  }
}
