package dev.troupe.node.link;

import dev.troupe.actors.blob.ContentSource;
import dev.troupe.actors.door.BlobDoor;
import dev.troupe.actors.door.ContainerDoor;
import dev.troupe.actors.log.LogIntake;
import dev.troupe.protocol.link.ControlPlane;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;

/**
 * A server elsewhere, as the agent of a machine of its own needs it: the control plane to dial, and
 * what stands behind the doors of its containers. One connection carries the link; blobs and
 * content have others.
 */
public final class RemoteServer implements AutoCloseable {

  private static final Duration PAUSE = Duration.ofSeconds(1);

  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("server-link").factory());
  private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
  private final RemoteContainerDoor door;
  private final RemoteBlobs blobs;
  private final ControlPlane controlPlane;

  /** The server at these addresses; nothing is sent before the agent dials. */
  public RemoteServer(List<ServerAddress> addresses, LinkNews news) {
    ServerAddresses servers = new ServerAddresses(addresses);
    // A quarter of the heap: what is answered, read and written takes as much again.
    long calls = Runtime.getRuntime().maxMemory() / 4;
    door = new RemoteContainerDoor(calls, RemoteContainerDoor.PATIENCE, timer, news::abandoned);
    blobs = new RemoteBlobs(servers, RemoteContainerDoor.PATIENCE, PAUSE, executor);
    controlPlane = new GrpcControlPlane(servers, door, news, timer, executor);
  }

  /** What the agent dials. */
  public ControlPlane controlPlane() {
    return controlPlane;
  }

  /** What stands behind the sockets of its containers. */
  public ContainerDoor containerDoor() {
    return door;
  }

  /** Blob HTTP for its containers. */
  public BlobDoor blobDoor() {
    return blobs;
  }

  /** Files of mounts. */
  public ContentSource contentSource() {
    return blobs;
  }

  /** Takes segments of logs. */
  public LogIntake logIntake() {
    return blobs;
  }

  /** Lets the containers end with what they run: they get no more inputs. */
  public void retireContainers() {
    door.retire();
  }

  /** To be called once the agent is closed. */
  @Override
  public void close() {
    timer.shutdownNow();
    blobs.close();
    executor.shutdownNow();
  }
}
