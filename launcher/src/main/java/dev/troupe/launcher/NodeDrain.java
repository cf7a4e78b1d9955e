package dev.troupe.launcher;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Lets a machine leave. */
@Command(
    name = "drain",
    description = {
      "Moves work away from a machine and lets it leave: it takes no new containers, running calls"
          + " end there, the rest goes elsewhere. Returns once its agent has gone.",
      "Run where the server is."
    },
    mixinStandardHelpOptions = true)
final class NodeDrain implements Callable<Integer> {

  private static final Duration LOOK_AGAIN = Duration.ofMillis(500);

  @Parameters(paramLabel = "ID", description = "The machine; ./troupe nodes lists them.")
  private String machine = "";

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "The server's data directory (default: ${DEFAULT-VALUE}).",
      defaultValue = "data")
  private Path data = Path.of("data");

  @Option(names = "--no-wait", description = "Returns at once.")
  private boolean noWait;

  @Option(names = "--json", description = "Prints JSON.")
  private boolean json;

  @Override
  public Integer call() throws InterruptedException {
    AdminClient server = new AdminClient(data);
    server.post("nodes/%s/drain".formatted(encoded(machine)));
    String state = "draining";
    if (!json) {
      System.out.printf("Machine %s takes nothing new.%n", machine);
    }
    while (!noWait && !state.equals("away")) {
      Thread.sleep(LOOK_AGAIN);
      state = state(server.get("nodes"));
    }
    if (json) {
      ObjectNode answer = JsonNodeFactory.instance.objectNode();
      System.out.println(answer.put("id", machine).put("state", noWait ? state : "left"));
    } else if (!noWait) {
      System.out.printf(
          "Machine %s has left. It may come back by its next start; to forget it: ./troupe node"
              + " remove %s%n",
          machine, machine);
    }
    return 0;
  }

  static String encoded(String machine) {
    return URLEncoder.encode(machine, StandardCharsets.UTF_8);
  }

  private String state(JsonNode nodes) {
    for (JsonNode each : nodes.get("machines")) {
      if (each.get("id").asText().equals(machine)) {
        return each.get("state").asText();
      }
    }
    return "away";
  }
}
