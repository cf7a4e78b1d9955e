package dev.troupe.node.network;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The machine's IPv4 routes.
 *
 * @param routes as {@code /proc/net/route} lists them
 */
record RoutingTable(List<Route> routes) {

  private static final int ORDINARY_MTU = 1500;

  record Route(String device, long destination, long mask) {}

  static RoutingTable ofThisMachine() throws IOException {
    return parse(Files.readAllLines(Path.of("/proc/net/route")));
  }

  static RoutingTable parse(List<String> lines) {
    return new RoutingTable(
        lines.stream()
            .skip(1)
            .map(line -> line.strip().split("\\s+", 9))
            .filter(fields -> fields.length >= 8)
            .map(fields -> new Route(fields[0], number(fields[1]), number(fields[7])))
            .toList());
  }

  /** The table writes addresses in hexadecimal, in the order of this machine's memory. */
  private static long number(String text) {
    return Integer.toUnsignedLong(Integer.reverseBytes(Integer.parseUnsignedInt(text, 16)));
  }

  boolean overlaps(Subnet subnet) {
    return routes.stream().anyMatch(route -> subnet.overlaps(route.destination(), route.mask()));
  }

  /** Size of packets on the machine's default route. */
  int mtuOfTheWayOut() throws IOException {
    for (Route route : routes) {
      Path mtu = Path.of("/sys/class/net", route.device(), "mtu");
      if (route.mask() == 0 && Files.exists(mtu)) {
        return Integer.parseInt(Files.readString(mtu).strip());
      }
    }
    return ORDINARY_MTU;
  }
}
