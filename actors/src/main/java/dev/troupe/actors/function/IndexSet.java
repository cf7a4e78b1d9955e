package dev.troupe.actors.function;

import java.util.HashMap;
import java.util.Map;

/**
 * A set of indexes that takes little room whether they come one after the other, as they do, or
 * anywhere between 0 and 2³¹, as a caller may choose.
 */
final class IndexSet {

  private static final int BLOCK_BITS = 9;
  private static final int WORDS = (1 << BLOCK_BITS) / Long.SIZE;

  private final Map<Integer, long[]> blocks = new HashMap<>(2);

  /** Adds an index; false where it is there already. */
  boolean add(int index) {
    long[] block = blocks.computeIfAbsent(index >>> BLOCK_BITS, _ -> new long[WORDS]);
    int word = (index >>> 6) & (WORDS - 1);
    long bit = 1L << index;
    boolean isNew = (block[word] & bit) == 0;
    block[word] |= bit;
    return isNew;
  }

  void remove(int index) {
    long[] block = blocks.get(index >>> BLOCK_BITS);
    if (block != null) {
      block[(index >>> 6) & (WORDS - 1)] &= ~(1L << index);
    }
  }
}
