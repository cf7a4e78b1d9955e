package dev.troupe.actors.id;

/** A class: {@code cs-} and 22 base-62 characters; its service function carries the code. */
public record ClassId(String value) {

  /** What every id of this kind starts with. */
  public static final String PREFIX = "cs-";

  public ClassId {
    Ids.check(PREFIX, value);
  }

  @Override
  public String toString() {
    return value;
  }
}
