package dev.troupe.launcher;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigValueFactory;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The configuration of a start: a user's file over every module's {@code reference.conf}, and the
 * command's flags over both.
 */
final class LauncherSettings {

  private static final String HOST = "troupe.gateway.host";
  private static final String PORT = "troupe.gateway.port";
  private static final String MACHINE_PORT = "troupe.gateway.machine-port";
  private static final String AGENT_DATA = "troupe.agent.data-directory";
  private static final String AGENT_ENABLED = "troupe.agent.enabled";
  private static final String AGENT_MACHINE = "troupe.agent.machine";

  private LauncherSettings() {}

  /** Where a server listens, by its flags; null where a flag was not given. */
  record Listening(@Nullable String host, @Nullable Integer port, @Nullable Integer machinePort) {

    /** Where the settings say. */
    static final Listening BY_SETTINGS = new Listening(null, null, null);

    /** Any free ports of this machine's own address. */
    static final Listening ANYWHERE = new Listening(null, 0, 0);
  }

  /**
   * Reads that of a server. {@code file} is null where the flag was not given.
   *
   * @param withAgent whether a setting alone may keep it from running containers here
   */
  static Config load(Path data, Listening at, @Nullable Path file, boolean withAgent) {
    Config flags = with(ConfigFactory.empty(), AGENT_DATA, data.resolve("agent").toString());
    if (!withAgent) {
      flags = with(flags, AGENT_ENABLED, false);
    }
    if (at.host() != null) {
      flags = with(flags, HOST, at.host());
    }
    flags = withPort(flags, PORT, at.port());
    return over(withPort(flags, MACHINE_PORT, at.machinePort()), file);
  }

  private static Config withPort(Config flags, String key, @Nullable Integer port) {
    if (port == null) {
      return flags;
    }
    if (port < 0 || port > 65_535) {
      throw new Refusal(
          "There is no port %d: ports go from 1 to 65535, and 0 takes any free one."
              .formatted(port));
    }
    return with(flags, key, port);
  }

  /** Reads that of an agent in a process of its own. */
  static Config loadAgent(Path data, String machine, @Nullable Path file) {
    Config flags = with(ConfigFactory.empty(), AGENT_DATA, data.toString());
    return over(with(flags, AGENT_MACHINE, machine), file);
  }

  private static Config with(Config config, String key, Object value) {
    return config.withValue(key, ConfigValueFactory.fromAnyRef(value));
  }

  private static Config over(Config flags, @Nullable Path file) {
    try {
      Config own = file == null ? ConfigFactory.empty() : ConfigFactory.parseFile(existing(file));
      return flags.withFallback(own).withFallback(ConfigFactory.defaultReference()).resolve();
    } catch (ConfigException wrong) {
      throw new Refusal("The settings can't be read: " + wrong.getMessage());
    }
  }

  private static File existing(Path file) {
    if (!Files.isReadable(file)) {
      throw new Refusal("There is no readable settings file " + file + ".");
    }
    return file.toFile();
  }
}
