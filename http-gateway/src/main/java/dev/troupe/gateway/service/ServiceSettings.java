package dev.troupe.gateway.service;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * Section {@code troupe.services}.
 *
 * @param workspace name of the one workspace that a server has
 * @param defaultEnvironment the environment that exists from the start
 * @param imageBuilderVersion builder version of environments; clients refuse one they do not know
 * @param inlineLimit bytes of an input or output that are kept in a row; more go to a blob
 * @param messageLimit bytes of inputs or outputs in one message to an entity
 * @param uploadLimit bytes a blob may have
 * @param askTimeout how long an entity may take to answer what it answers at once
 * @param renewal how long an entity is asked to hold a long poll until the poll is renewed
 */
public record ServiceSettings(
    String workspace,
    String defaultEnvironment,
    String imageBuilderVersion,
    int inlineLimit,
    int messageLimit,
    long uploadLimit,
    Duration askTimeout,
    Duration renewal) {

  /** Reads the section. */
  public static ServiceSettings from(Config troupe) {
    Config section = troupe.getConfig("services");
    return new ServiceSettings(
        section.getString("workspace"),
        section.getString("default-environment"),
        section.getString("image-builder-version"),
        Math.toIntExact(section.getBytes("inline-limit")),
        Math.toIntExact(section.getBytes("message-limit")),
        section.getBytes("upload-limit"),
        section.getDuration("ask-timeout"),
        section.getDuration("renewal"));
  }
}
