package dev.troupe.actors.id;

/**
 * A name of images: {@code na-} and 22 base-62 characters made from environment and name, so that a
 * name is found without asking anybody.
 */
public record ImageNameId(String value) {

  /** What every id of this kind starts with. */
  public static final String PREFIX = "na-";

  public ImageNameId {
    Ids.check(PREFIX, value);
  }

  /** The id of {@code name:tag} in an environment. */
  public static ImageNameId of(String environment, String nameAndTag) {
    return new ImageNameId(PREFIX + Ids.contentKey("image-name", environment, nameAndTag));
  }

  @Override
  public String toString() {
    return value;
  }
}
