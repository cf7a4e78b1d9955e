package dev.troupe.launcher;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Tokens. */
@Command(
    name = "token",
    description = "Makes tokens.",
    mixinStandardHelpOptions = true,
    subcommands = {Token.Join.class, MakeClusterToken.class})
final class Token implements Callable<Integer> {

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() {
    spec.commandLine().usage(System.out);
    return CommandLine.ExitCode.USAGE;
  }

  /** Makes a token with which machines join. */
  @Command(
      name = "join",
      description = "Makes a token with which a machine joins the running server.",
      mixinStandardHelpOptions = true)
  static final class Join implements Callable<Integer> {

    private static final Pattern TIME = Pattern.compile("([0-9]{1,6})([smhd])");
    private static final Map<String, ChronoUnit> UNITS =
        Map.of(
            "s", ChronoUnit.SECONDS,
            "m", ChronoUnit.MINUTES,
            "h", ChronoUnit.HOURS,
            "d", ChronoUnit.DAYS);

    @Option(
        names = "--data",
        paramLabel = "DIR",
        description = "The server's data directory (default: ${DEFAULT-VALUE}).",
        defaultValue = "data")
    private Path data = Path.of("data");

    @Option(
        names = "--valid",
        paramLabel = "TIME",
        description = "How long it holds: 30m, 12h, 7d (default: ${DEFAULT-VALUE}).",
        defaultValue = "1h")
    private String valid = "1h";

    @Option(
        names = "--uses",
        paramLabel = "N",
        description = "How many machines may join with it (default: ${DEFAULT-VALUE}).",
        defaultValue = "1")
    private int uses = 1;

    @Option(names = "--json", description = "Prints JSON.")
    private boolean json;

    @Override
    public Integer call() throws InterruptedException {
      JsonNode made =
          new AdminClient(data).post("join-tokens?valid=%s&uses=%d".formatted(time(), uses));
      if (json) {
        System.out.println(made);
        return 0;
      }
      String host = made.get("host").asText();
      boolean here = host.startsWith("127.") || host.equals("localhost") || host.equals("::1");
      String named = here || host.startsWith("0.0.0.0") || host.equals("::") ? "HOST" : host;
      System.out.printf(
          "%s on the other machine, before %s:%n%n  ./troupe node --join %s:%d --token %s%n",
          uses == 1 ? "Once" : "%d times".formatted(uses),
          Instant.parse(made.get("expires").asText()).truncatedTo(ChronoUnit.SECONDS),
          named,
          made.get("port").asInt(),
          made.get("token").asText());
      if (here) {
        System.out.printf(
            "%nThe server listens on %s only: other machines reach it once it is started with"
                + " --host, for example --host 0.0.0.0%n",
            host);
      } else if (named.equals("HOST")) {
        System.out.printf("%nHOST is a name or address of this machine.%n");
      }
      return 0;
    }

    private Duration time() {
      Matcher parts = TIME.matcher(valid);
      if (!parts.matches()) {
        throw new Refusal("--valid takes a time as 30m, 12h or 7d; '%s' is none.".formatted(valid));
      }
      ChronoUnit unit = UNITS.getOrDefault(parts.group(2), ChronoUnit.HOURS);
      return Duration.of(Long.parseLong(parts.group(1)), unit);
    }
  }
}
