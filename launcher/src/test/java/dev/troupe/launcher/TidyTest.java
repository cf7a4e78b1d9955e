package dev.troupe.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Habits of the source tree that no compiler checks: CONTRIBUTING.md. */
class TidyTest {

  private static final Path ROOT = Path.of("..");
  private static final int LONGEST_FILE = 500;

  /** Longer files, each with its reason. */
  private static final Map<String, String> LONGER =
      Map.of(
          "NodeStateTest.java", "one short case a decision",
          "FunctionContainersTest.java", "one case a way that a container may behave");

  /** Words that don't belong, and what to do instead. */
  private static final Map<Pattern, String> BANNED =
      Map.of(
          Pattern.compile("\\b(TODO|FIXME|XXX)\\b"), "finish it, or say in an issue what is left",
          Pattern.compile("newReceiveBuilder|newCommandHandler\\w*Builder"),
              "one exhaustive switch; a missing case must not compile",
          Pattern.compile("@Disabled"), "a test runs, or it goes",
          Pattern.compile("org\\.mockito"), "a fake, written once, in the testing package");

  @Test
  void noFileIsTooLong() throws IOException {
    List<String> tooLong = new ArrayList<>();
    for (Path file : sources()) {
      long lines = lines(file).size();
      String name = file.getFileName().toString();
      if (lines > LONGEST_FILE && !LONGER.containsKey(name)) {
        tooLong.add(name + ": " + lines);
      }
    }

    assertThat(tooLong).isEmpty();
  }

  @Test
  void noBannedWordIsUsed() throws IOException {
    List<String> found = new ArrayList<>();
    for (Path file : sources()) {
      if (file.getFileName().toString().equals("TidyTest.java")) {
        continue;
      }
      for (String line : lines(file)) {
        BANNED.forEach(
            (word, instead) -> {
              if (word.matcher(line).find()) {
                found.add(file.getFileName() + ": " + line.strip() + " -> " + instead);
              }
            });
      }
    }

    assertThat(found).isEmpty();
  }

  @Test
  void noPackageIsNamedForNothing() throws IOException {
    Pattern nothing = Pattern.compile(".*/(utils?|common|impl|manager|helpers?)/[^/]*");

    assertThat(sources()).noneMatch(file -> nothing.matcher(file.toString()).matches());
  }

  private static List<Path> sources() throws IOException {
    List<Path> all = new ArrayList<>();
    try (Stream<Path> modules = Files.list(ROOT)) {
      for (Path module : modules.filter(Files::isDirectory).toList()) {
        Path source = module.resolve("src");
        if (Files.isDirectory(source)) {
          try (Stream<Path> files = Files.walk(source)) {
            files.filter(file -> file.toString().endsWith(".java")).forEach(all::add);
          }
        }
      }
    }
    assertThat(all).as("the source tree").hasSizeGreaterThan(100);
    return all;
  }

  private static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }
}
