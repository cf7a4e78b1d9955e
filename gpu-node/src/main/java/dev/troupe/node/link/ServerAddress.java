package dev.troupe.node.link;

import dev.troupe.cluster.tls.Identity;
import dev.troupe.cluster.tls.Purpose;
import dev.troupe.cluster.tls.Tls;
import java.net.URI;
import javax.net.ssl.SSLContext;

/**
 * Where the port of machines of a server is, and who this machine is to it.
 *
 * @param identity the certificate that the machine was given when it joined, and its key
 */
public record ServerAddress(String host, int port, Identity identity) {

  /** TLS to the server. */
  SSLContext tls() {
    return Tls.of(identity, Purpose.MACHINE_PORT);
  }

  /** The address of a path on the server. */
  URI resolve(String target) {
    return URI.create("https://%s:%d%s".formatted(host, port, target));
  }

  @Override
  public String toString() {
    return "%s:%d as %s".formatted(host, port, identity);
  }
}
