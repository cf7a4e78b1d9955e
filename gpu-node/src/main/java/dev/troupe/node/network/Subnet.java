package dev.troupe.node.network;

/**
 * A server's share of the private range that containers are numbered from: one of {@value #COUNT}
 * blocks of 1,024 addresses in 10.213.0.0/16.
 *
 * @param block from 0
 */
public record Subnet(int block) {

  static final int COUNT = 64;

  /** Numbers of containers start here; below are the block's own address and one to spare. */
  static final int FIRST = 2;

  /** The last one before the block's broadcast address. */
  static final int LAST = 1022;

  private static final long RANGE = (10L << 24) | (213L << 16);

  public Subnet {
    if (block < 0 || block >= COUNT) {
      throw new IllegalArgumentException("there is no block " + block);
    }
  }

  /** The address of the container with this number. */
  String address(int number) {
    if (number < FIRST || number > LAST) {
      throw new IllegalArgumentException("no address for container " + number);
    }
    return dotted(RANGE + block * 1024L + number);
  }

  /** Whether a route of the machine, address and mask as numbers, covers any of it. */
  boolean overlaps(long destination, long mask) {
    long mine = RANGE + block * 1024L;
    long common = mask & ~1023L;
    // A default route covers everything and means nothing.
    return mask != 0 && (mine & common) == (destination & common);
  }

  private static String dotted(long address) {
    return "%d.%d.%d.%d"
        .formatted(address >> 24 & 255, address >> 16 & 255, address >> 8 & 255, address & 255);
  }

  @Override
  public String toString() {
    return dotted(RANGE + block * 1024L) + "/22";
  }
}
