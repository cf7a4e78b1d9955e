package dev.troupe.gateway.service;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** Names that a mistyped one may have meant. */
final class NearNames {

  /** A longer word is no name of anything here. */
  private static final int LONGEST = 64;

  /** A start of fewer letters says too little. */
  private static final int SHORTEST_START = 3;

  private NearNames() {}

  private record Near(String name, int distance) {}

  /** Those of {@code names} that are near to {@code word} and not the same, the nearest first. */
  static List<String> to(String word, Collection<String> names, int most) {
    String wanted = normal(word);
    if (wanted.isEmpty() || wanted.length() > LONGEST) {
      return List.of();
    }
    int far = Math.max(1, wanted.length() / 3);
    return names.stream()
        .distinct()
        .filter(name -> !name.equals(word) && name.length() <= LONGEST)
        .map(name -> new Near(name, distance(wanted, normal(name), far)))
        .filter(near -> near.distance() <= far)
        .sorted(Comparator.comparingInt(Near::distance).thenComparing(Near::name))
        .limit(most)
        .map(Near::name)
        .toList();
  }

  private static int distance(String wanted, String name, int far) {
    boolean starts = wanted.length() >= SHORTEST_START && name.startsWith(wanted);
    int edits = edits(wanted, name);
    return starts ? Math.min(far, edits) : edits;
  }

  /** Letters to add, take away, change, or swap with their neighbour. */
  private static int edits(String from, String to) {
    int[][] cost = new int[from.length() + 1][to.length() + 1];
    for (int i = 0; i <= from.length(); i++) {
      cost[i][0] = i;
    }
    for (int j = 0; j <= to.length(); j++) {
      cost[0][j] = j;
    }
    for (int i = 1; i <= from.length(); i++) {
      for (int j = 1; j <= to.length(); j++) {
        int change = from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1;
        cost[i][j] =
            Math.min(cost[i - 1][j - 1] + change, 1 + Math.min(cost[i - 1][j], cost[i][j - 1]));
        boolean swapped =
            i > 1
                && j > 1
                && from.charAt(i - 1) == to.charAt(j - 2)
                && from.charAt(i - 2) == to.charAt(j - 1);
        if (swapped) {
          cost[i][j] = Math.min(cost[i][j], cost[i - 2][j - 2] + 1);
        }
      }
    }
    return cost[from.length()][to.length()];
  }

  private static String normal(String name) {
    return name.toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
