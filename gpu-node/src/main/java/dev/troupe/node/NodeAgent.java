package dev.troupe.node;

import dev.troupe.actors.blob.ContentSource;
import dev.troupe.actors.door.BlobDoor;
import dev.troupe.actors.door.ContainerDoor;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.log.LogIntake;
import dev.troupe.node.container.ContainerDriver;
import dev.troupe.node.container.ContainerDriver.Exit;
import dev.troupe.node.container.RuncDriver;
import dev.troupe.node.container.ScratchDisks;
import dev.troupe.node.door.ContainerDoors;
import dev.troupe.node.gpu.Gpus;
import dev.troupe.node.image.Images;
import dev.troupe.node.linux.Command;
import dev.troupe.node.linux.FileTree;
import dev.troupe.node.log.ContainerIndex;
import dev.troupe.node.log.LogBook;
import dev.troupe.node.log.LogReader;
import dev.troupe.node.log.LogShipper;
import dev.troupe.node.log.LogSweeper;
import dev.troupe.node.log.Pipes;
import dev.troupe.node.network.BlobListener;
import dev.troupe.node.network.HostFiles;
import dev.troupe.node.network.MachineNetwork;
import dev.troupe.node.network.NetworkPlan;
import dev.troupe.node.network.PackageSettings;
import dev.troupe.node.network.SandboxPool;
import dev.troupe.protocol.link.Condition;
import dev.troupe.protocol.link.ControlPlane;
import dev.troupe.protocol.link.FromMachine;
import dev.troupe.protocol.link.Hello;
import dev.troupe.protocol.link.LogBatch;
import dev.troupe.protocol.link.LogsRead;
import dev.troupe.protocol.link.StartContainer;
import dev.troupe.protocol.link.StopContainer;
import dev.troupe.protocol.link.ToMachine;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agent of this machine: dials the control plane, starts and ends containers on its word,
 * builds images, and passes on what containers print. Its decisions are {@link AgentState}'s; this
 * is the shell around them.
 */
public final class NodeAgent implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(NodeAgent.class);
  private static final int LINK_VERSION = 1;

  /** What is opened at start and closed in the opposite order. */
  private record Grounds(
      ContainerDriver driver,
      MachineNetwork network,
      BlobListener blobs,
      SandboxPool sandboxes,
      ScratchDisks scratchDisks,
      Pipes pipes,
      LogBook logs,
      LogReader reader,
      LogShipper shipper,
      ContainerDoors doors,
      Images images,
      Gpus gpus,
      Path runDirectory) {}

  /** A container and the thread that looks after it. */
  private record Tended(ContainerRun run, Thread thread) {}

  private final NodeSettings settings;
  private final AgentDirectory directory;
  private final String machineId;
  private final Grounds grounds;
  private final ContainerRun.Workshop workshop;
  private final AgentLink link;
  private final Builds builds;
  private final LogSweeper sweeper;
  private final Map<String, Tended> tended = new ConcurrentHashMap<>();
  private final CompletableFuture<Void> leaving = new CompletableFuture<>();
  private volatile boolean draining;
  private AgentState state = AgentState.EMPTY;

  private NodeAgent(
      NodeSettings settings,
      AgentDirectory directory,
      String machineId,
      Grounds grounds,
      HostFiles hostFiles,
      ControlPlane controlPlane) {
    this.settings = settings;
    this.directory = directory;
    this.machineId = machineId;
    this.grounds = grounds;
    this.workshop =
        new ContainerRun.Workshop(
            grounds.driver(),
            grounds.images(),
            grounds.sandboxes(),
            grounds.scratchDisks(),
            grounds.gpus(),
            hostFiles,
            grounds.doors(),
            grounds.pipes(),
            grounds.logs(),
            grounds.runDirectory().resolve("doors"));
    this.link =
        new AgentLink(
            controlPlane, this::hello, this::condition, this::hear, grounds.logs()::unfollowAll);
    this.sweeper = LogSweeper.start(grounds.logs(), settings.logAge());
    this.builds =
        new Builds(
            grounds.images(),
            grounds.logs(),
            report -> link.pass(FromMachine.newBuilder().setBuild(report).build()));
  }

  /**
   * Sweeps what a dead agent of this data directory left, makes the machine ready and dials.
   * Returns when that is done, whether or not the control plane has answered; it needs root.
   *
   * @throws AgentRefused when the data directory is another agent's; the message is for the user
   */
  public static NodeAgent start(
      NodeSettings settings,
      ControlPlane controlPlane,
      ContainerDoor containerDoor,
      BlobDoor blobDoor,
      ContentSource contents,
      LogIntake archive)
      throws IOException {
    AgentDirectory directory = AgentDirectory.open(settings.dataDirectory());
    Path data = directory.root();
    String machine = directory.machineId(settings.machine());
    ServerIdentity identity = ServerIdentity.of(data);
    Path run = Files.createDirectories(identity.runDirectory());
    ContainerDriver driver =
        RuncDriver.open(
            new RuncDriver.Settings(
                settings.runtime(), run, data.resolve("containers"), identity.cgroup()));
    LOG.info("{}", driver.describe());
    sweep(driver, run);
    ScratchDisks scratchDisks =
        ScratchDisks.open(
            data.resolve("scratch"), settings.scratchBytes(), settings.scratchStock());
    MachineNetwork network = MachineNetwork.open(identity.id(), ServerIdentity.sharedDirectory());
    BlobListener blobs = BlobListener.open(NetworkPlan.GATEWAY, blobDoor);
    network.admit(blobs.port());
    SandboxPool sandboxes = new SandboxPool(network, settings.sandboxStock());
    HostFiles hostFiles = HostFiles.in(run.resolve("host"), System.getenv());
    HostFiles forBuilds =
        settings.images().hostPackageSettings()
            ? hostFiles.forBuilds(
                PackageSettings.in(run.resolve("packages"), System.getenv(), aptSettings()))
            : hostFiles;
    Pipes pipes = new Pipes();
    ContainerIndex containers = new ContainerIndex(data.resolve("ran"));
    LogBook logs = new LogBook(data.resolve("logs"), settings.logLimitBytes(), containers);
    LogShipper shipper = LogShipper.start(logs, archive, new MachineId(machine), LogShipper.DELAY);
    ContainerDoors doors = new ContainerDoors(containerDoor);
    Images images =
        Images.open(
            data.resolve("images"),
            contents,
            driver,
            sandboxes,
            forBuilds,
            pipes,
            settings.images(),
            new FunctionBuild(
                driver, sandboxes, forBuilds, doors, containerDoor, pipes, run.resolve("doors")));
    Grounds grounds =
        new Grounds(
            driver,
            network,
            blobs,
            sandboxes,
            scratchDisks,
            pipes,
            logs,
            new LogReader(logs, containers),
            shipper,
            doors,
            images,
            Gpus.open(machine, settings.simulatedGpus(), settings.nvmlLibrary()),
            run);
    NodeAgent agent = new NodeAgent(settings, directory, machine, grounds, hostFiles, controlPlane);
    agent.link.start();
    return agent;
  }

  /** Those of this machine's apt; none where it has no apt. */
  private static List<String> aptSettings() {
    try {
      return Command.run(Duration.ofSeconds(30), "apt-config", "dump").lines().toList();
    } catch (IOException none) {
      LOG.info("build steps get no settings of apt: {}", none.getMessage());
      return List.of();
    }
  }

  private static void sweep(ContainerDriver driver, Path run) throws IOException {
    for (ContainerDriver.ContainerId left : driver.recover()) {
      LOG.info("sweeping container {}, left by an earlier run", left.value());
      driver.destroy(left);
    }
    FileTree.delete(run.resolve("doors"));
  }

  /** The machine's id. */
  public String machineId() {
    return machineId;
  }

  private Hello hello() {
    try {
      return Hello.newBuilder()
          .setLinkVersion(LINK_VERSION)
          .setMachineId(machineId)
          .setCapacity(Machine.capacity(grounds.gpus().types()))
          .addAllContainers(state.restated())
          .setBlobUrl(grounds.blobs().url())
          .putAllLabels(settings.labels())
          .addAllImageIds(grounds.images().imageIds())
          .setCondition(condition())
          .build();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  private Condition condition() {
    return Machine.condition(settings.dataDirectory(), leaving.isDone());
  }

  /** Done once the control plane has told this agent to end with what runs, and go. */
  public CompletionStage<Void> toldToLeave() {
    return leaving;
  }

  private void leave() {
    if (leaving.complete(null)) {
      LOG.info("told to leave once what runs has ended");
      link.ping();
    }
  }

  private void say(FromMachine message) {
    link.send(message);
  }

  private void hear(ToMachine message) {
    switch (message.getMessageCase()) {
      case START -> start(message.getStart());
      case STOP -> stop(message.getStop());
      case BUILD -> builds.begin(message.getBuild());
      case CANCEL_BUILD -> builds.cancel(message.getCancelBuild().getBuildId());
      case FOLLOW -> grounds.logs().follow(message.getFollow(), this::passOn);
      case LOG_CREDIT ->
          grounds
              .logs()
              .credit(message.getLogCredit().getFollowId(), message.getLogCredit().getLines());
      case UNFOLLOW -> grounds.logs().unfollow(message.getUnfollow().getFollowId());
      case READ_LOGS -> grounds.reader().read(message.getReadLogs(), this::passOn);
      case FIND_CONTAINER -> grounds.reader().find(message.getFindContainer(), this::passOn);
      // Answers of the door are for whoever carries the link of a machine of its own.
      case PING, DOOR_ANSWER, MESSAGE_NOT_SET -> {}
      case WELCOME -> link.welcomed();
      case DRAIN -> leave();
    }
  }

  private void passOn(LogBatch batch) {
    link.pass(FromMachine.newBuilder().setLogs(batch).build());
  }

  private void passOn(LogsRead answer) {
    link.pass(FromMachine.newBuilder().setLogsRead(answer).build());
  }

  private void start(StartContainer order) {
    String task = order.getTaskId();
    if (draining) {
      // The order is restated until the agent's next start, or the link is gone for too long.
      return;
    }
    if (!change(now -> now.start(order))) {
      return;
    }
    ContainerRun run = new ContainerRun(workshop, order, listener(task));
    Thread thread =
        Thread.ofVirtual()
            .name("container-" + task)
            .unstarted(
                () -> {
                  try {
                    run.run();
                  } finally {
                    tended.remove(task);
                  }
                });
    tended.put(task, new Tended(run, thread));
    thread.start();
  }

  private ContainerRun.Listener listener(String task) {
    return new ContainerRun.Listener() {
      @Override
      public void running() {
        change(now -> now.running(task));
      }

      @Override
      public void ended(Exit exit) {
        change(now -> now.ended(task, exit.code(), exit.signal().orElse(0), exit.outOfMemory()));
      }

      @Override
      public void failedToStart(String why) {
        change(now -> now.failedToStart(task, why));
      }
    };
  }

  /** Carries a decision out and tells of it; returns whether there was news. */
  private boolean change(Function<AgentState, AgentState.Step> decision) {
    boolean[] news = new boolean[1];
    link.inOrder(
        () -> {
          AgentState.Step step = decision.apply(state);
          state = step.next();
          step.news()
              .ifPresent(
                  report -> {
                    news[0] = true;
                    say(FromMachine.newBuilder().setContainer(report).build());
                  });
        });
    return news[0];
  }

  private void stop(StopContainer order) {
    Tended container = tended.get(order.getTaskId());
    if (container != null) {
      Thread.startVirtualThread(() -> stop(container, Duration.ofMillis(order.getGraceMs())));
    }
  }

  private static void stop(Tended container, Duration grace) {
    try {
      if (!container.run().stop(grace)) {
        container.thread().interrupt();
      }
    } catch (IOException failure) {
      LOG.warn("a container can't be stopped", failure);
    }
  }

  /**
   * Takes no more containers and waits until those that run have ended, {@code patience} at most.
   */
  public void retire(Duration patience) {
    draining = true;
    Instant until = Instant.now().plus(patience);
    try {
      for (Tended container : List.copyOf(tended.values())) {
        Duration left = Duration.between(Instant.now(), until);
        container.thread().join(left.isNegative() ? Duration.ZERO : left);
      }
    } catch (InterruptedException hurry) {
      Thread.currentThread().interrupt();
    }
  }

  /** Takes no more containers and stops those that run, each within {@code grace}; waits for it. */
  public void drain(Duration grace) {
    draining = true;
    List<Tended> all = new ArrayList<>(tended.values());
    all.forEach(container -> Thread.startVirtualThread(() -> stop(container, grace)));
    try {
      for (Tended container : all) {
        container.thread().join(grace.plusSeconds(10));
      }
    } catch (InterruptedException hurry) {
      Thread.currentThread().interrupt();
    }
  }

  /** Stops the containers that run, each within {@code grace}, and goes on: for a lost server. */
  public void stopContainers(Duration grace) {
    tended.values().forEach(container -> Thread.startVirtualThread(() -> stop(container, grace)));
  }

  /** Ends all containers at once and leaves nothing of this agent on the machine but its data. */
  @Override
  public void close() {
    builds.close();
    grounds.images().close();
    sweeper.close();
    drain(Duration.ZERO);
    grounds.shipper().close();
    link.close();
    grounds.sandboxes().close();
    grounds.scratchDisks().close();
    grounds.doors().close();
    grounds.blobs().close();
    try {
      grounds.logs().close();
      grounds.network().close();
    } catch (IOException failure) {
      LOG.warn("the agent left something behind until its next start", failure);
    }
    grounds.pipes().close();
    grounds.driver().close();
    try {
      FileTree.delete(grounds.runDirectory());
      directory.close();
    } catch (IOException failure) {
      LOG.warn("{} could not be removed", grounds.runDirectory(), failure);
    }
  }
}
