package dev.troupe.actors.id;

/** A secret: {@code st-} and 22 base-62 characters. */
public record SecretId(String value) {

  /** What every id of this kind starts with. */
  public static final String PREFIX = "st-";

  public SecretId {
    Ids.check(PREFIX, value);
  }

  @Override
  public String toString() {
    return value;
  }
}
