package dev.troupe.actors.id;

/** One input of a call: {@code in-}, the call's two keys, and the input's index in decimal. */
public record InputId(String value) {

  /** What every input id starts with. */
  public static final String PREFIX = "in-";

  public InputId {
    Ids.check(PREFIX, value);
    int keys = PREFIX.length() + 2 * Ids.KEY_LENGTH;
    if (value.length() <= keys || value.length() > keys + 10) {
      throw new InvalidId("'" + value + "' is not the id of an input");
    }
    for (int i = keys; i < value.length(); i++) {
      if (!Character.isDigit(value.charAt(i))) {
        throw new InvalidId("'" + value + "' is not the id of an input");
      }
    }
  }

  /** The id of input {@code index} of {@code call}. */
  public static InputId of(CallId call, int index) {
    return new InputId(PREFIX + call.value().substring(CallId.PREFIX.length()) + index);
  }

  /** The call this input belongs to. */
  public CallId call() {
    return new CallId(
        CallId.PREFIX + value.substring(PREFIX.length(), PREFIX.length() + 2 * Ids.KEY_LENGTH));
  }

  /** The input's place in its call, from 0. */
  public int index() {
    return Integer.parseInt(value.substring(PREFIX.length() + 2 * Ids.KEY_LENGTH));
  }

  @Override
  public String toString() {
    return value;
  }
}
