package dev.troupe.actors.testing;

import java.time.Duration;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;

/** An actor system whose timers and clock move together, when told to. */
public final class ManualSystem implements AutoCloseable {

  private final ActorTestKit kit =
      ActorTestKit.create(ManualTime.config().withFallback(TestCluster.alone()));
  private final ManualTime time = ManualTime.get(kit.system());
  private final ManualClock clock = new ManualClock();

  /** The testkit. */
  public ActorTestKit kit() {
    return kit;
  }

  /** The clock that moves with the timers. */
  public ManualClock clock() {
    return clock;
  }

  /** Lets time pass, in one step. */
  public void pass(Duration span) {
    clock.advance(span);
    time.timePasses(span);
  }

  @Override
  public void close() {
    kit.shutdownTestKit();
  }
}
