package dev.troupe.actors.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.image.BuildSteps.Adding;
import dev.troupe.actors.image.BuildSteps.Argument;
import dev.troupe.actors.image.BuildSteps.Assignment;
import dev.troupe.actors.image.BuildSteps.Base;
import dev.troupe.actors.image.BuildSteps.Command;
import dev.troupe.actors.image.BuildSteps.Copy;
import dev.troupe.actors.image.BuildSteps.DefaultCommand;
import dev.troupe.actors.image.BuildSteps.EntryPoint;
import dev.troupe.actors.image.BuildSteps.Environment;
import dev.troupe.actors.image.BuildSteps.InlineFile;
import dev.troupe.actors.image.BuildSteps.LayerBelow;
import dev.troupe.actors.image.BuildSteps.NoEffect;
import dev.troupe.actors.image.BuildSteps.Python;
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
import dev.troupe.actors.image.ImageDefinition.Extra;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class BuildStepsTest {

  private static BuildSteps parse(Map<String, String> arguments, String... lines) {
    return BuildSteps.parse(
        new ImageDefinition(List.of(lines), Set.of("base"), arguments, false, Set.of()));
  }

  private static BuildSteps parse(String... lines) {
    return parse(Map.of(), lines);
  }

  private static List<Stage> stages(BuildSteps steps) {
    assertThat(steps).isInstanceOf(Served.class);
    return ((Served) steps).stages();
  }

  /** The only step over the base image. */
  private static Step step(String... lines) {
    String[] all = new String[lines.length + 1];
    all[0] = "FROM base";
    System.arraycopy(lines, 0, all, 1, lines.length);
    return stages(parse(all)).getFirst().steps().getFirst();
  }

  private static Command command(String... lines) {
    return ((Run) step(lines)).command();
  }

  private static Base base(String from) {
    return stages(parse(from)).getLast().base();
  }

  private static String sentence(BuildSteps steps) {
    assertThat(steps).isInstanceOf(Unsupported.class);
    return ((Unsupported) steps).sentence();
  }

  // ---- bases

  @Test
  void readsWhatDebianSlimSends() {
    Stage stage =
        stages(
                parse(
                    "FROM python:3.11.12-slim-bookworm",
                    "RUN apt-get update",
                    "CMD [\"sleep\", \"172800\"]"))
            .getFirst();

    assertThat(stage.base()).isEqualTo(new Python("python:3.11.12-slim-bookworm", "3.11"));
    assertThat(stage.steps())
        .containsExactly(
            new Run("RUN apt-get update", new Command.Shell("apt-get update"), List.of(), true),
            new DefaultCommand(
                "CMD [\"sleep\", \"172800\"]", new Command.Words(List.of("sleep", "172800"))));
  }

  @ParameterizedTest
  @CsvSource({
    "python:3.11-slim-trixie, 3.11",
    "python:3.13.3-slim-bookworm, 3.13",
    "python:3.13-slim, 3.13",
    "docker.io/library/python:3.11.12-slim-bookworm, 3.11"
  })
  void takesAnyPatchAndSuffixOfTheTwoSeries(String tag, String series) {
    assertThat(base("FROM " + tag)).isEqualTo(new Python(tag, series));
  }

  @ParameterizedTest
  @ValueSource(strings = {"ubuntu:22.04", "python:3.12-slim", "127.0.0.1:5000/x@sha256:00"})
  void anyOtherBaseIsOfARegistry(String image) {
    assertThat(base("FROM " + image)).isEqualTo(new BuildSteps.Registry(image));
  }

  @Test
  void filesComeOfARegistryToo() {
    assertThat(((Copy) step("COPY --from=node:22 /a /b")).from())
        .isEqualTo(new Source.RegistryImage("node:22"));
  }

  @Test
  void nothingIsABaseToo() {
    assertThat(base("FROM scratch")).isEqualTo(new Scratch());
  }

  @Test
  void argumentsBeforeTheFirstStageAreForBases() {
    String[] lines = {"ARG V=3.13", "FROM python:${V}-slim", "ARG V", "RUN echo $V"};

    Served served = (Served) parse(lines);
    assertThat(served.stages().getFirst().base()).isEqualTo(new Python("python:3.13-slim", "3.13"));
    assertThat(served.globals()).containsEntry("V", "3.13");
    assertThat(served.stages().getFirst().steps().getFirst())
        .isEqualTo(new Argument("ARG V", "V", null));
    assertThat(stages(parse(Map.of("V", "3.11"), lines)).getFirst().base())
        .isEqualTo(new Python("python:3.11-slim", "3.11"));
  }

  @Test
  void stagesAreKnownByNameAndByPlace() {
    List<Stage> stages =
        stages(
            parse(
                "FROM base AS Build",
                "RUN make",
                "FROM base",
                "COPY --from=build /out /in",
                "COPY --from=0 /out /in",
                "FROM build"));

    assertThat(stages)
        .extracting(Stage::base)
        .containsExactly(new LayerBelow("base"), new LayerBelow("base"), new StageBelow(0));
    assertThat(stages.get(1).steps())
        .extracting(it -> ((Copy) it).from())
        .containsOnly(new Source.EarlierStage(0));
  }

  @Test
  void aStageThatDoesNotExistIsNamed() {
    assertThat(sentence(parse("FROM base", "COPY --from=nobody /a /b")))
        .contains("there is no stage 'nobody'");
  }

  // ---- RUN

  @Test
  void aCommandIsALineOrAList() {
    assertThat(command("RUN echo  a b")).isEqualTo(new Command.Shell("echo  a b"));
    assertThat(command("RUN [\"/bin/echo\", \"a b\"]"))
        .isEqualTo(new Command.Words(List.of("/bin/echo", "a b")));
    assertThat(command("RUN [ -f /x ]")).isEqualTo(new Command.Shell("[ -f /x ]"));
  }

  @Test
  void continuedLinesAreJoinedAsTheyAre() {
    assertThat(command("RUN apt-get \\", "# a comment", "  update && echo a\\", "b"))
        .isEqualTo(new Command.Shell("apt-get   update && echo ab"));
    assertThat(command("RUN one \\\n  two")).isEqualTo(new Command.Shell("one   two"));
  }

  @Test
  void aDirectiveMayChooseTheCharacterThatContinues() {
    assertThat(stages(parse("# escape=`", "FROM base", "RUN a `", "b")).getFirst().steps())
        .containsExactly(new Run("RUN a b", new Command.Shell("a b"), List.of(), true));
  }

  @Test
  void aHereDocumentIsTheProgram() {
    assertThat(command("RUN <<EOF", "set -e", "echo # no comment", "EOF"))
        .isEqualTo(new Command.Shell("set -e\necho # no comment\n"));
  }

  @Test
  void aHereDocumentBehindACommandIsForTheShell() {
    assertThat(command("RUN cat <<-'END' > /x", "\ttext $HOME", "\tEND"))
        .isEqualTo(new Command.Shell("cat <<-'END' > /x\ntext $HOME\nEND\n"));
  }

  @Test
  void shiftsAndWordsForTheShellAreNoHereDocuments() {
    assertThat(command("RUN echo $((1<<2)) && cat <<<word"))
        .isEqualTo(new Command.Shell("echo $((1<<2)) && cat <<<word"));
  }

  @Test
  void aHereDocumentWithoutEndIsRefused() {
    assertThat(sentence(parse("FROM base", "RUN <<EOF", "x"))).contains("'<<EOF' has no end");
  }

  // ---- files

  @Test
  void readsCopies() {
    assertThat(step("COPY --chown=me:us --chmod=755 a \"b c\" /to/"))
        .isEqualTo(
            new Copy(
                "COPY --chown=me:us --chmod=755 a \"b c\" /to/",
                new Source.Context(),
                List.of("a", "\"b c\""),
                List.of(),
                "/to/",
                "me:us",
                0755,
                null));
    assertThat(((Copy) step("COPY [\"a b\", \"/to\"]")).sources()).containsExactly("a b");
  }

  @Test
  void readsFilesThatAreWrittenInTheDockerfile() {
    assertThat(((Copy) step("COPY <<a.txt /to/", "one", "a.txt")).inline())
        .containsExactly(new InlineFile("a.txt", "one\n"));
    assertThat(((Copy) step("COPY <<A <<B c /to/", "1", "A", "2", "B")))
        .extracting(Copy::inline, Copy::sources)
        .containsExactly(
            List.of(new InlineFile("A", "1\n"), new InlineFile("B", "2\n")), List.of("c"));
  }

  @ParameterizedTest
  @CsvSource({
    "ghcr.io/astral-sh/uv:latest, ''",
    "mirror:5000/astral-sh/uv:0.8.3, 0.8.3",
    "astral-sh/uv, ''"
  })
  void knowsTheImageOfUvByItsPath(String image, String version) {
    assertThat(((Copy) step("COPY --from=" + image + " /uv /.uv/uv")).from())
        .isEqualTo(new Source.Uv(version));
  }

  @Test
  void readsWhatIsAdded() {
    String sum = "sha256:" + "0".repeat(64);

    assertThat(((Copy) step("ADD --checksum=" + sum + " https://a/b.tgz /c/")).adding())
        .isEqualTo(new Adding(sum, null));
    assertThat(((Copy) step("ADD --unpack=true https://a/b.tgz c.tar /c/")).adding())
        .isEqualTo(new Adding("", true));
    assertThat(((Copy) step("COPY a.tar /c/")).adding()).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ADD git@host:a/b /c",
        "ADD https://host/a.git#main /c",
        "ADD --checksum=md5:1 https://a/b /c",
        "ADD --from=x a /c",
        "COPY --checksum=x a /c"
      })
  void addingWhatCannotBeAddedIsRefused(String line) {
    assertThat(sentence(parse("FROM base", line))).startsWith("build step '" + line + "' is not");
  }

  // ---- mounts of RUN

  private static RunMount mount(String value) {
    return ((Run) step("RUN --mount=" + value + " true")).mounts().getFirst();
  }

  @Test
  void readsBinds() {
    assertThat(mount("target=/x"))
        .isEqualTo(new RunMount.Bind("/x", new Source.Context(), "/", true));
    assertThat(mount("type=bind,from=ghcr.io/astral-sh/uv,src=/uv,dst=uv,rw"))
        .isEqualTo(new RunMount.Bind("uv", new Source.Uv(""), "/uv", false));
    assertThat(
            stages(parse("FROM scratch AS one", "FROM base", "RUN --mount=from=one,target=x true"))
                .getLast()
                .steps())
        .extracting(step -> ((Run) step).mounts())
        .containsExactly(List.of(new RunMount.Bind("x", new Source.EarlierStage(0), "/", true)));
  }

  @Test
  void readsCaches() {
    assertThat(mount("type=cache,target=/root/.cache/pip"))
        .isEqualTo(
            new RunMount.Cache(
                "",
                "/root/.cache/pip",
                RunMount.Sharing.SHARED,
                null,
                "/",
                false,
                new RunMount.Access(0755, 0, 0)));
    assertThat(
            mount("type=cache,id=a,target=/a,sharing=locked,mode=1777,uid=7,gid=8,readonly=true"))
        .isEqualTo(
            new RunMount.Cache(
                "a",
                "/a",
                RunMount.Sharing.LOCKED,
                null,
                "/",
                true,
                new RunMount.Access(01777, 7, 8)));
  }

  @Test
  void readsSecretsAndMemory() {
    RunMount.Access own = new RunMount.Access(0400, 0, 0);

    assertThat(mount("type=secret,id=TOKEN"))
        .isEqualTo(new RunMount.Secret("TOKEN", "/run/secrets/TOKEN", "", false, own));
    assertThat(mount("type=secret,id=TOKEN,env=T,required"))
        .isEqualTo(new RunMount.Secret("TOKEN", "", "T", true, own));
    assertThat(mount("type=secret,target=/etc/TOKEN"))
        .isEqualTo(new RunMount.Secret("TOKEN", "/etc/TOKEN", "", false, own));
    assertThat(mount("type=tmpfs,target=/t,size=2m")).isEqualTo(new RunMount.Memory("/t", 2 << 20));
  }

  @Test
  void aStepMayHaveNoWayOut() {
    assertThat(((Run) step("RUN --network=none true")).network()).isFalse();
    assertThat(((Run) step("RUN --network=default true")).network()).isTrue();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--mount=type=cache|needs a target",
        "--mount=type=cache,target=/x,sharing=all|shared, private and locked",
        "--mount=type=cache,target=/x,mode=9|no mode",
        "--mount=type=tmpfs,target=/x,size=big|no size",
        "--mount=type=secret|needs an id",
        "--mount=type=bind,target=/x,uid=1|does not know 'uid'",
        "--mount=type=disk,target=/x|not 'disk'",
        "--mount=from=nobody,target=/x|no stage 'nobody'",
        "--mount=type=ssh|keys that no client sends",
        "--security=insecure|no step has more rights",
        "--network=host|no step has the network of the machine",
        "--device=x|does not know --device"
      })
  void aMountThatMakesNoSenseIsRefused(String option, String why) {
    assertThat(sentence(parse("FROM base", "RUN " + option + " true")))
        .startsWith("build step 'RUN " + option + " true' is not served yet: ")
        .contains(why);
  }

  // ---- what is set

  @Test
  void readsWhatIsSet() {
    assertThat(
            stages(
                    parse(
                        "FROM base",
                        "ENV A=1 B='it'\"'\"'s'",
                        "ENV OLD form of it",
                        "WORKDIR /app",
                        "SHELL [\"/bin/bash\", \"-c\"]",
                        "ENTRYPOINT []",
                        "LABEL a=b"))
                .getFirst()
                .steps())
        .containsExactly(
            new Environment(
                "ENV A=1 B='it'\"'\"'s'",
                List.of(new Assignment("A", "1"), new Assignment("B", "'it'\"'\"'s'"))),
            new Environment("ENV OLD form of it", List.of(new Assignment("OLD", "form of it"))),
            new WorkingDirectory("WORKDIR /app", "/app"),
            new Shell("SHELL [\"/bin/bash\", \"-c\"]", List.of("/bin/bash", "-c")),
            new EntryPoint("ENTRYPOINT []", new Command.Words(List.of())),
            new NoEffect("LABEL a=b", ""));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "RUN",
        "ENV",
        "NONSENSE x",
        "SHELL /bin/bash",
        "COPY a",
        "COPY --chmod=u+x a /b",
        "ARG A B",
        "RUN --mount=type=ssh true"
      })
  void whatCannotBeReadIsRefusedByName(String line) {
    assertThat(sentence(parse("FROM base", line)))
        .startsWith("build step '" + line + "' is not served yet: ");
  }

  @ParameterizedTest
  @EnumSource(Extra.class)
  void refusesWhatIsNoDockerfile(Extra extra) {
    BuildSteps steps =
        BuildSteps.parse(
            new ImageDefinition(
                List.of("FROM base", "ENV A=1"), Set.of("base"), Map.of(), false, Set.of(extra)));

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
      "ADD ",
      "ARG ",
      "SHELL ",
      "--from=",
      "--mount=",
      "type=cache",
      "target=",
      ",",
      "--chown=",
      "<<",
      "EOF",
      " AS ",
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
