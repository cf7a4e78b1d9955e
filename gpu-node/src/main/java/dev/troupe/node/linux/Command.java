package dev.troupe.node.linux;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Runs a program of the machine to its end. Blocking; meant for virtual threads. */
public final class Command {

  private static final int KEPT_OUTPUT = 64 * 1024;

  /** What a program said (both streams, its last 64 KiB) and its exit code. */
  public record Result(int exitCode, String output) {}

  /** Runs a program and returns its output; any exit code but 0 is an error that quotes it. */
  public static String run(Duration limit, String... command) throws IOException {
    return run(limit, "", List.of(command));
  }

  /** The same with text for its standard input. */
  public static String run(Duration limit, String input, List<String> command) throws IOException {
    Result result = execute(limit, input, command, Map.of(), _ -> {});
    if (result.exitCode() != 0) {
      throw new IOException(
          "%s ended with %d: %s"
              .formatted(command.getFirst(), result.exitCode(), result.output().strip()));
    }
    return result.output();
  }

  /**
   * Runs a program, handing each piece of its output to {@code output} as it comes.
   *
   * @throws IOException when it can't be started or isn't over after {@code limit}; it is killed
   *     then
   */
  public static Result execute(
      Duration limit,
      String input,
      List<String> command,
      Map<String, String> environment,
      Consumer<String> output)
      throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process = builder.start();
    try {
      StringBuilder kept = new StringBuilder();
      Thread reader = Thread.startVirtualThread(() -> drain(process, kept, output));
      try (OutputStream stdin = process.getOutputStream()) {
        stdin.write(input.getBytes(StandardCharsets.UTF_8));
      } catch (IOException closedEarly) {
        // It ended without reading: its exit code and output say why.
      }
      if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new IOException(
            command.getFirst() + " was not over after " + limit.toSeconds() + " s");
      }
      reader.join();
      return new Result(process.exitValue(), kept.toString());
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IOException(command.getFirst() + " was interrupted", interrupted);
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }

  private static void drain(Process process, StringBuilder kept, Consumer<String> output) {
    byte[] buffer = new byte[8192];
    try (InputStream stream = process.getInputStream()) {
      for (int count = stream.read(buffer); count >= 0; count = stream.read(buffer)) {
        String text = new String(buffer, 0, count, StandardCharsets.UTF_8);
        kept.append(text);
        if (kept.length() > KEPT_OUTPUT) {
          kept.delete(0, kept.length() - KEPT_OUTPUT);
        }
        output.accept(text);
      }
    } catch (IOException gone) {
      // Killed while it was read; the exit code says so.
    }
  }

  private Command() {}
}
