package dev.troupe.gateway;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * Section {@code troupe.gateway}; {@code reference.conf} says what each is.
 *
 * @param port 0 for any free one
 * @param givenMachineHost where machines dial; empty: the host
 * @param givenMachinePort a number, or auto: the one after the port
 */
public record GatewaySettings(
    String host,
    int port,
    String givenMachineHost,
    String givenMachinePort,
    Duration admissionPatience,
    Duration blobLinkValidity,
    Duration drainPatience) {

  /** Address that machines dial. */
  public String machineHost() {
    return givenMachineHost.isEmpty() ? host : givenMachineHost;
  }

  /**
   * Port that machines dial, where clients have {@code bound}; 0 for any free one. It stays the
   * same over restarts, as the port of clients does.
   */
  public int machinePort(int bound) {
    if (!givenMachinePort.equals("auto")) {
      return Integer.parseInt(givenMachinePort);
    }
    return port == 0 || bound == 65_535 ? 0 : bound + 1;
  }

  /** Reads the section. */
  public static GatewaySettings from(Config troupe) {
    Config section = troupe.getConfig("gateway");
    return new GatewaySettings(
        section.getString("host"),
        section.getInt("port"),
        section.getString("machine-host"),
        section.getString("machine-port"),
        section.getDuration("admission-patience"),
        section.getDuration("blob-link-validity"),
        section.getDuration("drain-patience"));
  }
}
