package dev.troupe.actors.function;

import dev.troupe.actors.function.FunctionDefinition.Retries;
import dev.troupe.actors.function.FunctionProtocol.Ending;
import java.time.Duration;

/**
 * What becomes of an input whose run is over. Pure. Runs that ended in an error, a timeout or a
 * crash count against the function's retries; runs lost with a machine count apart, since they say
 * little about the input, and end it after {@link #MOST_LOST}.
 */
sealed interface Verdict {

  /** Containers an input may lose to dying machines before it ends. */
  int MOST_LOST = 3;

  /** It ends. {@code message} is empty where the runner's own result is the answer. */
  record End(int status, String message) implements Verdict {}

  /** It runs again after {@code delay}, its counts as given. */
  record Again(int attempts, int lost, Duration delay) implements Verdict {}

  /** The runner reported {@code status} for a run that {@code attempts} failed ones preceded. */
  static Verdict reported(int status, int attempts, int lost, Retries retries) {
    boolean retriable = status == Status.FAILURE || status == Status.TIMEOUT;
    return retriable && attempts < retries.max()
        ? new Again(attempts + 1, lost, retries.delayAfter(attempts + 1))
        : new End(status, "");
  }

  /** It ran for longer than the function's timeout. */
  static Verdict timedOut(Duration timeout, int attempts, int lost, Retries retries) {
    return attempts < retries.max()
        ? new Again(attempts + 1, lost, retries.delayAfter(attempts + 1))
        : new End(
            Status.TIMEOUT, "Input ran for longer than its timeout of " + text(timeout) + ".");
  }

  /**
   * Its container ended while it ran there.
   *
   * @param told we told the container to stop, so that its end says nothing about the input
   */
  static Verdict containerEnded(
      Ending ending, boolean told, int attempts, int lost, Retries retries, long memoryLimit) {
    if (told) {
      return new Again(attempts, lost, Duration.ZERO);
    }
    return switch (ending) {
      case Ending.Exited exited when attempts < retries.max() ->
          new Again(attempts + 1, lost, retries.delayAfter(attempts + 1));
      case Ending.Exited exited when exited.outOfMemory() ->
          new End(Status.OUT_OF_MEMORY, crash(exited, memoryLimit));
      case Ending.Exited exited -> new End(Status.FAILURE, crash(exited, memoryLimit));
      case Ending.NeverStarted(var why) -> lost(attempts, lost, why);
      case Ending.MachineLost(var why) -> lost(attempts, lost, why);
    };
  }

  private static Verdict lost(int attempts, int lost, String why) {
    return lost + 1 < MOST_LOST
        ? new Again(attempts, lost + 1, Duration.ZERO)
        : new End(
            Status.INTERNAL_FAILURE,
            "Input was lost with its container %d times, last: %s".formatted(lost + 1, why));
  }

  /** How a container ended, as a sentence for the caller. */
  static String crash(Ending.Exited exited, long memoryLimit) {
    if (exited.outOfMemory()) {
      return memoryLimit > 0
          ? "Container was killed for using more than its memory limit of %d MiB."
              .formatted(memoryLimit >> 20)
          : "Container was killed: the machine ran out of memory.";
    }
    return exited.signal() != 0
        ? "Container was killed by signal %d while it ran this input.".formatted(exited.signal())
        : "Container exited with code %d while it ran this input.".formatted(exited.code());
  }

  private static String text(Duration duration) {
    return duration.toMillis() % 1000 == 0
        ? duration.toSeconds() + " s"
        : duration.toMillis() + " ms";
  }
}
