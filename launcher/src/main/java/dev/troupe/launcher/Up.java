package dev.troupe.launcher;

import com.typesafe.config.Config;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import sun.misc.Signal;

/** Runs the server in the foreground until it is told to end. */
@Command(
    name = "up",
    description = "Runs the server in this terminal. Ctrl-C ends it; a second one ends it at once.",
    mixinStandardHelpOptions = true)
final class Up implements Callable<Integer> {

  /** The longest an end may take. */
  private static final Duration END_PATIENCE = Duration.ofSeconds(25);

  /** The longest that killing containers may take. */
  private static final Duration KILL_PATIENCE = Duration.ofSeconds(4);

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

  private volatile @Nullable EmbeddedServer running;
  private final CountDownLatch toEnd = new CountDownLatch(1);

  @Override
  public Integer call() throws IOException, InterruptedException {
    Preflight.check();
    Path root = data.toAbsolutePath().normalize();
    Config config = LauncherSettings.load(root, port, file);
    listenForSignals();
    try (EmbeddedServer server = EmbeddedServer.start(config, root, true)) {
      running = server;
      String url = url(server.address());
      ClientProfile.write(root, url, server.persistence().directory(), InstantSource.system());
      Path pid = root.resolve("server.pid");
      Files.writeString(pid, ProcessHandle.current().pid() + "\n");
      sayReady(root, url);
      toEnd.await();
      System.out.println("Ending; running calls get some seconds. Once more ends at once.");
      endAtLast();
      Files.deleteIfExists(pid);
    }
    // A daemon of a library may outlive this; nothing of ours is left to wait for.
    return 0;
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

  private void listenForSignals() {
    for (String name : new String[] {"INT", "TERM"}) {
      Signal.handle(
          new Signal(name),
          _ -> {
            if (toEnd.getCount() == 0) {
              endNow();
            }
            toEnd.countDown();
          });
    }
  }

  /** The second signal: containers are killed, and nothing else is waited for. */
  private void endNow() {
    Thread.ofPlatform().daemon().start(() -> haltAfter(KILL_PATIENCE));
    EmbeddedServer ending = running;
    if (ending != null) {
      ending.killContainers();
    }
    Runtime.getRuntime().halt(130);
  }

  private static void haltAfter(Duration patience) {
    try {
      Thread.sleep(patience);
    } catch (InterruptedException early) {
      Thread.currentThread().interrupt();
    }
    Runtime.getRuntime().halt(130);
  }

  /** Whatever hangs, the process ends. */
  private static void endAtLast() {
    Thread.ofVirtual()
        .start(
            () -> {
              try {
                Thread.sleep(END_PATIENCE);
              } catch (InterruptedException early) {
                Thread.currentThread().interrupt();
                return;
              }
              System.err.println("Not everything ended in time; ending anyway.");
              Runtime.getRuntime().halt(1);
            });
  }
}
