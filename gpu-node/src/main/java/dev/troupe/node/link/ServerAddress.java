package dev.troupe.node.link;

import dev.troupe.protocol.link.NodeLinkWire;
import java.net.URI;

/**
 * Where a server is, and who this machine is to it.
 *
 * @param url {@code http} or {@code https}, a host, and a port where it is not the usual one
 * @param machineId the name that the machine was enrolled under
 * @param token the secret that it was enrolled with
 */
public record ServerAddress(URI url, String machineId, String token) {

  private static final int HTTP_PORT = 80;
  private static final int HTTPS_PORT = 443;

  public ServerAddress {
    String scheme = url.getScheme();
    boolean good = "http".equals(scheme) || "https".equals(scheme);
    if (!good || url.getHost() == null) {
      throw new IllegalArgumentException(
          "'%s' is no address of a server: http://HOST:PORT is".formatted(url));
    }
  }

  boolean isSecure() {
    return "https".equals(url.getScheme());
  }

  String host() {
    return url.getHost();
  }

  int port() {
    int given = url.getPort();
    return given >= 0 ? given : isSecure() ? HTTPS_PORT : HTTP_PORT;
  }

  /** The address of a path on the server. */
  URI resolve(String target) {
    return URI.create("%s://%s:%d%s".formatted(url.getScheme(), host(), port(), target));
  }

  /** The value of the header that proves it. */
  String authorization() {
    return NodeLinkWire.BEARER + token;
  }

  /** Without the secret, which belongs in no log. */
  @Override
  public String toString() {
    return url + " as " + machineId;
  }
}
