package dev.troupe.node.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.node.container.ContainerDriver.Bundle;
import dev.troupe.node.container.ContainerDriver.ContainerId;
import dev.troupe.node.container.ContainerDriver.ContainerSpec;
import dev.troupe.node.container.ContainerDriver.Exit;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What every driver does, whatever runs its containers. */
@Timeout(60)
abstract class ContainerDriverContract {

  static final ContainerId ID = new ContainerId("ta-contract");

  Path directory = Path.of("");
  private ContainerDriver driver;

  abstract ContainerDriver open(Path directory) throws IOException;

  abstract List<Path> image(Path directory) throws IOException;

  abstract ContainerSpec exitsWith(int code);

  abstract ContainerSpec prints(String out, String error);

  abstract ContainerSpec exitsWhenInterrupted(int code);

  abstract ContainerSpec ignoresInterrupts();

  abstract ContainerSpec cannotBeStarted();

  @BeforeEach
  void openDriver(@TempDir Path folder) throws IOException {
    directory = folder;
    driver = open(directory);
  }

  @AfterEach
  void leaveNothing() throws IOException {
    driver.destroy(ID);
    assertThat(driver.recover()).isEmpty();
    driver.close();
  }

  private Bundle ready(ContainerSpec spec) throws IOException {
    Bundle bundle = driver.prepare(ID, image(directory));
    driver.specialise(bundle, spec);
    return bundle;
  }

  private Exit run(ContainerSpec spec) throws Exception {
    driver.start(ready(spec));
    return driver.await(ID);
  }

  @Test
  void aProgramEndsWithItsCode() throws Exception {
    assertThat(run(exitsWith(3))).isEqualTo(new Exit(3, OptionalInt.empty(), false));
    assertThat(driver.await(ID).code()).as("asked again").isEqualTo(3);
  }

  @Test
  void whatItPrintsComesOutOfItsPipes() throws Exception {
    Bundle bundle = ready(prints("to out\n", "to error\n"));
    try (RandomAccessFile out = new RandomAccessFile(bundle.standardOutput().toFile(), "rw");
        RandomAccessFile error = new RandomAccessFile(bundle.standardError().toFile(), "rw")) {
      driver.start(bundle);

      assertThat(read(out, 7)).isEqualTo("to out\n");
      assertThat(read(error, 9)).isEqualTo("to error\n");
    }
  }

  @Test
  void stopInterruptsFirst() throws Exception {
    Bundle bundle = ready(exitsWhenInterrupted(7));
    try (RandomAccessFile out = new RandomAccessFile(bundle.standardOutput().toFile(), "rw")) {
      driver.start(bundle);
      assertThat(read(out, 6)).isEqualTo("ready\n");

      driver.stop(ID, Duration.ofSeconds(30));

      assertThat(driver.await(ID)).isEqualTo(new Exit(7, OptionalInt.empty(), false));
    }
  }

  @Test
  void stopKillsOnceTheGraceIsOver() throws Exception {
    Bundle bundle = ready(ignoresInterrupts());
    try (RandomAccessFile out = new RandomAccessFile(bundle.standardOutput().toFile(), "rw")) {
      driver.start(bundle);
      assertThat(read(out, 6)).isEqualTo("ready\n");

      driver.stop(ID, Duration.ofMillis(200));

      assertThat(driver.await(ID).signal()).hasValue(9);
    }
  }

  @Test
  void stopWithoutGraceKillsAtOnce() throws Exception {
    driver.start(ready(ignoresInterrupts()));

    driver.stop(ID, Duration.ZERO);

    assertThat(driver.await(ID).signal()).hasValue(9);
  }

  @Test
  void whatCannotBeStartedSaysSo() throws Exception {
    Bundle bundle = ready(cannotBeStarted());

    assertThatThrownBy(() -> driver.start(bundle))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("no such");
  }

  @Test
  void everyStepMayBeRepeated() throws Exception {
    ready(exitsWith(0));
    Bundle bundle = ready(exitsWith(0));
    driver.start(bundle);
    driver.start(bundle);
    assertThat(driver.await(ID).code()).isZero();
    driver.stop(ID, Duration.ZERO);
    driver.stop(ID, Duration.ofSeconds(1));
    driver.destroy(ID);
    driver.destroy(ID);
  }

  @Test
  void destroyEndsWhatRuns() throws Exception {
    driver.start(ready(ignoresInterrupts()));

    driver.destroy(ID);

    assertThatThrownBy(() -> driver.await(ID)).isInstanceOf(IOException.class);
  }

  @Test
  void whatADeadAgentLeftIsFoundAndDestroyed() throws Exception {
    driver.start(ready(ignoresInterrupts()));
    ContainerDriver successor = open(directory);

    assertThat(successor.recover()).containsExactly(ID);
    successor.destroy(ID);

    assertThat(successor.recover()).isEmpty();
  }

  @Test
  void awaitingWhatWasNeverStartedFails() {
    assertThatThrownBy(() -> driver.await(ID)).isInstanceOf(IOException.class);
  }

  private static String read(RandomAccessFile pipe, int length) throws IOException {
    byte[] bytes = new byte[length];
    pipe.readFully(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
