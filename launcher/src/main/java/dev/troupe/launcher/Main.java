package dev.troupe.launcher;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The program. */
@Command(
    name = "troupe-server",
    description = "A self-hosted server for the Modal client.",
    mixinStandardHelpOptions = true,
    version = "Troupe 0.1.0",
    subcommands = {
      Up.class,
      Env.class,
      Node.class,
      Nodes.class,
      Token.class,
      ImageCommand.class,
      Rehearse.class
    })
public final class Main {

  private Main() {}

  /** Runs the command and ends the process with its status. */
  public static void main(String[] arguments) {
    CommandLine program = new CommandLine(new Main());
    program.setExecutionExceptionHandler(
        (failure, command, _) -> {
          command.getErr().println(Refusal.sentence(failure));
          if (Refusal.isDefect(failure)) {
            failure.printStackTrace(command.getErr());
          }
          return 1;
        });
    System.exit(arguments.length == 0 ? program.execute("--help") : program.execute(arguments));
  }
}
