package dev.troupe.node;

import dev.troupe.actors.door.ContainerDoor;
import dev.troupe.actors.id.TaskId;
import dev.troupe.node.container.ContainerDriver;
import dev.troupe.node.container.ContainerDriver.Bundle;
import dev.troupe.node.container.ContainerDriver.ContainerId;
import dev.troupe.node.container.ContainerDriver.Exit;
import dev.troupe.node.container.Mounts;
import dev.troupe.node.door.ContainerDoors;
import dev.troupe.node.gpu.GpuGrant;
import dev.troupe.node.image.BuildFailure;
import dev.troupe.node.image.FunctionSteps;
import dev.troupe.node.image.ImageRecord;
import dev.troupe.node.linux.FileTree;
import dev.troupe.node.log.Pipes;
import dev.troupe.node.network.HostFiles;
import dev.troupe.node.network.NetworkPlan.Sandbox;
import dev.troupe.node.network.SandboxPool;
import dev.troupe.protocol.link.StartContainer;
import dev.troupe.protocol.modal.ContainerArguments;
import dev.troupe.protocol.modal.FunctionInput;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * Runs a function once, with the client's own runner, so that what it leaves behind becomes a
 * layer. Its container asks at a {@link FunctionBuildDoor}, and what it prints goes to the build's
 * log.
 */
final class FunctionBuild implements FunctionSteps {

  private static final Duration DEFAULT_TIMEOUT = Duration.ofHours(1);

  /** What the runner brings, which is no part of an image. */
  private static final List<String> OF_THE_RUNNER = List.of("pkg", "__modal");

  private final ContainerDriver driver;
  private final SandboxPool sandboxes;
  private final HostFiles hostFiles;
  private final ContainerDoors doors;
  private final ContainerDoor server;
  private final Pipes pipes;
  private final Path doorDirectory;

  FunctionBuild(
      ContainerDriver driver,
      SandboxPool sandboxes,
      HostFiles hostFiles,
      ContainerDoors doors,
      ContainerDoor server,
      Pipes pipes,
      Path doorDirectory) {
    this.driver = driver;
    this.sandboxes = sandboxes;
    this.hostFiles = hostFiles;
    this.doors = doors;
    this.server = server;
    this.pipes = pipes;
    this.doorDirectory = doorDirectory;
  }

  @Override
  public Changes run(
      StartContainer order,
      FunctionInput input,
      ImageRecord image,
      List<Path> layers,
      List<Path> above,
      Consumer<String> log)
      throws IOException, InterruptedException {
    ContainerId id = new ContainerId("build-" + new TaskId(order.getTaskId()).value());
    Path doorFolder = Files.createDirectories(doorDirectory.resolve(order.getTaskId()));
    Sandbox sandbox = sandboxes.lease(!order.getBlockNetwork());
    boolean done = false;
    try {
      Bundle bundle = start(order, input, image, layers, above, log, id, doorFolder, sandbox);
      Mounts.unmountAllBelow(bundle.root());
      for (String part : OF_THE_RUNNER) {
        FileTree.delete(bundle.upper().resolve(part));
      }
      done = true;
      return changes(bundle.upper(), id);
    } finally {
      sandboxes.release(sandbox);
      FileTree.delete(doorFolder);
      if (!done) {
        driver.destroy(id);
      }
    }
  }

  private Changes changes(Path folder, ContainerId id) {
    return new Changes() {
      @Override
      public Path folder() {
        return folder;
      }

      @Override
      public void close() throws IOException {
        driver.destroy(id);
      }
    };
  }

  /** Runs the container to its end. */
  private Bundle start(
      StartContainer order,
      FunctionInput input,
      ImageRecord image,
      List<Path> layers,
      List<Path> above,
      Consumer<String> log,
      ContainerId id,
      Path doorFolder,
      Sandbox sandbox)
      throws IOException, InterruptedException {
    Files.write(
        doorFolder.resolve(ContainerEnvironment.ARGUMENTS),
        order.getContainerArguments().toByteArray());
    FunctionBuildDoor answers = new FunctionBuildDoor(input, server);
    List<Pipes.Reading> readings = new ArrayList<>();
    try (ContainerDoors.OpenDoor _ =
        doors.open(
            new TaskId(order.getTaskId()),
            doorFolder.resolve(ContainerEnvironment.SOCKET),
            answers)) {
      Bundle bundle = driver.prepare(id, layers);
      driver.specialise(
          bundle,
          ContainerRun.spec(
              order,
              image,
              above,
              hostFiles,
              sandbox.path(),
              doorFolder,
              null,
              true,
              GpuGrant.NONE));
      for (Path pipe : List.of(bundle.standardOutput(), bundle.standardError())) {
        readings.add(pipes.read(pipe, lines -> lines.forEach(log)));
      }
      driver.start(bundle);
      Duration limit = timeout(order);
      Exit exit = await(id, limit);
      readings.forEach(Pipes.Reading::finish);
      answers.requireSuccess(exit, limit);
      return bundle;
    } finally {
      readings.forEach(Pipes.Reading::finish);
      driver.stop(id, Duration.ZERO);
    }
  }

  private static Duration timeout(StartContainer order) throws IOException {
    int seconds =
        ContainerArguments.parseFrom(order.getContainerArguments())
            .getFunctionDef()
            .getTimeoutSecs();
    return seconds == 0 ? DEFAULT_TIMEOUT : Duration.ofSeconds(seconds);
  }

  private Exit await(ContainerId id, Duration limit) throws IOException, InterruptedException {
    AtomicBoolean late = new AtomicBoolean();
    Thread watch =
        Thread.startVirtualThread(
            () -> {
              try {
                Thread.sleep(limit);
                late.set(true);
                driver.stop(id, Duration.ZERO);
              } catch (InterruptedException inTime) {
                Thread.currentThread().interrupt();
              } catch (IOException failure) {
                throw new java.io.UncheckedIOException(failure);
              }
            });
    try {
      Exit exit = driver.await(id);
      if (late.get()) {
        throw new BuildFailure(
            "The function did not end within its timeout of %d s.".formatted(limit.toSeconds()));
      }
      return exit;
    } finally {
      watch.interrupt();
    }
  }
}
