package dev.troupe.node;

import dev.troupe.actors.id.TaskId;
import dev.troupe.node.container.ContainerDriver;
import dev.troupe.node.container.ContainerDriver.Bind;
import dev.troupe.node.container.ContainerDriver.Bundle;
import dev.troupe.node.container.ContainerDriver.ContainerId;
import dev.troupe.node.container.ContainerDriver.ContainerSpec;
import dev.troupe.node.container.ContainerDriver.Exit;
import dev.troupe.node.container.ContainerDriver.Resources;
import dev.troupe.node.container.ScratchDisks;
import dev.troupe.node.door.ContainerDoors;
import dev.troupe.node.gpu.GpuDevice;
import dev.troupe.node.gpu.GpuGrant;
import dev.troupe.node.gpu.Gpus;
import dev.troupe.node.image.ImageRecord;
import dev.troupe.node.image.Images;
import dev.troupe.node.linux.FileTree;
import dev.troupe.node.log.HeldInputs;
import dev.troupe.node.log.LogBook;
import dev.troupe.node.log.Pipes;
import dev.troupe.node.network.HostFiles;
import dev.troupe.node.network.NetworkPlan.Sandbox;
import dev.troupe.node.network.SandboxPool;
import dev.troupe.protocol.link.Limits;
import dev.troupe.protocol.link.Mount;
import dev.troupe.protocol.link.StartContainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One container from the order to start it until nothing of it is left, on a virtual thread of its
 * own. An interrupt before the process exists gives it up.
 */
final class ContainerRun {

  private static final Logger LOG = LoggerFactory.getLogger(ContainerRun.class);
  private static final int STDOUT = 1;
  private static final int STDERR = 2;
  private static final String DEFAULT_DIRECTORY = "/root";

  /** A pipe of the container, and whose lines come from it. */
  private record Output(Pipes.Reading reading, LogBook.Printer printer) {}

  /** What containers are made of and with. */
  record Workshop(
      ContainerDriver driver,
      Images images,
      SandboxPool sandboxes,
      ScratchDisks scratchDisks,
      Gpus gpus,
      HostFiles hostFiles,
      ContainerDoors doors,
      Pipes pipes,
      LogBook logs,
      Path doorDirectory) {}

  /** Who hears how it goes. */
  interface Listener {

    void running();

    void ended(Exit exit);

    void failedToStart(String why);
  }

  private final Workshop workshop;
  private final StartContainer order;
  private final Listener listener;
  private final ContainerId id;
  private final HeldInputs held = new HeldInputs(this::mark);
  private final List<Output> outputs = new CopyOnWriteArrayList<>();
  private @Nullable Sandbox sandbox;
  private @Nullable Path scratch;
  private List<GpuDevice> gpus = List.of();
  private ContainerDoors.@Nullable OpenDoor door;
  private boolean processExists;
  private boolean stopped;

  ContainerRun(Workshop workshop, StartContainer order, Listener listener) {
    this.workshop = workshop;
    this.order = order;
    this.listener = listener;
    this.id = new ContainerId(new TaskId(order.getTaskId()).value());
  }

  /** Runs it; returns when nothing of it is left. */
  void run() {
    String app = order.getAppId();
    try {
      workshop.logs().containerBegins(app, id.value(), order.getFunctionId());
      startProcess();
      listener.running();
      Exit exit = workshop.driver().await(id);
      releaseGpus();
      readings().forEach(Pipes.Reading::finish);
      workshop.logs().containerEnded(app, id.value());
      LOG.info("container {} ended with {}", id.value(), exit);
      listener.ended(exit);
    } catch (IOException | RuntimeException failure) {
      LOG.warn("container {} could not be started", id.value(), failure);
      giveUp(failure.getMessage() == null ? failure.toString() : failure.getMessage());
    } catch (InterruptedException givenUp) {
      giveUp("it was stopped before it had started");
    } finally {
      // The interrupt was for the start; cleaning up must not be cut short by it.
      boolean interrupted = Thread.interrupted();
      cleanUp();
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void giveUp(String why) {
    readings().forEach(Pipes.Reading::finish);
    workshop.logs().containerEnded(order.getAppId(), id.value());
    if (processExists) {
      listener.ended(Exit.ofStatus(137, false));
    } else {
      listener.failedToStart(why);
    }
  }

  private void startProcess() throws IOException, InterruptedException {
    ImageRecord image = workshop.images().image(order.getImage());
    List<Path> above = new ArrayList<>();
    above.add(workshop.images().runner(image, order.getClientVersion(), order.getBuilderVersion()));
    for (Mount mount : order.getMountsList()) {
      above.add(workshop.images().mount(mount));
    }
    Sandbox leased = workshop.sandboxes().lease(!order.getBlockNetwork());
    sandbox = leased;
    scratch = workshop.scratchDisks().lease(order.getLimits().getDiskBytes()).orElse(null);
    gpus = workshop.gpus().lease(order.getShare().getGpusList());
    Path doorFolder = Files.createDirectories(doorFolder());
    Files.write(
        doorFolder.resolve(ContainerEnvironment.ARGUMENTS),
        order.getContainerArguments().toByteArray());
    door =
        workshop
            .doors()
            .open(new TaskId(id.value()), doorFolder.resolve(ContainerEnvironment.SOCKET), held);
    Bundle bundle = workshop.driver().prepare(id, workshop.images().layers(image));
    workshop
        .driver()
        .specialise(
            bundle,
            spec(
                order,
                image,
                above,
                workshop.hostFiles(),
                leased.path(),
                doorFolder,
                scratch,
                false,
                workshop.gpus().grant(gpus)));
    outputs.add(read(bundle.standardOutput(), STDOUT));
    outputs.add(read(bundle.standardError(), STDERR));
    workshop.logs().containerPrints(order.getAppId(), id.value(), readings());
    workshop.driver().start(bundle);
    synchronized (this) {
      processExists = true;
      if (stopped) {
        workshop.driver().stop(id, Duration.ZERO);
      }
    }
  }

  private Output read(Path pipe, int stream) throws IOException {
    LogBook.Printer printer =
        new LogBook.Printer(order.getAppId(), id.value(), order.getFunctionId(), stream);
    return new Output(workshop.pipes().readPaced(pipe, () -> lines(printer, held.now())), printer);
  }

  private Consumer<List<String>> lines(LogBook.Printer printer, HeldInputs.Held of) {
    return texts -> workshop.logs().append(printer, of, texts);
  }

  /** The inputs that are held change: what is in the pipes is of those of before. */
  private void mark(HeldInputs.Held before) {
    outputs.forEach(output -> output.reading().mark(lines(output.printer(), before)));
  }

  private List<Pipes.Reading> readings() {
    return outputs.stream().map(Output::reading).toList();
  }

  /**
   * What runs in a function's container: the image's entry point, and by it the client's runner.
   */
  static ContainerSpec spec(
      StartContainer order,
      ImageRecord image,
      List<Path> above,
      HostFiles hostFiles,
      Path network,
      Path doorFolder,
      @Nullable Path scratch,
      boolean keepsChanges,
      GpuGrant gpus) {
    List<Bind> binds = new ArrayList<>();
    binds.add(new Bind(doorFolder, ContainerEnvironment.DOOR_FOLDER, true));
    binds.addAll(hostFiles.binds());
    binds.addAll(gpus.binds());
    Map<String, String> environment =
        new LinkedHashMap<>(ContainerEnvironment.of(order, image, hostFiles.environment()));
    gpus.addTo(environment);
    String directory = image.workingDirectory();
    // An image's entry point gets what is run as its arguments, and is to run it.
    List<String> command = new ArrayList<>(image.entryPoint());
    command.addAll(List.of("python", "-m", "modal._container_entrypoint"));
    return new ContainerSpec(
        command,
        environment,
        directory.isEmpty() ? DEFAULT_DIRECTORY : directory,
        above,
        binds,
        network,
        resources(order.getLimits()),
        scratch,
        keepsChanges,
        gpus.devices());
  }

  private static Resources resources(Limits limits) {
    return new Resources(
        limits.getMilliCpuRequest(),
        limits.getMilliCpuLimit(),
        limits.getMemoryBytesRequest(),
        limits.getMemoryBytesLimit(),
        Resources.UNLIMITED.limitProcesses());
  }

  /**
   * Interrupts the runner, then kills it; one that has no process yet is given up by the caller.
   */
  synchronized boolean stop(Duration grace) throws IOException {
    if (!processExists) {
      stopped = true;
      return false;
    }
    workshop.driver().stop(id, grace);
    return true;
  }

  private Path doorFolder() {
    return workshop.doorDirectory().resolve(id.value());
  }

  /** Only once no process of the container is there. */
  private void releaseGpus() {
    workshop.gpus().release(gpus);
    gpus = List.of();
  }

  private void cleanUp() {
    try {
      if (door != null) {
        door.close();
      }
      workshop.driver().destroy(id);
      releaseGpus();
      FileTree.delete(doorFolder());
    } catch (IOException failure) {
      LOG.warn("container {} left something behind until the next start", id.value(), failure);
    }
    if (sandbox != null) {
      workshop.sandboxes().release(sandbox);
    }
    if (scratch != null) {
      workshop.scratchDisks().release(scratch);
    }
  }
}
