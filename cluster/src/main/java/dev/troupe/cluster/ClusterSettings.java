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
 * @param seeds addresses {@code host:port} of members to join; empty: this process is the first
 */
public record ClusterSettings(String host, int port, List<String> seeds) {

  /** Reads the section. */
  public static ClusterSettings from(Config troupe) {
    Config section = troupe.getConfig("cluster");
    return new ClusterSettings(section.getString("host"), section.getInt("port"), List.of());
  }

  /** With a port that is known before the process listens there: a free one, where none is set. */
  public ClusterSettings withPort() {
    if (port != 0) {
      return this;
    }
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getByName(host))) {
      return new ClusterSettings(host, free.getLocalPort(), seeds);
    } catch (IOException failure) {
      throw new UncheckedIOException(
          "troupe.cluster.host: nothing can listen at %s".formatted(host), failure);
    }
  }

  /** With members to join. */
  public ClusterSettings joining(List<String> members) {
    return new ClusterSettings(host, port, List.copyOf(members));
  }

  /** Where other processes reach this one, {@code host:port}. */
  public String address() {
    return host + ":" + port;
  }

  /** Whether only processes of this machine reach this one. */
  public boolean isLoopback() {
    try {
      return InetAddress.getByName(host).isLoopbackAddress();
    } catch (UnknownHostException later) {
      return false;
    }
  }
}
