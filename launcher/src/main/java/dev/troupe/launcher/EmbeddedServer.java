package dev.troupe.launcher;

import com.typesafe.config.Config;
import dev.troupe.actors.Actors;
import dev.troupe.cluster.ClusterNode;
import dev.troupe.cluster.ClusterSettings;
import dev.troupe.cluster.Role;
import dev.troupe.gateway.Gateway;
import dev.troupe.gateway.GatewaySettings;
import dev.troupe.gateway.service.ServiceSettings;
import dev.troupe.node.NodeAgent;
import dev.troupe.node.NodeSettings;
import dev.troupe.persistence.BlobSettings;
import dev.troupe.persistence.Persistence;
import dev.troupe.persistence.PersistenceSettings;
import dev.troupe.persistence.vault.KeyFiles;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.actor.typed.ActorSystem;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One server process: the stores, its place in the cluster, the domain, the gateway, and the agent
 * of this machine unless the settings leave it out, started in this order and closed in the other.
 */
final class EmbeddedServer implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(EmbeddedServer.class);
  private static final Duration UP_PATIENCE = Duration.ofSeconds(60);

  /** After which the members that were started together know each other. */
  private static final Duration SETTLED = Duration.ofSeconds(20);

  /** How long running inputs may take to end once the server was told to. */
  private static final Duration RETIRE_PATIENCE = Duration.ofSeconds(14);

  /** How long answers may take to go out, once nothing waits any more. */
  private static final Duration DRAIN_PATIENCE = Duration.ofSeconds(3);

  /** From SIGINT to SIGKILL for the containers of a server that ends. */
  private static final Duration STOP_GRACE = Duration.ofSeconds(5);

  private final Deque<Part> parts = new ArrayDeque<>();
  private final Gateway gateway;
  private final Persistence persistence;
  private final ClusterNode.Started cluster;
  private final @Nullable NodeAgent agent;

  /** Something to close, and what it is called. */
  private record Part(String name, AutoCloseable closing) {}

  private EmbeddedServer(Config config, Path data, Set<Role> roles)
      throws IOException, InterruptedException {
    Config troupe = config.getConfig("troupe");
    InstantSource clock = InstantSource.system();
    boolean whole = false;
    try {
      ClusterSettings own = ClusterSettings.from(troupe).withPort();
      persistence =
          Persistence.start(
              PersistenceSettings.from(troupe), BlobSettings.from(troupe), data, own.address());
      parts.push(new Part("the stores", persistence));
      ClusterSettings settings = own.joining(persistence.members());
      cluster =
          ClusterNode.start(
              persistence.journalConfig().withFallback(config),
              settings,
              roles,
              persistence::authority);
      parts.push(new Part("the actor system", () -> terminate(cluster.system())));
      cluster
          .whenUp()
          .toCompletableFuture()
          .orTimeout(UP_PATIENCE.toSeconds(), TimeUnit.SECONDS)
          .join();
      persistence.formed();
      say(settings, cluster.system());
      Actors.start(
          cluster.system(),
          troupe,
          persistence.callLog(),
          persistence.blobs(),
          persistence.logs(),
          persistence.directory(),
          clock);
      gateway =
          Gateway.start(
                  cluster.system(),
                  GatewaySettings.from(troupe),
                  ServiceSettings.from(troupe),
                  new Gateway.Ports(
                      persistence.directory(),
                      persistence.blobs(),
                      persistence.logs(),
                      persistence.vault(),
                      persistence.serverKey(),
                      persistence::authority,
                      () -> KeyFiles.all(data),
                      clock))
              .toCompletableFuture()
              .join();
      parts.push(new Part("the gateway", gateway));
      NodeSettings node = NodeSettings.from(troupe);
      NodeAgent started = node.enabled() ? startAgent(node, gateway) : null;
      agent = started;
      parts.push(new Part("the doors", () -> drain(gateway, started)));
      whole = true;
    } finally {
      if (!whole) {
        close();
      }
    }
  }

  /**
   * Starts a server.
   *
   * @param roles of this process
   */
  static EmbeddedServer start(Config config, Path data, Set<Role> roles)
      throws IOException, InterruptedException {
    return new EmbeddedServer(config, data, roles);
  }

  private static void say(ClusterSettings settings, ActorSystem<?> system) {
    if (!settings.seeds().isEmpty()) {
      LOG.info(
          "Has joined the cluster of {}, at {}",
          String.join(", ", settings.seeds()),
          settings.address());
    }
    system.scheduler().scheduleOnce(SETTLED, () -> warnOfTwo(system), system.executionContext());
  }

  private static void warnOfTwo(ActorSystem<?> system) {
    if (ClusterNode.members(system) == 2) {
      LOG.warn(
          "A cluster of two has no majority: where the one with the lower address dies, the other"
              + " ends, too. Three are the first safe number");
    }
  }

  /** Done, with a sentence, when this process has lost its store or its place in the cluster. */
  CompletionStage<String> lost() {
    CompletableFuture<String> lost = new CompletableFuture<>();
    persistence.lost().thenAccept(lost::complete);
    cluster
        .system()
        .getWhenTerminated()
        .thenAccept(
            _ ->
                lost.complete(
                    "The cluster has taken this process out: it was not reached for some seconds, or"
                        + " too few of its members were. Start it again."));
    return lost.whenComplete((why, _) -> LOG.error("Ending: {}", why));
  }

  private static NodeAgent startAgent(NodeSettings settings, Gateway gateway)
      throws IOException, InterruptedException {
    return NodeAgent.start(
        settings,
        gateway.controlPlane(),
        gateway.containerDoor(),
        gateway.blobDoor(),
        gateway.contentSource(),
        gateway.logIntake());
  }

  /** Takes no new call, lets running inputs end and their outputs be kept, then stops the rest. */
  private static void drain(Gateway gateway, @Nullable NodeAgent agent) {
    CompletionStage<Void> drained = gateway.drain(DRAIN_PATIENCE);
    if (agent != null) {
      gateway.retireContainers();
      agent.retire(RETIRE_PATIENCE);
      agent.drain(STOP_GRACE);
      agent.close();
    }
    // Where the actor system has ended first, nothing tells that the port is closed.
    drained
        .toCompletableFuture()
        .copy()
        .completeOnTimeout(null, 2 * DRAIN_PATIENCE.toSeconds(), TimeUnit.SECONDS)
        .join();
  }

  /** Ends the containers at once, with what they run; for a server that is to end at once. */
  void killContainers() {
    NodeAgent running = agent;
    if (running != null) {
      running.close();
    }
  }

  private static void terminate(ActorSystem<?> system) {
    system.terminate();
    system.getWhenTerminated().toCompletableFuture().orTimeout(15, TimeUnit.SECONDS).join();
  }

  /** Where the public port listens. */
  InetSocketAddress address() {
    return gateway.address();
  }

  /** The doors. */
  Gateway gateway() {
    return gateway;
  }

  /** The stores. */
  Persistence persistence() {
    return persistence;
  }

  /** Ends everything, the last started first; one part that fails does not keep the others. */
  @Override
  public void close() {
    while (!parts.isEmpty()) {
      Part part = parts.pop();
      try {
        part.closing().close();
      } catch (Exception failure) {
        boolean late = Refusal.cause(failure) instanceof TimeoutException;
        String why = late ? "it took too long" : failure.toString();
        LOG.warn("{} did not close well: {}", part.name(), why);
      }
    }
  }
}
