package dev.troupe.node;

/** A start that can't be: the message is a sentence for the user, with what to do. */
public final class AgentRefused extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** Refuses with a sentence. */
  public AgentRefused(String message) {
    super(message);
  }
}
