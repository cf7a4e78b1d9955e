package dev.troupe.launcher;

import com.typesafe.config.Config;
import dev.troupe.actors.id.Ids;
import dev.troupe.cluster.tls.Fingerprint;
import dev.troupe.cluster.tls.Identity;
import dev.troupe.cluster.tls.JoinToken;
import dev.troupe.cluster.tls.Purpose;
import dev.troupe.node.NodeAgent;
import dev.troupe.node.NodeSettings;
import dev.troupe.node.link.Enrolment;
import dev.troupe.node.link.LinkNews;
import dev.troupe.node.link.RemoteServer;
import dev.troupe.node.link.ServerAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Makes this machine run containers for a server elsewhere, until it is told to end. */
@Command(
    name = "node",
    description = {
      "Runs containers on this machine for a server elsewhere. Ctrl-C ends it; a second one ends it"
          + " at once.",
      "The first start joins with a token, which ./troupe token join makes on the server; later"
          + " ones need none. Containers go on while the server is away, for ten minutes."
    },
    mixinStandardHelpOptions = true,
    subcommands = {NodeDrain.class, NodeRemove.class})
final class Node implements Callable<Integer> {

  /** How long running inputs may take to end once the agent was told to by a signal. */
  private static final Duration RETIRE_PATIENCE = Duration.ofSeconds(14);

  /** How long they may take when the machine is drained: the longest that a function may run. */
  private static final Duration DRAIN_PATIENCE = Duration.ofDays(1);

  /** From SIGINT to SIGKILL for the containers of an agent that ends. */
  private static final Duration STOP_GRACE = Duration.ofSeconds(5);

  private static final Pattern ADDRESS =
      Pattern.compile("(\\[[0-9a-fA-F:.]+]|[^:/\\[\\]]+):([0-9]{1,5})");
  private static final int LONGEST_HOST = 40;
  private static final int LARGEST_PORT = 65_535;

  @Option(
      names = "--join",
      paramLabel = "HOST:PORT",
      description = {
        "Where machines join the server; ./troupe token join prints it.",
        "Of a cluster, several of its processes, joined by commas: where one is gone, the next is"
            + " dialled."
      })
  private String join = "";

  @Option(
      names = "--token",
      paramLabel = "TOKEN",
      description = {
        "A join token, for the first start.",
        "@FILE reads it from a file, which others can't see in a list of processes."
      })
  private @Nullable String token;

  @Option(
      names = "--name",
      paramLabel = "NAME",
      description = "The machine's id, at the first start (default: made from the host's name).")
  private @Nullable String name;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Where images, logs and the certificate are kept (default: ${DEFAULT-VALUE}).",
      defaultValue = "node-data")
  private Path data = Path.of("node-data");

  @Option(names = "--config", paramLabel = "FILE", description = "Settings; see conf/troupe.conf.")
  private @Nullable Path file;

  private volatile @Nullable NodeAgent running;

  @Override
  public Integer call() throws IOException, InterruptedException {
    List<InetSocketAddress> addresses = addresses();
    Preflight.check();
    Path root = data.toAbsolutePath().normalize();
    Identity identity = identity(root, addresses);
    Config config = LauncherSettings.loadAgent(root, identity.name(), file);
    Signals signals = Signals.listen(() -> ifRunning(NodeAgent::close));
    News news = new News(signals);
    List<ServerAddress> servers =
        addresses.stream()
            .map(at -> new ServerAddress(at.getHostString(), at.getPort(), identity))
            .toList();
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
      System.out.printf("Machine %s is ready; its server: %s%n", identity.name(), join);
      var unused =
          agent
              .toldToLeave()
              .thenRunAsync(() -> leave(remote, agent, signals), Thread::startVirtualThread);
      signals.await();
      end(remote, agent);
    }
    String refusal = news.refusal;
    if (refusal != null) {
      throw new Refusal(refusal);
    }
    return 0;
  }

  // ---- joining

  private List<InetSocketAddress> addresses() {
    return Arrays.stream(join.split(",", -1)).map(each -> address(each.strip())).toList();
  }

  private static InetSocketAddress address(String text) {
    Matcher parts = ADDRESS.matcher(text);
    if (!parts.matches() || Integer.parseInt(parts.group(2)) > LARGEST_PORT) {
      throw new Refusal(
          "--join takes the address where machines join, HOST:PORT; '%s' is none. ./troupe token join prints it."
              .formatted(text));
    }
    return InetSocketAddress.createUnresolved(parts.group(1), Integer.parseInt(parts.group(2)));
  }

  private Identity identity(Path root, List<InetSocketAddress> addresses)
      throws IOException, InterruptedException {
    Enrolment enrolment = new Enrolment(root);
    Optional<JoinToken> given = token == null ? Optional.empty() : Optional.of(token(token));
    Optional<Identity> kept = enrolment.kept();
    if (kept.isEmpty()) {
      return enrolment.join(
          addresses, given.orElseThrow(() -> new Refusal(noToken(root))), name(root));
    }
    Identity identity = kept.get();
    named(root, identity.name());
    if (given.isPresent()
        && !given.get().authority().equals(Fingerprint.of(identity.authority()))) {
      throw new Refusal(
          "The data directory %s is that of machine %s of another server than the token's. Give --data another directory."
              .formatted(root, identity.name()));
    }
    return identity;
  }

  private static String noToken(Path root) {
    return ("This machine has not joined a server yet (%s has no certificate): give --token, which"
            + " ./troupe token join makes on the server.")
        .formatted(root);
  }

  private static JoinToken token(String text) {
    return JoinToken.parse(text)
        .filter(token -> token.purpose() == Purpose.MACHINE)
        .orElseThrow(
            () ->
                new Refusal(
                    "That is no join token for a machine; ./troupe token join makes one on the server."));
  }

  /** The name given, the one that the directory has from before, or one made of the host's. */
  private String name(Path root) throws IOException {
    Path kept = root.resolve("machine-id");
    if (Files.exists(kept)) {
      return named(root, Files.readString(kept).strip());
    }
    if (name != null) {
      return name;
    }
    byte[] random = new byte[16];
    new SecureRandom().nextBytes(random);
    return host() + "-" + Ids.key(random).substring(0, 6);
  }

  /** The name that a directory has; refused where another one was given. */
  private String named(Path root, String kept) {
    if (name != null && !name.equals(kept)) {
      throw new Refusal(
          "The data directory %s is that of machine %s. Give --data another directory for machine %s."
              .formatted(root, kept, name));
    }
    return kept;
  }

  private static String host() {
    try {
      String host = InetAddress.getLocalHost().getHostName().replaceAll("[^0-9A-Za-z-]+", "-");
      String start = host.replaceFirst("^-+", "");
      return start.isEmpty()
          ? "machine"
          : start.substring(0, Math.min(LONGEST_HOST, start.length()));
    } catch (UnknownHostException nameless) {
      return "machine";
    }
  }

  // ---- leaving

  /** The server has drained this machine: idle containers end now, busy ones with what they run. */
  private static void leave(RemoteServer server, NodeAgent agent, Signals signals) {
    System.out.println("Drained by the server: leaving once what runs has ended.");
    server.retireContainers();
    agent.retire(DRAIN_PATIENCE);
    signals.end();
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
      System.out.printf("Linked to %s.%n", join);
    }

    @Override
    public void refused(String why) {
      if (!welcome) {
        refusal = why;
        signals.end();
      }
    }

    @Override
    public void abandoned() {
      System.out.printf("No word of %s for ten minutes: the containers are stopped.%n", join);
      ifRunning(agent -> agent.stopContainers(STOP_GRACE));
    }
  }
}
