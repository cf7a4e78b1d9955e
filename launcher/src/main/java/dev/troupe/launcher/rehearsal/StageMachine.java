package dev.troupe.launcher.rehearsal;

import dev.troupe.actors.door.ContainerDoor;
import dev.troupe.actors.id.TaskId;
import dev.troupe.node.door.ContainerDoors;
import dev.troupe.protocol.link.BuildEnd;
import dev.troupe.protocol.link.BuildImage;
import dev.troupe.protocol.link.BuildReport;
import dev.troupe.protocol.link.Capacity;
import dev.troupe.protocol.link.ContainerReport;
import dev.troupe.protocol.link.ContainerReport.State;
import dev.troupe.protocol.link.ControlPlane;
import dev.troupe.protocol.link.FromMachine;
import dev.troupe.protocol.link.Hello;
import dev.troupe.protocol.link.StartContainer;
import dev.troupe.protocol.link.ToMachine;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * A machine that only pretends: it builds each image in no time, and a container of it is a socket
 * as real ones have, with a {@link StageRunner} on its other side.
 */
final class StageMachine implements AutoCloseable {

  private final ContainerDoors doors;
  private final Path folder;
  private final Map<String, ContainerReport> running = new ConcurrentHashMap<>();
  private final Queue<AutoCloseable> open = new ConcurrentLinkedQueue<>();
  private final ControlPlane.Link link;

  /** Dials the control plane; sockets of containers are made in {@code folder}. */
  StageMachine(ControlPlane controlPlane, ContainerDoor door, Path folder) {
    this.doors = new ContainerDoors(door);
    this.folder = folder;
    this.link = controlPlane.dial(this::hear, _ -> {});
    Hello hello =
        Hello.newBuilder()
            .setLinkVersion(1)
            .setMachineId("rehearsal")
            .setCapacity(Capacity.newBuilder().setMilliCpu(16_000).setMemoryBytes(16L << 30))
            .setBlobUrl("http://169.254.77.1")
            .build();
    link.send(FromMachine.newBuilder().setHello(hello).build());
  }

  private void hear(ToMachine message) {
    switch (message.getMessageCase()) {
      case BUILD -> build(message.getBuild());
      case START -> start(message.getStart());
      case STOP -> ended(message.getStop().getTaskId());
      case WELCOME,
          PING,
          DOOR_ANSWER,
          CANCEL_BUILD,
          DRAIN,
          FOLLOW,
          LOG_CREDIT,
          UNFOLLOW,
          READ_LOGS,
          FIND_CONTAINER,
          MESSAGE_NOT_SET -> {}
    }
  }

  private void build(BuildImage order) {
    BuildReport built =
        BuildReport.newBuilder()
            .setBuildId(order.getBuildId())
            .setEnd(BuildEnd.newBuilder().setPythonVersion("3.13").setLibcVersion("2.41"))
            .build();
    link.send(FromMachine.newBuilder().setBuild(built).build());
  }

  private void start(StartContainer order) {
    Path socket = folder.resolve(order.getTaskId() + ".sock");
    try {
      open.add(doors.open(new TaskId(order.getTaskId()), socket));
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
    ContainerReport report =
        ContainerReport.newBuilder()
            .setTaskId(order.getTaskId())
            .setFunctionId(order.getFunctionId())
            .setAppId(order.getAppId())
            .build();
    running.put(order.getTaskId(), report);
    report(report, State.RUNNING);
    StageRunner runner = new StageRunner(RpcChannel.toSocket(socket), order.getFunctionId());
    open.add(runner);
    Thread.ofVirtual().start(runner);
  }

  private void ended(String task) {
    ContainerReport container = running.remove(task);
    if (container != null) {
      report(container, State.ENDED);
    }
  }

  private void report(ContainerReport container, State state) {
    ContainerReport report = container.toBuilder().setState(state).build();
    link.send(FromMachine.newBuilder().setContainer(report).build());
  }

  @Override
  public void close() throws Exception {
    link.close();
    for (AutoCloseable each : open) {
      each.close();
    }
    doors.close();
  }
}
