package dev.troupe.node.image;

import java.io.IOException;

/** A build that failed by its own fault; the message is for the client's user. */
public final class BuildFailure extends IOException {

  private static final long serialVersionUID = 1;

  public BuildFailure(String sentence) {
    super(sentence);
  }
}
