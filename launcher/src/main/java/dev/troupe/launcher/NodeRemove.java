package dev.troupe.launcher;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Forgets a machine. */
@Command(
    name = "remove",
    description = {
      "Forgets a machine whose agent has gone: what it held is free, what ran there runs elsewhere,"
          + " and its certificate is worth nothing any more. Run where the server is."
    },
    mixinStandardHelpOptions = true)
final class NodeRemove implements Callable<Integer> {

  @Parameters(paramLabel = "ID", description = "The machine; ./troupe nodes lists them.")
  private String machine = "";

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "The server's data directory (default: ${DEFAULT-VALUE}).",
      defaultValue = "data")
  private Path data = Path.of("data");

  @Option(names = "--json", description = "Prints JSON.")
  private boolean json;

  @Override
  public Integer call() throws InterruptedException {
    JsonNode answer =
        new AdminClient(data).post("nodes/%s/remove".formatted(NodeDrain.encoded(machine)));
    System.out.println(json ? answer.toString() : "Machine %s is removed.".formatted(machine));
    return 0;
  }
}
