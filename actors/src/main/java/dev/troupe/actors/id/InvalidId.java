package dev.troupe.actors.id;

/** Text that a caller sent as an id and that is none; the message is made for that caller. */
public final class InvalidId extends IllegalArgumentException {

  public InvalidId(String message) {
    super(message);
  }
}
