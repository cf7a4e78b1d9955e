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

  private LauncherSettings() {}

  /** Reads it. {@code port} and {@code file} are null where the flag was not given. */
  static Config load(Path data, @Nullable Integer port, @Nullable Path file) {
    Config flags =
        ConfigFactory.empty()
            .withValue(
                "troupe.agent.data-directory",
                ConfigValueFactory.fromAnyRef(data.resolve("agent").toString()));
    if (port != null) {
      if (port < 0 || port > 65_535) {
        throw new Refusal(
            "There is no port %d: ports go from 1 to 65535, and 0 takes any free one."
                .formatted(port));
      }
      flags = flags.withValue("troupe.gateway.port", ConfigValueFactory.fromAnyRef(port));
    }
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
