package dev.troupe.launcher.rehearsal;

import dev.troupe.actors.door.ContainerDoor;
import dev.troupe.protocol.link.ControlPlane;
import java.net.URI;
import java.nio.file.Path;

/**
 * Puts a server through what its users will: a deployment, calls one at a time and many at a time,
 * a map. Client, machine and container are played from here, through the same doors that real ones
 * use, so that whatever answers them is run in.
 */
public final class Rehearsal {

  /** The version that the client and the container say they are. */
  static final String CLIENT_VERSION = "1.6.4";

  private static final int CONTAINERS = 2;
  private static final int CALLS = 1_500;
  private static final int LANES = 64;
  private static final int CALLS_A_LANE = 60;
  private static final int BATCHES = 20;
  private static final int BATCH = 49;

  private Rehearsal() {}

  /**
   * What is rehearsed with.
   *
   * @param folder where the sockets of containers are made
   */
  public record Stage(
      URI server,
      String tokenId,
      String tokenSecret,
      ControlPlane controlPlane,
      ContainerDoor containerDoor,
      Path folder) {}

  /** Runs all of it; fails where a call does. */
  public static void run(Stage stage) throws Exception {
    try (StageMachine machine =
            new StageMachine(stage.controlPlane(), stage.containerDoor(), stage.folder());
        RpcChannel port = RpcChannel.toPort(stage.server(), stage.tokenId(), stage.tokenSecret())) {
      StageClient client = new StageClient(port);
      String function = client.deploy(CONTAINERS);
      client.call(function, CALLS);
      client.call(function, LANES, CALLS_A_LANE);
      client.map(function, BATCHES, BATCH);
    }
  }
}
