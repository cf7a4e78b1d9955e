package dev.troupe.gateway;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * Section {@code troupe.gateway}; {@code reference.conf} says what each is.
 *
 * @param port 0 for any free one
 */
public record GatewaySettings(
    String host,
    int port,
    Duration admissionPatience,
    Duration blobLinkValidity,
    Duration drainPatience) {

  /** Reads the section. */
  public static GatewaySettings from(Config troupe) {
    Config section = troupe.getConfig("gateway");
    return new GatewaySettings(
        section.getString("host"),
        section.getInt("port"),
        section.getDuration("admission-patience"),
        section.getDuration("blob-link-validity"),
        section.getDuration("drain-patience"));
  }
}
