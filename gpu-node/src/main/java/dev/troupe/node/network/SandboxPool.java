package dev.troupe.node.network;

import dev.troupe.node.linux.SpareWorker;
import dev.troupe.node.network.NetworkPlan.Sandbox;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sandboxes made ahead of need, a few of each kind, so that starting a container waits for none.
 * One thread makes and removes them; nobody else waits for it unless the stock has run out.
 */
public final class SandboxPool implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(SandboxPool.class);

  private final MachineNetwork network;
  private final int size;
  private final Deque<Sandbox> open = new ArrayDeque<>();
  private final Deque<Sandbox> blocked = new ArrayDeque<>();
  private final Set<Sandbox> leased = new HashSet<>();
  private final SpareWorker worker = new SpareWorker("sandboxes");

  /**
   * @param size how many of each kind wait
   */
  public SandboxPool(MachineNetwork network, int size) {
    this.network = network;
    this.size = size;
    refill();
  }

  /** Takes one; {@code withWayOut} tells the kinds apart. */
  public Sandbox lease(boolean withWayOut) throws IOException {
    @Nullable Sandbox ready;
    synchronized (this) {
      ready = stock(withWayOut).poll();
    }
    Sandbox sandbox = ready != null ? ready : network.create(withWayOut);
    if (withWayOut) {
      network.wayOutNeeded();
    }
    synchronized (this) {
      leased.add(sandbox);
    }
    refill();
    return sandbox;
  }

  /** Gives one back; it is removed, since a used one may hold connections. */
  public void release(Sandbox sandbox) {
    synchronized (this) {
      if (!leased.remove(sandbox)) {
        return;
      }
    }
    if (sandbox.open()) {
      try {
        network.wayOutSpared();
      } catch (IOException failure) {
        LOG.warn("ip_forward was not restored", failure);
      }
    }
    worker.submit(() -> network.remove(sandbox));
  }

  private Deque<Sandbox> stock(boolean withWayOut) {
    return withWayOut ? open : blocked;
  }

  private void refill() {
    worker.submit(
        () -> {
          fill(true);
          fill(false);
        });
  }

  private void fill(boolean withWayOut) {
    while (wants(withWayOut)) {
      try {
        Sandbox fresh = network.create(withWayOut);
        synchronized (this) {
          stock(withWayOut).add(fresh);
        }
      } catch (IOException failure) {
        LOG.warn("no sandbox could be made ahead of need", failure);
        return;
      }
    }
  }

  private synchronized boolean wants(boolean withWayOut) {
    return !worker.isClosed() && stock(withWayOut).size() < size;
  }

  /** Stops making more. What is there goes with the network itself. */
  @Override
  public void close() {
    worker.close();
    for (Sandbox sandbox : Set.copyOf(leased)) {
      if (sandbox.open()) {
        try {
          network.wayOutSpared();
        } catch (IOException failure) {
          LOG.warn("ip_forward was not restored", failure);
        }
      }
    }
  }
}
