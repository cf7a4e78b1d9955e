package dev.troupe.launcher;

import dev.troupe.cluster.ClusterNode;
import dev.troupe.gateway.port.PublicPort;
import dev.troupe.node.AgentRefused;
import dev.troupe.persistence.StartRefused;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/** A start that can't be: the message is a sentence for the user, with what to do. */
final class Refusal extends RuntimeException {
  private static final long serialVersionUID = 1;

  Refusal(String message) {
    super(message);
  }

  /** What to tell the user of a failed command. */
  static String sentence(Throwable failure) {
    Throwable cause = cause(failure);
    return isDefect(failure) ? "The command failed: " + cause : String.valueOf(cause.getMessage());
  }

  /** Whether the failure is none that was foreseen. */
  static boolean isDefect(Throwable failure) {
    Throwable cause = cause(failure);
    return !(cause instanceof Refusal
        || cause instanceof StartRefused
        || cause instanceof AgentRefused
        || cause instanceof ClusterNode.NotJoined
        || cause instanceof PublicPort.PortRefused);
  }

  /** What failed, without what a future wrapped around it. */
  static Throwable cause(Throwable failure) {
    Throwable cause = failure;
    while ((cause instanceof CompletionException || cause instanceof ExecutionException)
        && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }
}
