package dev.troupe.node.image.oci;

import java.io.IOException;

/**
 * A tar that is none, or that names what no layer may name; the message is a piece of a sentence.
 */
final class MalformedLayer extends IOException {

  private static final long serialVersionUID = 1;

  MalformedLayer(String what) {
    super(what);
  }
}
