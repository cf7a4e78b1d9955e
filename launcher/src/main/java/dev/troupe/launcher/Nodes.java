package dev.troupe.launcher;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Lists machines, what runs on them, members and who waits. */
@Command(
    name = "nodes",
    description =
        "Lists the machines with what they have and run, the server's processes, and who waits.",
    mixinStandardHelpOptions = true)
final class Nodes implements Callable<Integer> {

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "The server's data directory (default: ${DEFAULT-VALUE}).",
      defaultValue = "data")
  private Path data = Path.of("data");

  @Option(names = "--json", description = "Prints JSON.")
  private boolean json;

  @Override
  public Integer call() throws InterruptedException, IOException {
    JsonNode nodes = new AdminClient(data).get("nodes");
    System.out.print(
        json
            ? new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(nodes) + "\n"
            : text(nodes, Instant.now()));
    return 0;
  }

  /** What a user reads. */
  static String text(JsonNode nodes, Instant now) {
    StringBuilder text = new StringBuilder();
    List<List<String>> machines = new ArrayList<>();
    machines.add(
        List.of(
            "MACHINE",
            "STATE",
            "SINCE",
            "CPU FREE",
            "MEMORY FREE",
            "DISK FREE",
            "GPUS FREE",
            "LOAD",
            "CONTAINERS"));
    List<List<String>> containers = new ArrayList<>();
    containers.add(List.of("CONTAINER", "MACHINE", "APP", "FUNCTION", "STATE", "SINCE"));
    for (JsonNode machine : nodes.get("machines")) {
      machines.add(machine(machine, now));
      for (JsonNode container : machine.get("containers")) {
        containers.add(
            List.of(
                container.get("task").asText(),
                machine.get("id").asText(),
                either(container, "app"),
                either(container, "function"),
                container.get("state").asText(),
                ago(container, now)));
      }
    }
    List<List<String>> members = new ArrayList<>();
    members.add(List.of("PROCESS", "STATE", "ROLES"));
    for (JsonNode member : nodes.get("members")) {
      List<String> roles = new ArrayList<>();
      member.get("roles").forEach(role -> roles.add(role.asText()));
      members.add(
          List.of(
              member.get("address").asText(),
              member.get("state").asText(),
              String.join(", ", roles)));
    }
    List<List<String>> waiting = new ArrayList<>();
    waiting.add(List.of("WAITING", "POSITION", "APP", "FUNCTION", "SINCE", "REASON"));
    for (JsonNode waiter : nodes.get("waiting")) {
      waiting.add(
          List.of(
              waiter.get("pool").asText(),
              waiter.get("position").asText(),
              either(waiter, "app"),
              either(waiter, "function"),
              ago(waiter, now),
              waiter.get("reason").asText()));
    }
    for (List<List<String>> table : List.of(machines, containers, waiting, members)) {
      if (table.size() > 1) {
        text.append(text.isEmpty() ? "" : "\n").append(table(table));
      }
    }
    return text.toString();
  }

  private static List<String> machine(JsonNode machine, Instant now) {
    List<String> gpus = new ArrayList<>();
    for (JsonNode gpu : machine.get("gpus")) {
      gpus.add(
          "%s %d/%d"
              .formatted(
                  gpu.get("type").asText(), gpu.get("free").asInt(), gpu.get("total").asInt()));
    }
    JsonNode cpu = machine.get("cpu");
    return List.of(
        machine.get("id").asText(),
        machine.get("state").asText(),
        ago(machine, now),
        String.format(
            Locale.ROOT, "%.1f/%.0f", cpu.get("free").asDouble(), cpu.get("total").asDouble()),
        bytes(machine.get("memory")),
        bytes(machine.get("disk")),
        gpus.isEmpty() ? "-" : String.join(", ", gpus),
        String.format(Locale.ROOT, "%.1f", machine.get("load").asDouble()),
        Integer.toString(machine.get("containers").size()));
  }

  private static String either(JsonNode json, String what) {
    String name = json.get(what).asText();
    return name.isEmpty() ? json.get(what + "_id").asText() : name;
  }

  private static String bytes(JsonNode amount) {
    double gib = 1 << 30;
    return String.format(
        Locale.ROOT,
        "%.1f/%.1f GiB",
        amount.get("free").asLong() / gib,
        amount.get("total").asLong() / gib);
  }

  private static String ago(JsonNode json, Instant now) {
    Duration past = Duration.between(Instant.parse(json.get("since").asText()), now);
    long seconds = Math.max(0, past.toSeconds());
    if (seconds < 120) {
      return seconds + " s";
    }
    return seconds < 7_200
        ? seconds / 60 + " min"
        : seconds < 172_800 ? seconds / 3_600 + " h" : seconds / 86_400 + " d";
  }

  private static String table(List<List<String>> rows) {
    int columns = rows.getFirst().size();
    StringBuilder text = new StringBuilder();
    for (List<String> row : rows) {
      for (int i = 0; i < columns; i++) {
        int at = i;
        int width = rows.stream().mapToInt(each -> each.get(at).length()).max().orElse(0);
        text.append(i + 1 < columns ? padded(row.get(i), width) : row.get(i));
      }
      text.append('\n');
    }
    return text.toString();
  }

  private static String padded(String text, int width) {
    return text + " ".repeat(width - text.length() + 2);
  }
}
