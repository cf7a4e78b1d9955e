package dev.troupe.actors.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.image.BuildSteps.Assignment;
import dev.troupe.actors.image.BuildSteps.CopyFile;
import dev.troupe.actors.image.BuildSteps.DefaultCommand;
import dev.troupe.actors.image.BuildSteps.Environment;
import dev.troupe.actors.image.BuildSteps.LayerBelow;
import dev.troupe.actors.image.BuildSteps.Python;
import dev.troupe.actors.image.BuildSteps.Run;
import dev.troupe.actors.image.BuildSteps.Served;
import dev.troupe.actors.image.BuildSteps.Unsupported;
import dev.troupe.actors.image.BuildSteps.WorkingDirectory;
import dev.troupe.actors.image.ImageDefinition.Extra;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class BuildStepsTest {

  private static BuildSteps parse(String... lines) {
    return BuildSteps.parse(
        new ImageDefinition(
            List.of(lines), Set.of("base"), Set.of("/modal_requirements.txt"), Set.of()));
  }

  private static String sentence(BuildSteps steps) {
    assertThat(steps).isInstanceOf(Unsupported.class);
    return ((Unsupported) steps).sentence();
  }

  @Test
  void readsWhatDebianSlimSends() {
    BuildSteps steps =
        parse(
            "FROM python:3.11.12-slim-bookworm",
            "RUN apt-get update",
            "RUN echo 'debconf debconf/frontend select Noninteractive' | debconf-set-selections",
            "CMD [\"sleep\", \"172800\"]");

    assertThat(steps)
        .isEqualTo(
            new Served(
                new Python("python:3.11.12-slim-bookworm", "3.11"),
                List.of(
                    new Run("RUN apt-get update", "apt-get update"),
                    new Run(
                        "RUN echo 'debconf debconf/frontend select Noninteractive' |"
                            + " debconf-set-selections",
                        "echo 'debconf debconf/frontend select Noninteractive' |"
                            + " debconf-set-selections"),
                    new DefaultCommand(
                        "CMD [\"sleep\", \"172800\"]", List.of("sleep", "172800")))));
  }

  @ParameterizedTest
  @CsvSource({
    "python:3.11-slim-trixie, 3.11",
    "python:3.13.3-slim-bookworm, 3.13",
    "python:3.13-slim, 3.13",
    "docker.io/library/python:3.11.12-slim-bookworm, 3.11"
  })
  void takesAnyPatchAndSuffixOfTheTwoSeries(String tag, String series) {
    assertThat(parse("FROM " + tag)).isEqualTo(new Served(new Python(tag, series), List.of()));
  }

  @Test
  void anotherPythonIsRefusedWithTheTwoThatAreThere() {
    assertThat(sentence(parse("FROM python:3.12.10-slim-bookworm")))
        .contains("Python 3.12", "3.11 and 3.13");
  }

  @Test
  void anotherBaseIsRefusedByName() {
    assertThat(sentence(parse("FROM ubuntu:22.04"))).contains("'ubuntu:22.04' is not served yet");
  }

  @Test
  void readsTheRequirementsOfOlderBuilders() {
    assertThat(
            parse("FROM python:3.11-slim", "COPY /modal_requirements.txt /modal_requirements.txt"))
        .isEqualTo(
            new Served(
                new Python("python:3.11-slim", "3.11"),
                List.of(
                    new CopyFile(
                        "COPY /modal_requirements.txt /modal_requirements.txt",
                        "/modal_requirements.txt",
                        "/modal_requirements.txt"))));
  }

  @Test
  void readsEnvironmentAndWorkingDirectoryOverAnotherImage() {
    assertThat(parse("FROM base", "ENV A=1", "ENV B='it'\"'\"'s'", "WORKDIR /app"))
        .isEqualTo(
            new Served(
                new LayerBelow("base"),
                List.of(
                    new Environment("ENV A=1", List.of(new Assignment("A", "1"))),
                    new Environment(
                        "ENV B='it'\"'\"'s'", List.of(new Assignment("B", "'it'\"'\"'s'"))),
                    new WorkingDirectory("WORKDIR /app", "/app"))));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "RUN pip install x",
        "COPY . /",
        "SHELL [\"/bin/bash\"]",
        "ENTRYPOINT [\"/x\"]",
        "ADD a b",
        "RUN",
        "ENV"
      })
  void refusesAnyOtherStepByName(String line) {
    assertThat(sentence(parse("FROM base", line)))
        .startsWith("build step '" + line + "' is not served yet: ");
  }

  @Test
  void anEmptyEntrypointIsNothing() {
    assertThat(parse("FROM base", "ENTRYPOINT []"))
        .isEqualTo(new Served(new LayerBelow("base"), List.of()));
  }

  @Test
  void joinsContinuedLinesAndLeavesOutComments() {
    assertThat(parse("# a comment", "FROM python:3.11-slim", "", "RUN apt-get \\", "  update"))
        .isEqualTo(
            new Served(
                new Python("python:3.11-slim", "3.11"),
                List.of(new Run("RUN apt-get update", "apt-get update"))));
  }

  @ParameterizedTest
  @EnumSource(Extra.class)
  void refusesWhatIsNoDockerfile(Extra extra) {
    BuildSteps steps =
        BuildSteps.parse(
            new ImageDefinition(
                List.of("FROM base", "ENV A=1"), Set.of("base"), Set.of(), Set.of(extra)));

    assertThat(sentence(steps)).contains(extra.words(), "not served yet");
  }

  /** Lines are foreign bytes: any of them gives steps or a sentence, never an exception. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void anyLinesGiveStepsOrASentence(long seed) {
    Random random = new Random(seed);
    String[] pieces = {
      "FROM ",
      "RUN ",
      "ENV ",
      "CMD ",
      "COPY ",
      "base",
      "[",
      "]",
      "\"",
      "'",
      "$",
      "{",
      "}",
      "\\",
      "=",
      "A",
      " ",
      "#",
      "\n",
      "\t",
      "python:3.11-slim",
      "é",
      "\0"
    };
    for (int i = 0; i < 20_000; i++) {
      StringBuilder text = new StringBuilder(i % 2 == 0 ? "FROM base\n" : "");
      for (int n = random.nextInt(12); n > 0; n--) {
        text.append(pieces[random.nextInt(pieces.length)]);
      }
      assertThat(parse(text.toString().split("\n", -1))).isNotNull();
    }
  }
}
