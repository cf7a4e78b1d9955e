package dev.troupe.gateway.auth;

import dev.troupe.protocol.link.NodeLinkWire;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpRequest;

/** Who a request of a machine says it is from, and its proof; empty where they are not sent. */
public record MachineHeaders(String machineId, String token) {

  /** Reads them. */
  public static MachineHeaders of(HttpRequest request) {
    String authorization = header(request, NodeLinkWire.AUTHORIZATION);
    return new MachineHeaders(
        header(request, NodeLinkWire.MACHINE),
        authorization.startsWith(NodeLinkWire.BEARER)
            ? authorization.substring(NodeLinkWire.BEARER.length())
            : "");
  }

  private static String header(HttpRequest request, String name) {
    return request.getHeader(name).map(HttpHeader::value).orElse("");
  }
}
