package dev.troupe.node.image.oci;

import java.io.IOException;

/** A blob that did not come whole: another try may bring it. The message is a whole sentence. */
final class Damaged extends IOException {

  private static final long serialVersionUID = 1;

  Damaged(String sentence) {
    super(sentence);
  }
}
