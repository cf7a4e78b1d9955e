package dev.troupe.actors.id;

/**
 * A container: {@code ta-} and 26 characters of {@code [0-9A-Z]}, the shape the client knows in
 * tracebacks.
 */
public record TaskId(String value) {

  /** What every id of this kind starts with. */
  public static final String PREFIX = "ta-";

  public TaskId {
    Ids.check(PREFIX, value);
  }

  @Override
  public String toString() {
    return value;
  }
}
