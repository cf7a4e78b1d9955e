package dev.troupe.actors.app;

import dev.troupe.actors.app.AppProtocol.Item;
import dev.troupe.actors.app.AppProtocol.News;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;

/** Tells those who follow an app what goes on in it. Used on the app's thread alone. */
final class NewsFeed {

  private static final Duration FOLLOW_VALID = Duration.ofSeconds(15);

  private static final int FOLLOWERS_LIMIT = 1_000;

  private final Map<ActorRef<News>, Instant> followers = new HashMap<>();
  private NewsRing ring;

  NewsFeed(Instant now) {
    ring = NewsRing.startingAt(now);
  }

  /** Tells all followers. */
  void publish(Item item, Instant now) {
    forgetLost(now);
    long before = ring.last();
    ring = ring.plus(item, now);
    ring.after(before).forEach(news -> followers.keySet().forEach(at -> at.tell(news)));
  }

  /** Adds or renews a follower, and tells it what it has not seen. */
  void follow(ActorRef<News> follower, long after, Instant now) {
    if (followers.containsKey(follower) || followers.size() < FOLLOWERS_LIMIT) {
      followers.put(follower, now.plus(FOLLOW_VALID));
      ring.after(after).forEach(follower::tell);
    }
  }

  /** Whether somebody follows. */
  boolean isFollowed(Instant now) {
    forgetLost(now);
    return !followers.isEmpty();
  }

  private void forgetLost(Instant now) {
    followers.values().removeIf(until -> !now.isBefore(until));
  }
}
