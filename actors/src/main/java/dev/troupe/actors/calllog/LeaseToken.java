package dev.troupe.actors.calllog;

import dev.troupe.cluster.ClusterMessage;

/** Names one lease: the owner's epoch and a counter within it, never given twice. */
public record LeaseToken(long epoch, long number) implements ClusterMessage {

  /** As it travels in {@code NodeLink}. */
  public String text() {
    return epoch + "-" + number;
  }
}
