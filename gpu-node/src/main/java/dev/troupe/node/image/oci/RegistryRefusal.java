package dev.troupe.node.image.oci;

import java.io.IOException;

/** A registry gives no answer, or none that helps; the message is for the client's user. */
final class RegistryRefusal extends IOException {

  private static final long serialVersionUID = 1;

  /** Why. */
  enum Reason {
    /** It has no such image. */
    UNKNOWN,
    /** It wants credentials, or others. */
    UNAUTHORIZED,
    /** It can't be reached, or is out of order. */
    UNAVAILABLE,
    /** What it says makes no sense. */
    NONSENSE
  }

  private final Reason reason;

  RegistryRefusal(Reason reason, String sentence) {
    super(sentence);
    this.reason = reason;
  }

  Reason reason() {
    return reason;
  }
}
