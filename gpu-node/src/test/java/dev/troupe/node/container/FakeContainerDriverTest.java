package dev.troupe.node.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.node.container.ContainerDriver.Bundle;
import dev.troupe.node.container.ContainerDriver.ContainerId;
import dev.troupe.node.container.ContainerDriver.ContainerSpec;
import dev.troupe.node.container.ContainerDriver.Resources;
import dev.troupe.node.container.testing.FakeContainerDriver;
import dev.troupe.node.container.testing.FakeContainerDriver.Step;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FakeContainerDriverTest extends ContainerDriverContract {

  @Override
  ContainerDriver open(Path directory) {
    return new FakeContainerDriver(directory.resolve("containers"))
        .with("exit", execution -> Integer.parseInt(execution.spec().command().get(1)))
        .with(
            "print",
            execution -> {
              execution.print(execution.spec().command().get(1));
              execution.printError(execution.spec().command().get(2));
              return 0;
            })
        .with(
            "interruptible",
            execution -> {
              execution.print("ready\n");
              execution.awaitInterrupt();
              return Integer.parseInt(execution.spec().command().get(1));
            })
        .with(
            "stubborn",
            execution -> {
              execution.print("ready\n");
              Thread.currentThread().join();
              return 0;
            });
  }

  @Override
  List<Path> image(Path directory) {
    return List.of();
  }

  private static ContainerSpec command(String... command) {
    return new ContainerSpec(
        List.of(command),
        Map.of(),
        "/",
        List.of(),
        List.of(),
        null,
        Resources.UNLIMITED,
        null,
        false);
  }

  @Override
  ContainerSpec exitsWith(int code) {
    return command("exit", String.valueOf(code));
  }

  @Override
  ContainerSpec prints(String out, String error) {
    return command("print", out, error);
  }

  @Override
  ContainerSpec exitsWhenInterrupted(int code) {
    return command("interruptible", String.valueOf(code));
  }

  @Override
  ContainerSpec ignoresInterrupts() {
    return command("stubborn");
  }

  @Override
  ContainerSpec cannotBeStarted() {
    return command("unknown");
  }

  @Test
  void failsWhereItIsToldTo() throws Exception {
    FakeContainerDriver driver = new FakeContainerDriver(directory.resolve("failing"));
    ContainerId id = new ContainerId("ta-failing");
    Bundle bundle = driver.prepare(id, List.of());
    for (Step step : Step.values()) {
      driver.failNext(step, "told to fail at " + step);
    }

    assertThatThrownBy(() -> driver.prepare(id, List.of())).hasMessageContaining("PREPARE");
    assertThatThrownBy(() -> driver.specialise(bundle, exitsWith(0)))
        .hasMessageContaining("SPECIALISE");
    assertThatThrownBy(() -> driver.start(bundle)).hasMessageContaining("START");
    assertThatThrownBy(() -> driver.await(id)).hasMessageContaining("AWAIT");
    assertThatThrownBy(() -> driver.stop(id, java.time.Duration.ZERO)).hasMessageContaining("STOP");
    assertThatThrownBy(() -> driver.destroy(id)).hasMessageContaining("DESTROY");
    assertThatThrownBy(driver::recover).isInstanceOf(IOException.class);
    driver.destroy(id);
    assertThat(driver.recover()).as("once each").isEmpty();
  }
}
