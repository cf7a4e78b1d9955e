package dev.troupe.gateway.service;

import dev.troupe.actors.app.AppProtocol;
import dev.troupe.actors.app.AppProtocol.Follow;
import dev.troupe.actors.app.AppProtocol.News;
import java.time.Duration;
import java.time.Instant;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityRef;
import org.apache.pekko.stream.BoundedSourceQueue;
import org.apache.pekko.stream.QueueOfferResult;

/**
 * Follows the news of one app into a queue, until the queue is closed. The subscription is renewed
 * again and again from the last news that the queue took: what is lost on the way, or finds the
 * queue full, comes with the next renewal.
 */
final class AppFollower {

  /** What it hears. */
  sealed interface Message {}

  private record Heard(News news) implements Message {}

  private record Renew() implements Message {}

  private final EntityRef<AppProtocol.Command> app;
  private final BoundedSourceQueue<News> queue;
  private final ActorRef<News> self;
  private long last;
  private Instant lastAt = Instant.MIN;
  private boolean overflown;

  private AppFollower(
      EntityRef<AppProtocol.Command> app,
      BoundedSourceQueue<News> queue,
      ActorContext<Message> context,
      TimerScheduler<Message> timers,
      Duration renewal) {
    this.app = app;
    this.queue = queue;
    this.self = context.messageAdapter(News.class, Heard::new);
    timers.startTimerWithFixedDelay(new Renew(), Duration.ZERO, renewal);
  }

  /** Follows from the first news that is kept. */
  static Behavior<Message> create(
      EntityRef<AppProtocol.Command> app, BoundedSourceQueue<News> queue, Duration renewal) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> new AppFollower(app, queue, context, timers, renewal).receive()));
  }

  private Behavior<Message> receive() {
    return Behaviors.receiveMessage(
        message ->
            switch (message) {
              case Renew() -> renew();
              case Heard(var news) -> heard(news);
            });
  }

  private Behavior<Message> renew() {
    if (queue.isCompleted()) {
      return Behaviors.stopped();
    }
    overflown = false;
    app.tell(new Follow(self, last));
    return Behaviors.same();
  }

  private Behavior<Message> heard(News news) {
    // An app that started anew counts from the beginning: there, the time tells what is new.
    boolean old = news.number() <= last && !news.at().isAfter(lastAt);
    if (old || overflown) {
      return Behaviors.same();
    }
    QueueOfferResult offered = queue.offer(news);
    if (offered instanceof QueueOfferResult.Enqueued$) {
      last = news.number();
      lastAt = news.at();
      return Behaviors.same();
    }
    if (offered instanceof QueueOfferResult.Dropped$) {
      overflown = true;
      return Behaviors.same();
    }
    return Behaviors.stopped();
  }
}
