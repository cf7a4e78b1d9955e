package dev.troupe.actors.image;

import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

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

  /**
   * A layer that can be built: the last of the stages, which may copy from those before it.
   *
   * @param globals arguments that are set before the first stage
   */
  record Served(Map<String, String> globals, List<Stage> stages) implements BuildSteps {
    public Served {
      globals = Map.copyOf(globals);
      stages = List.copyOf(stages);
    }
  }

  /** A layer that a function makes: what it leaves behind in the image below. */
  record ByFunction() implements BuildSteps {}

  /** A layer that can't be built here; the sentence is for the client's user. */
  record Unsupported(String sentence) implements BuildSteps {}

  /** One {@code FROM} and what follows it: {@code steps} in order, on {@code base}. */
  record Stage(String line, Base base, List<Step> steps) {
    public Stage {
      steps = List.copyOf(steps);
    }
  }

  /** What a stage stands on. */
  sealed interface Base {}

  /** The official Python image of a series: {@code tag} is what was asked for. */
  record Python(String tag, String series) implements Base {}

  /** An image of a registry, as the user names it. */
  record Registry(String reference) implements Base {}

  /** Another image of the client. */
  record LayerBelow(String tag) implements Base {}

  /** An earlier stage, by its place. */
  record StageBelow(int index) implements Base {}

  /** Nothing. */
  record Scratch() implements Base {}

  /** One line of a Dockerfile; {@code line} is that line, as the log shows it. */
  sealed interface Step {
    String line();
  }

  /** A command as a Dockerfile writes it. */
  sealed interface Command {

    /** For the shell. */
    record Shell(String text) implements Command {}

    /** As it is. */
    record Words(List<String> words) implements Command {
      public Words {
        words = List.copyOf(words);
      }
    }
  }

  /**
   * Runs a command.
   *
   * @param network whether it has a way out
   */
  record Run(String line, Command command, List<RunMount> mounts, boolean network) implements Step {
    public Run {
      mounts = List.copyOf(mounts);
    }
  }

  /** Where a copied file comes from. */
  sealed interface Source {

    /** The files that came with the definition. */
    record Context() implements Source {}

    /** An earlier stage, by its place. */
    record EarlierStage(int index) implements Source {}

    /** An image of a registry. */
    record RegistryImage(String reference) implements Source {}

    /** The program {@code uv} in this version; empty: the newest. */
    record Uv(String version) implements Source {}
  }

  /** A small file that is written in the Dockerfile itself. */
  record InlineFile(String name, String text) {}

  /**
   * Copies files. Words are as in {@link Environment}.
   *
   * @param sources what is copied, patterns among it
   * @param inline files that are written here, copied too
   * @param target a folder where it ends with a slash or there are several sources
   * @param owner {@code user[:group]}, by name or number; empty: root
   * @param mode null: as the source has it
   * @param adding for {@code ADD}: what it does besides; null: nothing
   */
  record Copy(
      String line,
      Source from,
      List<String> sources,
      List<InlineFile> inline,
      String target,
      String owner,
      @Nullable Integer mode,
      @Nullable Adding adding)
      implements Step {
    public Copy {
      sources = List.copyOf(sources);
      inline = List.copyOf(inline);
    }
  }

  /**
   * What {@code ADD} does with addresses and archives among its sources.
   *
   * @param checksum of the one address, {@code sha256:…}; empty: whatever comes
   * @param unpack null: archives of the context, and none of an address
   */
  record Adding(String checksum, @Nullable Boolean unpack) {

    /** Whether a source is an address to be fetched. */
    public static boolean isAddress(String source) {
      return source.matches("(?i)https?://.+");
    }

    /** Whether a source is a repository of git. */
    public static boolean isRepository(String source) {
      return source.matches("(?i)(git@|git://|ssh://).*|https?://[^#?]+\\.git(#.*)?");
    }
  }

  /** Sets variables, each to a word whose quotes and {@code $NAME}s are still in it. */
  record Environment(String line, List<Assignment> assignments) implements Step {
    public Environment {
      assignments = List.copyOf(assignments);
    }
  }

  /** One variable of {@link Environment}. */
  record Assignment(String name, String word) {}

  /**
   * A variable of the build alone: given with it, else {@code word}, else that of the lines before
   * the first stage, else not set.
   */
  record Argument(String line, String name, @Nullable String word) implements Step {}

  /** Sets the folder in which steps and functions run; a word, as in {@link Environment}. */
  record WorkingDirectory(String line, String word) implements Step {}

  /** Sets what runs before everything that runs in a container. */
  record EntryPoint(String line, Command command) implements Step {}

  /** Sets what runs when nothing else is named. */
  record DefaultCommand(String line, Command command) implements Step {}

  /** Sets the shell of later {@link Command.Shell}s. */
  record Shell(String line, List<String> words) implements Step {
    public Shell {
      words = List.copyOf(words);
    }
  }

  /** Changes nothing here; {@code note} says so to the user, empty where that is no news. */
  record NoEffect(String line, String note) implements Step {}
}
