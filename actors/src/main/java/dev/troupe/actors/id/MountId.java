package dev.troupe.actors.id;

/** A mount: {@code mo-} and 22 base-62 characters made from its list of files. */
public record MountId(String value) {

  /** What every id of this kind starts with. */
  public static final String PREFIX = "mo-";

  public MountId {
    Ids.check(PREFIX, value);
  }

  @Override
  public String toString() {
    return value;
  }
}
