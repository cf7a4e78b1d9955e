package dev.troupe.actors.id;

/** A function or a variant of one: {@code fu-} and 22 base-62 characters. */
public record FunctionId(String value) {

  /** What every id of this kind starts with. */
  public static final String PREFIX = "fu-";

  public FunctionId {
    Ids.check(PREFIX, value);
  }

  @Override
  public String toString() {
    return value;
  }
}
