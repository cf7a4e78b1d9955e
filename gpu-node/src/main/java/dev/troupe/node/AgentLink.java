package dev.troupe.node;

import dev.troupe.protocol.link.Condition;
import dev.troupe.protocol.link.ControlPlane;
import dev.troupe.protocol.link.FromMachine;
import dev.troupe.protocol.link.Hello;
import dev.troupe.protocol.link.Ping;
import dev.troupe.protocol.link.ToMachine;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agent's end of the link: dials, says Hello with all it knows, pings, and dials again 1 to 2 s
 * after the link was lost. What is said while there is no link is not kept: the next Hello restates
 * it.
 */
final class AgentLink implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(AgentLink.class);
  private static final long PING_MILLIS = 2_000;

  private final ControlPlane controlPlane;
  private final Supplier<Hello> hello;
  private final Supplier<Condition> condition;
  private final Consumer<ToMachine> inbox;
  private final Runnable onLost;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("agent-link").factory());
  private ControlPlane.@Nullable Link link;
  private int generation;
  private long pings;
  private boolean closed;
  private volatile String lastWhy = "";

  /**
   * @param hello makes the full report; called under the same lock as {@link #send}, so that no
   *     news falls between the two
   * @param condition how the machine is, told with each ping
   * @param onLost called after a link was lost, before the next is dialled
   */
  AgentLink(
      ControlPlane controlPlane,
      Supplier<Hello> hello,
      Supplier<Condition> condition,
      Consumer<ToMachine> inbox,
      Runnable onLost) {
    this.controlPlane = controlPlane;
    this.hello = hello;
    this.condition = condition;
    this.inbox = inbox;
    this.onLost = onLost;
  }

  void start() {
    timer.execute(this::dial);
    var unused =
        timer.scheduleWithFixedDelay(this::ping, PING_MILLIS, PING_MILLIS, TimeUnit.MILLISECONDS);
  }

  /** Says something over the present link, if there is one. */
  synchronized void send(FromMachine message) {
    if (link != null) {
      link.send(message);
    }
  }

  /** Says what there may be much of, as fast as it is taken. */
  void pass(FromMachine message) {
    ControlPlane.Link present;
    synchronized (this) {
      present = link;
    }
    if (present != null) {
      try {
        present.awaitRoom();
      } catch (InterruptedException givenUp) {
        Thread.currentThread().interrupt();
      }
      present.send(message);
    }
  }

  /** Changes what the agent knows and tells of it as one, so that a Hello has it or is followed. */
  synchronized void inOrder(Runnable change) {
    change.run();
  }

  private synchronized void dial() {
    if (closed) {
      return;
    }
    int mine = ++generation;
    try {
      ControlPlane.Link fresh = controlPlane.dial(inbox, why -> lost(mine, why));
      if (mine != generation) {
        return;
      }
      link = fresh;
      fresh.send(FromMachine.newBuilder().setHello(hello.get()).build());
    } catch (RuntimeException failure) {
      LOG.warn("the control plane can't be reached", failure);
      lost(mine, failure.toString());
    }
  }

  private void lost(int which, String why) {
    synchronized (this) {
      if (which != generation) {
        return;
      }
      generation++;
      link = null;
      if (closed) {
        return;
      }
    }
    tell(why);
    onLost.run();
    try {
      var unused =
          timer.schedule(
              this::dial,
              ThreadLocalRandom.current().nextLong(1_000, 2_000),
              TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException closing) {
      // No further link is wanted.
    }
  }

  /** Says why there is no link, once for all tries that fail for the same reason. */
  private void tell(String why) {
    if (!why.equals(lastWhy)) {
      lastWhy = why;
      LOG.info("there is no link to the control plane: {}", why);
    }
  }

  /** The control plane has taken the Hello. */
  void welcomed() {
    lastWhy = "";
    LOG.info("linked to the control plane");
  }

  /** Tells at once how the machine is. */
  synchronized void ping() {
    Ping.Builder ping = Ping.newBuilder().setNumber(++pings).setCondition(condition.get());
    send(FromMachine.newBuilder().setPing(ping).build());
  }

  @Override
  public void close() {
    ControlPlane.Link open;
    synchronized (this) {
      closed = true;
      open = link;
      link = null;
      generation++;
    }
    timer.shutdownNow();
    if (open != null) {
      open.close();
    }
  }
}
