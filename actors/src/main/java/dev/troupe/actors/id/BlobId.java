package dev.troupe.actors.id;

/** A blob of one payload: {@code bl-} and 22 base-62 characters. */
public record BlobId(String value) {

  /** What every id of this kind starts with. */
  public static final String PREFIX = "bl-";

  public BlobId {
    Ids.check(PREFIX, value);
  }

  @Override
  public String toString() {
    return value;
  }
}
