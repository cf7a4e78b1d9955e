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

  private static final String PORT = "troupe.gateway.port";
  private static final String AGENT_DATA = "troupe.agent.data-directory";
  private static final String AGENT_ENABLED = "troupe.agent.enabled";
  private static final String AGENT_MACHINE = "troupe.agent.machine";

  private LauncherSettings() {}

  /**
   * Reads that of a server. {@code port} and {@code file} are null where the flag was not given.
   *
   * @param withAgent whether a setting alone may keep it from running containers here
   */
  static Config load(Path data, @Nullable Integer port, @Nullable Path file, boolean withAgent) {
    Config flags = with(ConfigFactory.empty(), AGENT_DATA, data.resolve("agent").toString());
    if (!withAgent) {
      flags = with(flags, AGENT_ENABLED, false);
    }
    if (port != null) {
      if (port < 0 || port > 65_535) {
        throw new Refusal(
            "There is no port %d: ports go from 1 to 65535, and 0 takes any free one."
                .formatted(port));
      }
      flags = with(flags, PORT, port);
    }
    return over(flags, file);
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
