package dev.troupe.launcher;

import com.typesafe.config.Config;
import dev.troupe.node.NodeAgent;
import dev.troupe.node.NodeSettings;
import dev.troupe.node.link.LinkNews;
import dev.troupe.node.link.RemoteServer;
import dev.troupe.node.link.ServerAddress;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Runs the agent of this machine for a server elsewhere, until it is told to end. */
@Command(
    name = "agent",
    description = {
      "Runs containers on this machine for a server elsewhere. Ctrl-C ends it; a second one ends it"
          + " at once.",
      "Containers go on while the server is away, for ten minutes."
    },
    mixinStandardHelpOptions = true)
final class Agent implements Callable<Integer> {

  /** How long running inputs may take to end once the agent was told to. */
  private static final Duration RETIRE_PATIENCE = Duration.ofSeconds(14);

  /** From SIGINT to SIGKILL for the containers of an agent that ends. */
  private static final Duration STOP_GRACE = Duration.ofSeconds(5);

  @Option(
      names = "--join",
      paramLabel = "URL",
      required = true,
      description = {
        "The server: http://HOST:PORT, or https. Of a cluster, several of its processes, joined by"
            + " commas: where one is gone, the next is dialled."
      })
  private String url = "";

  @Option(
      names = "--token",
      paramLabel = "TOKEN",
      required = true,
      description = {
        "The machine's token, as machine-token printed it and the server was started with.",
        "@FILE reads it from a file, which others can't see in a list of processes."
      })
  private String token = "";

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Where the agent keeps images and logs (default: ${DEFAULT-VALUE}).",
      defaultValue = "agent-data")
  private Path data = Path.of("agent-data");

  @Option(names = "--config", paramLabel = "FILE", description = "Settings; see conf/troupe.conf.")
  private @Nullable Path file;

  private volatile @Nullable NodeAgent running;

  @Override
  public Integer call() throws IOException, InterruptedException {
    MachineToken machine = MachineToken.parse(token);
    List<ServerAddress> servers = addresses(machine);
    Preflight.check();
    Config config =
        LauncherSettings.loadAgent(data.toAbsolutePath().normalize(), machine.machine(), file);
    Signals signals = Signals.listen(() -> ifRunning(NodeAgent::close));
    News news = new News(signals);
    try (RemoteServer remote = new RemoteServer(servers, news)) {
      NodeAgent agent =
          NodeAgent.start(
              NodeSettings.from(config.getConfig("troupe")),
              remote.controlPlane(),
              remote.containerDoor(),
              remote.blobDoor(),
              remote.contentSource(),
              remote.logIntake());
      running = agent;
      System.out.printf(
          "The agent of machine %s is ready; its server: %s%n", machine.machine(), url);
      signals.await();
      end(remote, agent);
    }
    String refusal = news.refusal;
    if (refusal != null) {
      throw new Refusal(refusal);
    }
    return 0;
  }

  private List<ServerAddress> addresses(MachineToken machine) {
    return Arrays.stream(url.split(",")).map(each -> address(each.strip(), machine)).toList();
  }

  private static ServerAddress address(String url, MachineToken machine) {
    try {
      return new ServerAddress(URI.create(url), machine.machine(), machine.secret());
    } catch (IllegalArgumentException wrong) {
      throw new Refusal(
          "--join takes the address of a server, as http://HOST:PORT; '%s' is none."
              .formatted(url));
    }
  }

  /** Takes no new container, lets running inputs end and their outputs go out, stops the rest. */
  private static void end(RemoteServer server, NodeAgent agent) {
    System.out.println("Ending; running calls get some seconds. Once more ends at once.");
    server.retireContainers();
    agent.retire(RETIRE_PATIENCE);
    agent.drain(STOP_GRACE);
    agent.close();
  }

  private void ifRunning(Consumer<NodeAgent> action) {
    NodeAgent agent = running;
    if (agent != null) {
      action.accept(agent);
    }
  }

  /** Tells the user; a machine that was never welcome has nothing to wait for. */
  private final class News implements LinkNews {
    private final Signals signals;
    private volatile @Nullable String refusal;
    private volatile boolean welcome;

    private News(Signals signals) {
      this.signals = signals;
    }

    @Override
    public void linked() {
      welcome = true;
      System.out.printf("Linked to %s.%n", url);
    }

    @Override
    public void refused(String why) {
      if (!welcome) {
        refusal =
            why + " Start the server with --machine-token, and the agent with the same token.";
        signals.end();
      }
    }

    @Override
    public void abandoned() {
      System.out.printf("No word of %s for ten minutes: the containers are stopped.%n", url);
      ifRunning(agent -> agent.stopContainers(STOP_GRACE));
    }
  }
}
