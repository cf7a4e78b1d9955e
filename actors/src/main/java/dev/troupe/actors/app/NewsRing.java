package dev.troupe.actors.app;

import dev.troupe.actors.app.AppProtocol.Item;
import dev.troupe.actors.app.AppProtocol.News;
import java.time.Instant;
import java.util.List;
import org.pcollections.PVector;
import org.pcollections.TreePVector;

/**
 * The last news of an app. Machines that hold logs, and the end, are told once and kept longest: a
 * follower that comes late needs them all.
 *
 * @param last number of the newest
 */
record NewsRing(long last, PVector<News> kept) {

  /** News kept at most. */
  static final int LIMIT = 256;

  /**
   * An empty ring. Numbers go on from the time, so that those of a ring made later, on whatever
   * process, are higher, and a follower's place in the old ring is before all of the new one.
   */
  static NewsRing startingAt(Instant now) {
    return new NewsRing(now.toEpochMilli() * 1_000, TreePVector.empty());
  }

  /** The ring with {@code item}: unchanged where that is a standing fact that was told before. */
  NewsRing plus(Item item, Instant at) {
    if (isStanding(item) && kept.stream().anyMatch(news -> news.item().equals(item))) {
      return this;
    }
    PVector<News> room = kept.size() < LIMIT ? kept : kept.minus(oldestToForget());
    return new NewsRing(last + 1, room.plus(new News(last + 1, at, item)));
  }

  /** News behind number {@code after}. */
  List<News> after(long after) {
    return kept.stream().filter(news -> news.number() > after).toList();
  }

  private int oldestToForget() {
    for (int i = 0; i < kept.size(); i++) {
      if (!isStanding(kept.get(i).item())) {
        return i;
      }
    }
    return 0;
  }

  private static boolean isStanding(Item item) {
    return switch (item) {
      case Item.LogsOn _, Item.Done _ -> true;
      case Item.Container _, Item.Notice _ -> false;
    };
  }
}
