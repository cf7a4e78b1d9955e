package dev.troupe.persistence;

/**
 * The stores can't be opened as things stand. The message is a sentence or two for the person at
 * the terminal: what is wrong, and what to do.
 */
public final class StartRefused extends RuntimeException {
  private static final long serialVersionUID = 1;

  public StartRefused(String message) {
    super(message);
  }

  public StartRefused(String message, Throwable cause) {
    super(message, cause);
  }
}
