package dev.troupe.cluster;

import com.typesafe.config.Config;
import java.util.List;

/**
 * Section {@code troupe.cluster}.
 *
 * @param host address other processes of the cluster reach this one at
 * @param port their port; 0 lets the system choose, which suits one process alone
 * @param seeds addresses {@code host:port} of members to join; empty: this process is the first
 */
public record ClusterSettings(String host, int port, List<String> seeds) {

  /** Reads the section. */
  public static ClusterSettings from(Config troupe) {
    Config section = troupe.getConfig("cluster");
    return new ClusterSettings(
        section.getString("host"), section.getInt("port"), section.getStringList("seeds"));
  }
}
