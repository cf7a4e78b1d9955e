package dev.troupe.actors.id;

/** An image: {@code im-} and 22 base-62 characters made from its definition. */
public record ImageId(String value) {

  /** What every id of this kind starts with. */
  public static final String PREFIX = "im-";

  public ImageId {
    Ids.check(PREFIX, value);
  }

  @Override
  public String toString() {
    return value;
  }
}
