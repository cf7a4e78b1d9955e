package dev.troupe.gateway.service;

import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.id.ImageNameId;
import dev.troupe.gateway.rpc.RpcFailure;
import java.util.regex.Pattern;

/**
 * A name of images as a user writes it, {@code [environment/]name[:tag]}.
 *
 * @param environment empty where the text names none
 * @param name with its tag
 */
record ImageName(String environment, String name) {

  private static final Pattern PART = Pattern.compile("[A-Za-z0-9._-]{1,64}");

  /** The tag of a name that has none. */
  private static final String DEFAULT_TAG = "latest";

  /** Reads a text; INVALID_ARGUMENT with a sentence where it is no name. */
  static ImageName parse(String text) {
    int slash = text.indexOf('/');
    String nameAndTag = text.substring(slash + 1);
    int colon = nameAndTag.indexOf(':');
    String name = colon < 0 ? nameAndTag : nameAndTag.substring(0, colon);
    String tag = colon < 0 ? DEFAULT_TAG : nameAndTag.substring(colon + 1);
    if (slash == 0 || !PART.matcher(name).matches() || !PART.matcher(tag).matches()) {
      throw RpcFailure.invalid(
          "'%.300s' can't be the name of an image: use '[environment/]name[:tag]', name and tag of"
                  .formatted(text)
              + " up to 64 letters, digits, dots, dashes and underscores each.");
    }
    if (name.startsWith(ImageId.PREFIX)) {
      throw RpcFailure.invalid(
          "The name of an image can't begin with '%s', as '%s' does: ids of images begin so."
              .formatted(ImageId.PREFIX, name));
    }
    return new ImageName(slash < 0 ? "" : text.substring(0, slash), name + ":" + tag);
  }

  /** The same name in this environment. */
  Placed in(Environment there) {
    return new Placed(there, name);
  }

  /** A name in its environment. */
  record Placed(Environment environment, String name) {

    /** Its entity. */
    ImageNameId id() {
      return ImageNameId.of(environment.key(), name);
    }

    /** That nothing has it. */
    RpcFailure unused() {
      return RpcFailure.notFound(
          "No image is published as '%s' in environment '%s'.".formatted(name, environment.name()));
    }
  }
}
