package dev.troupe.node.image;

import dev.troupe.actors.image.RunMount.Access;
import dev.troupe.node.container.ContainerDriver;
import dev.troupe.node.container.ContainerDriver.Bind;
import dev.troupe.node.container.ContainerDriver.Bundle;
import dev.troupe.node.container.ContainerDriver.ContainerId;
import dev.troupe.node.container.ContainerDriver.ContainerSpec;
import dev.troupe.node.container.ContainerDriver.Exit;
import dev.troupe.node.container.ContainerDriver.Resources;
import dev.troupe.node.container.Mounts;
import dev.troupe.node.log.Pipes;
import dev.troupe.node.network.HostFiles;
import dev.troupe.node.network.NetworkPlan.Sandbox;
import dev.troupe.node.network.SandboxPool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;

/** Runs a step of a build over layers, with a way out, and gives back what it changed. */
final class BuildContainer {

  private final ContainerDriver driver;
  private final SandboxPool sandboxes;
  private final HostFiles hostFiles;
  private final Pipes pipes;
  private final ImageStore store;

  BuildContainer(
      ContainerDriver driver,
      SandboxPool sandboxes,
      HostFiles hostFiles,
      Pipes pipes,
      ImageStore store) {
    this.driver = driver;
    this.sandboxes = sandboxes;
    this.hostFiles = hostFiles;
    this.pipes = pipes;
    this.store = store;
  }

  /**
   * A step.
   *
   * @param what as its failure names it
   * @param layers lowest first
   * @param contents files that exist while it runs, in memory
   * @param network whether it has a way out
   */
  record Step(
      String what,
      List<Path> layers,
      List<String> command,
      Map<String, String> environment,
      String workingDirectory,
      List<Bind> binds,
      List<Content> contents,
      boolean network) {

    /** One with a way out. */
    Step(
        String what,
        List<Path> layers,
        List<String> command,
        Map<String, String> environment,
        String workingDirectory,
        List<Bind> binds) {
      this(what, layers, command, environment, workingDirectory, binds, List.of(), true);
    }
  }

  /** A file for a step to read. */
  record Content(byte[] bytes, String target, Access access) {}

  /** Runs a step to its end; its changes are an unpublished folder of the store. */
  Path run(Step step, Consumer<String> output) throws IOException, InterruptedException {
    ContainerId id = new ContainerId("build-" + UUID.randomUUID());
    Sandbox sandbox = sandboxes.lease(step.network());
    List<Pipes.Reading> readings = new ArrayList<>();
    try {
      Bundle bundle = driver.prepare(id, step.layers());
      ContainerSpec spec = spec(step, sandbox, bundle);
      driver.specialise(bundle, spec);
      MountPoints made =
          MountPoints.missing(
              new RootFolder(bundle.root()), spec.binds().stream().map(Bind::target).toList());
      for (Path pipe : List.of(bundle.standardOutput(), bundle.standardError())) {
        readings.add(pipes.read(pipe, lines -> lines.forEach(output)));
      }
      driver.start(bundle);
      Exit exit = driver.await(id);
      readings.forEach(Pipes.Reading::finish);
      if (exit.code() != 0) {
        throw new BuildFailure(
            "The command '%s' returned a non-zero code: %d".formatted(step.what(), exit.code()));
      }
      Mounts.unmountAllBelow(bundle.root());
      made.removeFrom(bundle.upper());
      return store.moved(bundle.upper());
    } finally {
      readings.forEach(Pipes.Reading::finish);
      driver.stop(id, Duration.ZERO);
      driver.destroy(id);
      sandboxes.release(sandbox);
    }
  }

  private ContainerSpec spec(Step step, Sandbox sandbox, Bundle bundle) throws IOException {
    Map<String, String> environment = new LinkedHashMap<>(hostFiles.environment());
    environment.putAll(step.environment());
    List<Bind> binds = new ArrayList<>(hostFiles.binds());
    binds.addAll(step.binds());
    for (Content content : step.contents()) {
      // Beside the container's configuration, which is in memory and goes with the container.
      Path file = bundle.directory().resolve("content-" + binds.size());
      Files.write(file, content.bytes());
      Files.setAttribute(file, "unix:uid", content.access().user());
      Files.setAttribute(file, "unix:gid", content.access().group());
      Files.setAttribute(file, "unix:mode", content.access().mode());
      binds.add(new Bind(file, content.target(), true));
    }
    return new ContainerSpec(
        step.command(),
        environment,
        step.workingDirectory(),
        List.of(),
        binds,
        sandbox.path(),
        Resources.UNLIMITED,
        null,
        true);
  }
}
