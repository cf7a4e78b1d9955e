package dev.troupe.node.network;

import dev.troupe.node.linux.Command;
import dev.troupe.node.network.NetworkPlan.Sandbox;
import dev.troupe.node.network.SharedLocks.Held;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The network of one server's containers on this machine: made at start, taken away at the end, and
 * whatever a dead predecessor left of it swept in between.
 */
public final class MachineNetwork implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(MachineNetwork.class);
  private static final Duration COMMAND_LIMIT = Duration.ofSeconds(30);
  private static final Path INTERFACES = Path.of("/sys/class/net");

  private final NetworkPlan plan;
  private final Held subnetLock;
  private final IpForwarding forwarding;
  private final BitSet numbers = new BitSet();

  private MachineNetwork(NetworkPlan plan, Held subnetLock, IpForwarding forwarding) {
    this.plan = plan;
    this.subnetLock = subnetLock;
    this.forwarding = forwarding;
  }

  /**
   * Sweeps, then makes the address at which containers reach the machine.
   *
   * @param server eight digits that tell this server's things from another's
   * @param shared folder of locks of all servers of the machine
   */
  public static MachineNetwork open(String server, Path shared) throws IOException {
    IpForwarding forwarding = IpForwarding.ofThisMachine(shared, server);
    sweep(new NetworkPlan(server, new Subnet(0), 1500));
    forwarding.sweep();
    RoutingTable routes = RoutingTable.ofThisMachine();
    int preferred = Integer.parseUnsignedInt(server, 16);
    for (int i = 0; i < Subnet.COUNT; i++) {
      Subnet subnet = new Subnet(Integer.remainderUnsigned(preferred + i, Subnet.COUNT));
      if (routes.overlaps(subnet)) {
        continue;
      }
      Held lock = SharedLocks.tryLock(shared.resolve("subnets").resolve("" + subnet.block()));
      if (lock != null) {
        NetworkPlan plan = new NetworkPlan(server, subnet, routes.mtuOfTheWayOut());
        ip(plan.gatewayUp());
        return new MachineNetwork(plan, lock, forwarding);
      }
    }
    throw new IOException("no block of 10.213.0.0/16 is free for containers");
  }

  /** Puts the rules in place: from now on containers may reach blob HTTP at this port. */
  public void admit(int blobPort) throws IOException {
    Command.run(COMMAND_LIMIT, plan.rules(blobPort), List.of("nft", "-f", "-"));
  }

  /** Makes a sandbox; some milliseconds, so better ahead of need: {@link SandboxPool}. */
  Sandbox create(boolean open) throws IOException {
    Sandbox sandbox = plan.sandbox(takeNumber(), open);
    try {
      ip(plan.machineSide(sandbox));
      Command.run(
          COMMAND_LIMIT,
          plan.containerSide(sandbox),
          List.of("ip", "-n", sandbox.namespace(), "-batch", "-"));
      return sandbox;
    } catch (IOException failure) {
      remove(sandbox);
      throw failure;
    }
  }

  /** Takes a sandbox away; one that is half there, too. */
  void remove(Sandbox sandbox) {
    try {
      Command.run(COMMAND_LIMIT, plan.removal(sandbox), List.of("ip", "-force", "-batch", "-"));
    } catch (IOException partly) {
      LOG.debug("sandbox {} was not all there", sandbox.namespace(), partly);
    }
    synchronized (numbers) {
      numbers.clear(sandbox.number());
    }
  }

  /** A container with a way out begins. */
  void wayOutNeeded() throws IOException {
    forwarding.acquire();
  }

  /** A container with a way out is gone. */
  void wayOutSpared() throws IOException {
    forwarding.release();
  }

  private int takeNumber() throws IOException {
    synchronized (numbers) {
      int number = numbers.nextClearBit(Subnet.FIRST);
      if (number > Subnet.LAST) {
        throw new IOException("all addresses for containers of this machine are in use");
      }
      numbers.set(number);
      return number;
    }
  }

  @Override
  public void close() throws IOException {
    sweep(plan);
    subnetLock.close();
  }

  private static void sweep(NetworkPlan plan) throws IOException {
    List<String> batch = new ArrayList<>();
    for (String name : names(INTERFACES, plan.interfacePrefix())) {
      batch.add("link del " + name);
    }
    for (String name : names(Path.of(NetworkPlan.NAMESPACES), plan.namespacePrefix())) {
      batch.add("netns del " + name);
    }
    if (!batch.isEmpty()) {
      Command.execute(
          COMMAND_LIMIT,
          String.join("\n", batch) + "\n",
          List.of("ip", "-force", "-batch", "-"),
          java.util.Map.of(),
          _ -> {});
    }
    // Deleting what may not be there: adding it first makes the two lines always true.
    String table = "inet " + plan.table();
    Command.run(
        COMMAND_LIMIT,
        "add table %1$s%ndelete table %1$s%n".formatted(table),
        List.of("nft", "-f", "-"));
  }

  private static List<String> names(Path folder, String prefix) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries
          .map(entry -> entry.getFileName().toString())
          .filter(name -> name.startsWith(prefix))
          .toList();
    } catch (NoSuchFileException never) {
      return List.of();
    }
  }

  private static void ip(String batch) throws IOException {
    Command.run(COMMAND_LIMIT, batch, List.of("ip", "-batch", "-"));
  }
}
