package dev.troupe.cluster;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.ClusterEvent.MemberEvent;
import org.apache.pekko.cluster.ClusterEvent.MemberExited;
import org.apache.pekko.cluster.ClusterEvent.MemberRemoved;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Subscribe;

/**
 * Tells when a member of the cluster is gone: what it had is elsewhere from now on, and what was on
 * its way to it may be lost.
 */
public final class Departures {

  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();

  private Departures() {}

  /** Listens from now on. */
  public static Departures of(ActorSystem<?> system) {
    Departures departures = new Departures();
    Behavior<MemberEvent> listener =
        Behaviors.setup(
            context -> {
              Cluster.get(context.getSystem())
                  .subscriptions()
                  .tell(Subscribe.create(context.getSelf(), MemberEvent.class));
              return Behaviors.receiveMessage(
                  event -> {
                    if (event instanceof MemberRemoved || event instanceof MemberExited) {
                      departures.listeners.forEach(Runnable::run);
                    }
                    return Behaviors.same();
                  });
            });
    system.systemActorOf(listener, "departures", Props.empty());
    return departures;
  }

  /** Has a listener called, from any thread, until it is closed; it must be quick. */
  public Listening listen(Runnable listener) {
    listeners.add(listener);
    return () -> listeners.remove(listener);
  }

  /** A listener that is called until this is closed. */
  @FunctionalInterface
  public interface Listening extends AutoCloseable {
    @Override
    void close();
  }
}
