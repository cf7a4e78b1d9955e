package dev.troupe.launcher;

import dev.troupe.cluster.ClusterToken;
import dev.troupe.persistence.vault.KeyFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Prints a new token for another process of the cluster. */
@Command(
    name = "cluster",
    description = {
      "Prints a new token with which another server process joins the cluster of this data"
          + " directory. Who has it can get all keys of the cluster until it expires.",
      "The other one joins with: troupe-server up --join HOST:PORT --token TOKEN"
    },
    mixinStandardHelpOptions = true)
final class MakeClusterToken implements Callable<Integer> {

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "The data directory of a server of the cluster (default: ${DEFAULT-VALUE}).",
      defaultValue = "data")
  private Path data = Path.of("data");

  @Option(
      names = "--minutes",
      paramLabel = "N",
      description = "How long it is good for (default: ${DEFAULT-VALUE}).",
      defaultValue = "60")
  private int minutes = 60;

  @Override
  public Integer call() throws IOException {
    Path root = data.toAbsolutePath().normalize();
    byte[] key =
        KeyFiles.isSettled(root) ? KeyFiles.all(root).get(KeyFiles.SERVER_KEY) : new byte[0];
    if (key == null || key.length == 0) {
      throw new Refusal("%s is no data directory of a server.".formatted(root));
    }
    Duration valid = Duration.ofMinutes(minutes);
    System.out.println(ClusterToken.make(key, Instant.now(), valid).text());
    return 0;
  }
}
