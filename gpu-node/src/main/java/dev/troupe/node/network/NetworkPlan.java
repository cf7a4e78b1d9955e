package dev.troupe.node.network;

import java.util.Locale;

/**
 * The network of one server's containers, as text for {@code ip -batch} and {@code nft -f}: pure.
 *
 * <p>Every container has a network namespace of its own, joined to the machine by a veth pair. On
 * its link it reaches {@value #GATEWAY}, where the machine answers blob HTTP and nothing else. An
 * <em>open</em> sandbox also has a default route, by which it leaves the machine under the
 * machine's address; a <em>blocked</em> one has none, and the rules drop what it might still send.
 *
 * @param server the server's eight digits: first part of every name here
 * @param subnet of its containers
 * @param mtu of the machine's way out
 */
public record NetworkPlan(String server, Subnet subnet, int mtu) {

  /** Where a container reaches the machine. */
  public static final String GATEWAY = "169.254.77.1";

  static final String NAMESPACES = "/run/netns";

  /** Name of the rules' table. */
  String table() {
    return "troupe_" + server;
  }

  /** Name of the interface that holds {@link #GATEWAY}. */
  String gatewayInterface() {
    return "tr" + server + "d";
  }

  /** Start of the names of all interfaces of this server. */
  String interfacePrefix() {
    return "tr" + server;
  }

  /** Start of the names of all network namespaces of this server. */
  String namespacePrefix() {
    return "troupe-" + server + "-";
  }

  /** A sandbox's name, address and way out, from its number. */
  Sandbox sandbox(int number, boolean open) {
    return new Sandbox(number, namespacePrefix() + number, subnet.address(number), open);
  }

  private String hostInterface(Sandbox sandbox) {
    return interfacePrefix() + (sandbox.open() ? "o" : "b") + sandbox.number();
  }

  private static String mac(Sandbox sandbox, int end) {
    int number = sandbox.number();
    return String.format(Locale.ROOT, "02:54:52:%02x:%02x:%02x", end, number >> 8, number & 0xff);
  }

  /**
   * Makes the interface that holds the gateway address. A pair, of which one end is idle: the
   * simpler dummy interface is missing from some kernels, and pairs are needed anyway.
   */
  String gatewayUp() {
    return """
    link add %1$s type veth peer name %1$sx
    link set %1$s addrgenmode none
    address add %2$s/32 dev %1$s
    link set %1$s up
    """
        .formatted(gatewayInterface(), GATEWAY);
  }

  /** The machine's side of a sandbox. */
  String machineSide(Sandbox sandbox) {
    return """
    netns add %1$s
    link add %2$s mtu %3$d address %4$s type veth peer name eth0 netns %1$s mtu %3$d address %5$s
    link set %2$s addrgenmode none
    link set %2$s up
    neighbour add %6$s lladdr %5$s dev %2$s nud permanent
    route add %6$s/32 dev %2$s
    """
        .formatted(
            sandbox.namespace(),
            hostInterface(sandbox),
            mtu,
            mac(sandbox, 1),
            mac(sandbox, 2),
            sandbox.address());
  }

  /** The container's side, to be carried out in its namespace. */
  String containerSide(Sandbox sandbox) {
    String inside =
        """
        link set lo up
        link set eth0 addrgenmode none
        address add %1$s/32 dev eth0
        neighbour add %2$s lladdr %3$s dev eth0 nud permanent
        link set eth0 up
        route add %2$s/32 dev eth0 src %1$s
        """
            .formatted(sandbox.address(), GATEWAY, mac(sandbox, 1));
    return sandbox.open()
        ? inside
            + "route add default via %s dev eth0 onlink src %s%n"
                .formatted(GATEWAY, sandbox.address())
        : inside;
  }

  /** Takes a sandbox away; its veth pair goes with either side, at once by this one. */
  String removal(Sandbox sandbox) {
    return """
    link del %s
    netns del %s
    """
        .formatted(hostInterface(sandbox), sandbox.namespace());
  }

  /**
   * What may pass: containers to blob HTTP on the machine, open ones out; no forged senders, no
   * IPv6, nothing between containers, nothing else to the machine, nothing in but answers.
   */
  String rules(int blobPort) {
    return """
    table inet %1$s {
      chain arriving {
        type filter hook prerouting priority -150; policy accept;
        iifname "%2$s*" meta nfproto ipv6 drop
        iifname "%2$s*" fib saddr . iif oif missing drop
      }
      chain to_machine {
        type filter hook input priority 0; policy accept;
        iifname "%2$s*" ip daddr %3$s tcp dport %4$d accept
        iifname "%2$s*" drop
      }
      chain through_machine {
        type filter hook forward priority 0; policy accept;
        iifname "%2$sb*" drop
        iifname "%2$s*" oifname "%2$s*" drop
        oifname "%2$s*" ct state established,related accept
        oifname "%2$s*" drop
      }
      chain leaving {
        type nat hook postrouting priority 100; policy accept;
        ip saddr %5$s oifname != "%2$s*" masquerade
      }
    }
    """
        .formatted(table(), interfacePrefix(), GATEWAY, blobPort, subnet);
  }

  /**
   * A container's network, ready to be entered.
   *
   * @param number tells it from the server's others
   * @param namespace name of its network namespace
   * @param open whether it has a way out
   */
  public record Sandbox(int number, String namespace, String address, boolean open) {

    /** Where a runtime enters it. */
    public java.nio.file.Path path() {
      return java.nio.file.Path.of(NAMESPACES, namespace);
    }
  }
}
