package dev.troupe.actors.testing;

import com.typesafe.config.Config;
import java.time.Duration;
import java.util.concurrent.ThreadFactory;
import org.apache.pekko.dispatch.ExecutionContexts;
import org.apache.pekko.event.LoggingAdapter;
import org.apache.pekko.testkit.ExplicitlyTriggeredScheduler;

/**
 * Timers that run when time is said to have passed. Pekko's own manual time sleeps a while before,
 * for messages on their way; here {@link CountedExecutor} tells when none is.
 */
public final class ManualScheduler extends ExplicitlyTriggeredScheduler {

  /** Made by Pekko, which is told this class by name. */
  public ManualScheduler(Config config, LoggingAdapter log, ThreadFactory threads) {
    super(config, log, threads);
  }

  /** Runs what is due within the span, in this thread. */
  void pass(Duration span) {
    long then = currentTimeMs() + span.toMillis();
    scheduleOnce(
        span,
        () -> {},
        ExecutionContexts.fromExecutor(Runnable::run)); // what runs last sets the time
    executeTasks(then);
  }
}
