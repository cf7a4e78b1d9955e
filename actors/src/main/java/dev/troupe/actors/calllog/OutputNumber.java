package dev.troupe.actors.calllog;

import dev.troupe.cluster.ClusterMessage;

/**
 * The place of an output among those of its call: the owner's epoch, then a counter. Kept in the
 * row: a number that went out with an early output whose commit then failed is never given again,
 * since the next owner has another epoch.
 */
public record OutputNumber(long epoch, long number)
    implements ClusterMessage, Comparable<OutputNumber> {

  /** Before every output. */
  public static final OutputNumber START = new OutputNumber(0, 0);

  @Override
  public int compareTo(OutputNumber other) {
    int byEpoch = Long.compare(epoch, other.epoch);
    return byEpoch != 0 ? byEpoch : Long.compare(number, other.number);
  }
}
