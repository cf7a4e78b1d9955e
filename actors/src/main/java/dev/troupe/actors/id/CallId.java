package dev.troupe.actors.id;

/**
 * A function call: {@code fc-}, the 22 characters of its function's key, the 22 of its own. Holding
 * the function's key it routes itself: any gateway finds the entity without a look-up.
 */
public record CallId(String value) {

  /** What every call id starts with. */
  public static final String PREFIX = "fc-";

  public CallId {
    Ids.check(PREFIX, value);
    if (value.length() != PREFIX.length() + 2 * Ids.KEY_LENGTH) {
      throw new InvalidId("'" + value + "' is not the id of a function call");
    }
  }

  /** The id of the call {@code key} of {@code function}. */
  public static CallId of(FunctionId function, String key) {
    return new CallId(PREFIX + Ids.key(function.value()) + key);
  }

  /** The function called. */
  public FunctionId function() {
    return new FunctionId(
        FunctionId.PREFIX + value.substring(PREFIX.length(), PREFIX.length() + Ids.KEY_LENGTH));
  }

  /** The call's own key: unique within its function. */
  public String key() {
    return value.substring(PREFIX.length() + Ids.KEY_LENGTH);
  }

  @Override
  public String toString() {
    return value;
  }
}
