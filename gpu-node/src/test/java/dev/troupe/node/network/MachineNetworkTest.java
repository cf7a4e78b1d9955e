package dev.troupe.node.network;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.troupe.node.linux.Command;
import dev.troupe.node.network.NetworkPlan.Sandbox;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Real namespaces and rules. Needs root. */
@Tag("machine")
@Timeout(60)
class MachineNetworkTest {

  private static final String SERVER = "7e570001";
  private static final Duration LIMIT = Duration.ofSeconds(10);

  private static boolean reaches(Sandbox sandbox, String address, int port) throws IOException {
    String script = "exec 3<>/dev/tcp/" + address + "/" + port;
    return Command.execute(
                LIMIT,
                "",
                List.of(
                    "ip",
                    "netns",
                    "exec",
                    sandbox.namespace(),
                    "timeout",
                    "2",
                    "bash",
                    "-c",
                    script),
                Map.of(),
                _ -> {})
            .exitCode()
        == 0;
  }

  private static HttpServer listener(String address) throws IOException {
    HttpServer server = HttpServer.create(new InetSocketAddress(address, 0), 0);
    server.createContext(
        "/",
        exchange -> {
          exchange.sendResponseHeaders(200, 2);
          exchange.getResponseBody().write("ok".getBytes(StandardCharsets.UTF_8));
          exchange.close();
        });
    server.start();
    return server;
  }

  @Test
  void containersReachBlobHttpAndNothingElseOfTheMachine(@TempDir Path shared) throws Exception {
    try (MachineNetwork network = MachineNetwork.open(SERVER, shared)) {
      HttpServer blobs = listener(NetworkPlan.GATEWAY);
      HttpServer other = listener("0.0.0.0");
      network.admit(blobs.getAddress().getPort());
      Sandbox open = network.create(true);
      Sandbox blocked = network.create(false);
      try {
        for (Sandbox sandbox : List.of(open, blocked)) {
          assertThat(reaches(sandbox, NetworkPlan.GATEWAY, blobs.getAddress().getPort())).isTrue();
          assertThat(reaches(sandbox, NetworkPlan.GATEWAY, other.getAddress().getPort())).isFalse();
        }
        assertThat(reaches(open, ownAddress(), other.getAddress().getPort())).isFalse();
        assertThat(open.address()).isNotEqualTo(blocked.address());
      } finally {
        blobs.stop(0);
        other.stop(0);
      }
    }
    assertNothingLeft();
  }

  private static String ownAddress() throws IOException {
    return Command.run(LIMIT, "hostname", "-I").split(" ", 2)[0].strip();
  }

  @Test
  void aPoolKeepsBothKindsReady(@TempDir Path shared) throws Exception {
    try (MachineNetwork network = MachineNetwork.open(SERVER, shared)) {
      network.admit(1);
      SandboxPool pool = new SandboxPool(network, 1);
      Sandbox first = pool.lease(true);
      Sandbox second = pool.lease(true);
      Sandbox third = pool.lease(false);
      assertThat(List.of(first.number(), second.number(), third.number())).doesNotHaveDuplicates();
      assertThat(Files.readString(Path.of("/proc/sys/net/ipv4/ip_forward")).strip()).isEqualTo("1");
      pool.release(first);
      pool.close();
    }
    assertNothingLeft();
  }

  @Test
  void whatAKilledServerLeftIsSwept(@TempDir Path shared) throws Exception {
    MachineNetwork killed = MachineNetwork.open(SERVER, shared);
    killed.admit(1);
    killed.create(true);

    MachineNetwork.open(SERVER, shared).close();

    assertNothingLeft();
  }

  private static void assertNothingLeft() throws IOException {
    try (var names = Files.list(Path.of("/sys/class/net"))) {
      assertThat(names.map(Path::toString)).noneMatch(name -> name.contains(SERVER));
    }
    assertThat(Command.run(LIMIT, "nft", "list", "tables")).doesNotContain(SERVER);
    assertThat(Command.run(LIMIT, "ip", "netns", "list")).doesNotContain(SERVER);
  }
}
