package dev.troupe.launcher;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Prints a new token for a machine. */
@Command(
    name = "machine-token",
    description = {
      "Prints a new token with which a machine of its own joins a server.",
      "The server must know it: troupe-server up --machine-token TOKEN. The machine then joins"
          + " with: troupe-server agent --join http://HOST:PORT --token TOKEN"
    },
    mixinStandardHelpOptions = true)
final class MakeMachineToken implements Callable<Integer> {

  @Parameters(paramLabel = "NAME", description = "The machine's name, as it will be listed.")
  private String name = "";

  @Override
  public Integer call() {
    System.out.println(MachineToken.make(name).text());
    return 0;
  }
}
