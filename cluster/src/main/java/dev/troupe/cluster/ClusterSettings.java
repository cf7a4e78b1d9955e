package dev.troupe.cluster;

import com.typesafe.config.Config;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.util.List;

/**
 * Section {@code troupe.cluster}.
 *
 * @param host address other processes of the cluster reach this one at
 * @param port their port; 0 lets the system choose
 * @param tls whether its words are encrypted: {@code on}, {@code off}, or {@code auto}, which is on
 *     outside loopback
 * @param seeds addresses {@code host:port} of members to join; empty: this process is the first
 */
public record ClusterSettings(String host, int port, String tls, List<String> seeds) {

  /** Reads the section. */
  public static ClusterSettings from(Config troupe) {
    Config section = troupe.getConfig("cluster");
    return new ClusterSettings(
        section.getString("host"), section.getInt("port"), section.getString("tls"), List.of());
  }

  /** With a port that is known before the process listens there: a free one, where none is set. */
  public ClusterSettings withPort() {
    if (port != 0) {
      return this;
    }
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getByName(host))) {
      return new ClusterSettings(host, free.getLocalPort(), tls, seeds);
    } catch (IOException failure) {
      throw new UncheckedIOException(
          "troupe.cluster.host: nothing can listen at %s".formatted(host), failure);
    }
  }

  /** With members to join. */
  public ClusterSettings joining(List<String> members) {
    return new ClusterSettings(host, port, tls, List.copyOf(members));
  }

  /** Where other processes reach this one, {@code host:port}. */
  public String address() {
    return host + ":" + port;
  }

  /** Whether what members say to each other is encrypted, and each must prove to be one. */
  public boolean isSecured() {
    return switch (tls) {
      case "on" -> true;
      case "off" -> false;
      case "auto" -> !isLoopback();
      default ->
          throw new IllegalArgumentException(
              "troupe.cluster.tls is \"%s\" and must be auto, on or off".formatted(tls));
    };
  }

  private boolean isLoopback() {
    try {
      return InetAddress.getByName(host).isLoopbackAddress();
    } catch (UnknownHostException later) {
      return false;
    }
  }
}
