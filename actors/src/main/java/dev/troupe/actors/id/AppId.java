package dev.troupe.actors.id;

/** An app: {@code ap-} and 22 base-62 characters (the client takes any other shape for a name). */
public record AppId(String value) {

  /** What every id of this kind starts with. */
  public static final String PREFIX = "ap-";

  public AppId {
    Ids.check(PREFIX, value);
  }

  @Override
  public String toString() {
    return value;
  }
}
