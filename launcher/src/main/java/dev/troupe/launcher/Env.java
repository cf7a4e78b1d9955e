package dev.troupe.launcher;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Prints what points a client at the running server. */
@Command(
    name = "env",
    description = "Prints the variables that point a Modal client at the running server.",
    mixinStandardHelpOptions = true)
final class Env implements Callable<Integer> {

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "The server's data directory (default: ${DEFAULT-VALUE}).",
      defaultValue = "data")
  private Path data = Path.of("data");

  @Override
  public Integer call() throws IOException {
    Path root = data.toAbsolutePath().normalize();
    Path pid = root.resolve("server.pid");
    if (!Files.exists(pid) || !runs(Files.readString(pid).strip())) {
      throw new Refusal(
          "No server is running on %s. Start one: troupe-server up --data %s"
              .formatted(root, data));
    }
    System.out.print(Files.readString(ClientProfile.file(root)));
    return 0;
  }

  private static boolean runs(String pid) {
    return !pid.isEmpty()
        && pid.chars().allMatch(Character::isDigit)
        && ProcessHandle.of(Long.parseLong(pid)).filter(Env::isJava).isPresent();
  }

  /** A process id may have been given again, to something else, since the server died. */
  private static boolean isJava(ProcessHandle process) {
    return process.isAlive() && process.info().command().orElse("").endsWith("/java");
  }
}
