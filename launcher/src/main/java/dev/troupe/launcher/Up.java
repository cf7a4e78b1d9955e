package dev.troupe.launcher;

import com.typesafe.config.Config;
import dev.troupe.cluster.Role;
import dev.troupe.node.NodeSettings;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Runs the server in the foreground until it is told to end. */
@Command(
    name = "up",
    description = "Runs the server in this terminal. Ctrl-C ends it; a second one ends it at once.",
    mixinStandardHelpOptions = true)
final class Up implements Callable<Integer> {

  @Option(names = "--port", paramLabel = "N", description = "Port to listen on; 0: any free one.")
  private @Nullable Integer port;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Where the server keeps what it knows (default: ${DEFAULT-VALUE}).",
      defaultValue = "data")
  private Path data = Path.of("data");

  @Option(names = "--config", paramLabel = "FILE", description = "Settings; see conf/troupe.conf.")
  private @Nullable Path file;

  @Option(
      names = "--no-agent",
      description = "Runs no containers on this machine: others join with troupe node.")
  private boolean noAgent;

  @Option(
      names = "--host",
      paramLabel = "ADDRESS",
      description = "Address to listen on; 0.0.0.0: all of this machine's.")
  private @Nullable String host;

  @Option(
      names = "--machine-port",
      paramLabel = "N",
      description = "Port that machines join and dial (default: the one after --port).")
  private @Nullable Integer machinePort;

  @Option(
      names = "--role",
      paramLabel = "ROLE",
      split = ",",
      description = {
        "What the process does: control, gateway, agent. Default: all.",
        "control,gateway: no containers here; gateway: no entities either."
      })
  private List<String> roles = List.of();

  @Option(
      names = "--join",
      paramLabel = "HOST:PORT",
      description = {
        "A server of the cluster that this process is to be of; needs --token at the first start,"
            + " and the same troupe.store as the others."
      })
  private @Nullable String join;

  @Option(
      names = "--token",
      paramLabel = "TOKEN",
      description = {
        "The token that troupe-server token cluster printed; @FILE reads it from a file."
      })
  private @Nullable String token;

  private volatile @Nullable EmbeddedServer running;

  @Override
  public Integer call() throws IOException, InterruptedException {
    Path root = data.toAbsolutePath().normalize();
    Set<Role> asked = roles();
    boolean withAgent = !noAgent && asked.contains(Role.AGENT);
    Config config =
        LauncherSettings.load(
            root, new LauncherSettings.Listening(host, port, machinePort), file, withAgent);
    if (NodeSettings.from(config.getConfig("troupe")).enabled()) {
      Preflight.check();
    }
    joinCluster(config, root);
    Signals signals = Signals.listen(this::killContainers);
    try (EmbeddedServer server = EmbeddedServer.start(config, root, asked)) {
      running = server;
      String url = url(server.address());
      ClientProfile.write(root, url, server.persistence().directory(), InstantSource.system());
      Path pid = root.resolve("server.pid");
      Files.writeString(pid, ProcessHandle.current().pid() + "\n");
      sayReady(root, url);
      AtomicReference<@Nullable String> lost = endWhenLost(server, signals);
      signals.await();
      Files.deleteIfExists(pid);
      String other = lost.get();
      if (other != null) {
        throw new Refusal(other);
      }
      System.out.println("Ending; running calls get some seconds. Once more ends at once.");
    }
    // A daemon of a library may outlive this; nothing of ours is left to wait for.
    return 0;
  }

  private Set<Role> roles() {
    Set<Role> asked = EnumSet.noneOf(Role.class);
    for (String word : roles) {
      Role role =
          Arrays.stream(Role.values())
              .filter(known -> known.word().equals(word.strip()))
              .findFirst()
              .orElseThrow(
                  () ->
                      new Refusal(
                          "There is no role '%s': control, gateway and agent are."
                              .formatted(word)));
      asked.add(role);
    }
    if (!asked.isEmpty() && !asked.contains(Role.GATEWAY)) {
      throw new Refusal(
          "A server process has the role gateway; for containers alone: troupe node.");
    }
    return asked.isEmpty() ? EnumSet.allOf(Role.class) : asked;
  }

  private void joinCluster(Config config, Path root) throws IOException {
    boolean shared = !config.getString("troupe.store.url").isEmpty();
    if (join == null) {
      if (!shared && !roles().contains(Role.CONTROL)) {
        throw new Refusal(
            "A server whose store is in its data directory needs the role control, too.");
      }
      return;
    }
    if (!shared) {
      throw new Refusal(
          "A cluster needs a store that all its processes reach: set troupe.store.url to the"
              + " database of the others, and give the file with --config.");
    }
    JoinCluster.bring(root, join, token == null ? "" : token);
  }

  /** Ends the server once another cluster has its store, or its own goes on without it. */
  private static AtomicReference<@Nullable String> endWhenLost(
      EmbeddedServer server, Signals signals) {
    AtomicReference<@Nullable String> lost = new AtomicReference<>();
    server
        .lost()
        .thenAccept(
            why -> {
              lost.set(why);
              signals.end();
            });
    return lost;
  }

  private void killContainers() {
    EmbeddedServer ending = running;
    if (ending != null) {
      ending.killContainers();
    }
  }

  private static String url(InetSocketAddress address) {
    String host = address.getAddress().isAnyLocalAddress() ? "127.0.0.1" : address.getHostString();
    return "http://" + host + ":" + address.getPort();
  }

  private static void sayReady(Path root, String url) {
    long since = System.currentTimeMillis() - ManagementFactory.getRuntimeMXBean().getStartTime();
    System.out.printf(
        "Troupe is ready at %s after %.1f s. Point a client at it: . %s%n",
        url, since / 1000.0, ClientProfile.file(root));
    System.out.flush();
  }
}
