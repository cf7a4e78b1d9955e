package dev.troupe.actors.testing;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.javadsl.Adapter;

/** An actor system whose timers and clock move together, when told to. */
public final class ManualSystem implements AutoCloseable {

  private static final Config CONFIG =
      ConfigFactory.parseString(
              """
          pekko.scheduler.implementation = "%s"
          executor = "%s"
          pekko.actor.default-dispatcher.executor = ${executor}
          pekko.actor.internal-dispatcher.executor = ${executor}
          pekko.persistence.dispatchers.default-plugin-dispatcher = {
            type = Dispatcher
            executor = ${executor}
          }
          pekko.persistence.dispatchers.default-replay-dispatcher.executor = ${executor}
          """
                  .formatted(ManualScheduler.class.getName(), CountedExecutor.class.getName()))
          .resolve();

  private final ActorTestKit kit = ActorTestKit.create(CONFIG.withFallback(TestCluster.alone()));
  private final ManualScheduler timers =
      (ManualScheduler) Adapter.toClassic(kit.system()).scheduler();
  private final ManualClock clock = new ManualClock();

  /** The testkit. */
  public ActorTestKit kit() {
    return kit;
  }

  /** The clock that moves with the timers. */
  public ManualClock clock() {
    return clock;
  }

  /**
   * Lets time pass, in one step: after all that was said before has been heard, and until all has
   * been heard that follows from it.
   */
  public void pass(Duration span) {
    settle();
    clock.advance(span);
    timers.pass(span);
    settle();
  }

  /** Waits until no actor has anything left to do. */
  public void settle() {
    CountedExecutor.awaitRest();
  }

  @Override
  public void close() {
    kit.shutdownTestKit();
  }
}
