package dev.troupe.persistence.calllog;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What waits for the committer, first come first served, bounded in bytes. Many threads offer, one
 * takes. The lock guards memory only.
 *
 * <p>A commit costs about the same whatever it holds, so two kinds of waiting make groups bigger:
 * what is not urgent waits for what is, {@code patience} at most, and while groups are big, a next
 * one waits {@code delay} at most to become as big as the last.
 */
final class CommitQueue {

  /**
   * The bounds.
   *
   * @param waitingBytes past this, offers are refused
   * @param groupBytes what one group takes at most, unless its first request alone is bigger
   * @param groupSize requests a group takes at most
   * @param pace how long it is worth to wait for company
   */
  record Limits(long waitingBytes, long groupBytes, int groupSize, Pace pace) {}

  /**
   * How long it is worth to wait for company.
   *
   * @param patienceNanos of requests that are not urgent
   * @param siblings requests of a group after which the next one waits; as PostgreSQL has it
   * @param delayNanos how long that one waits at most
   */
  record Pace(long patienceNanos, int siblings, long delayNanos) {}

  /** What became of an offer. */
  enum Offer {
    TAKEN,
    FULL,
    CLOSED
  }

  private final Limits limits;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition arrived = lock.newCondition();
  private final Deque<CommitRequest> waiting = new ArrayDeque<>();
  private long waitingBytes;
  private int urgent;
  private long since;
  private int lastSize;
  private boolean closed;
  private boolean woken;

  CommitQueue(Limits limits) {
    this.limits = limits;
  }

  /** Adds a request, unless too much waits already; an empty queue takes one of any size. */
  Offer offer(CommitRequest request) {
    lock.lock();
    try {
      if (closed) {
        return Offer.CLOSED;
      }
      if (!waiting.isEmpty() && waitingBytes + request.sizeBytes() > limits.waitingBytes()) {
        return Offer.FULL;
      }
      add(request);
      return Offer.TAKEN;
    } finally {
      lock.unlock();
    }
  }

  private void add(CommitRequest request) {
    if (waiting.isEmpty()) {
      since = System.nanoTime();
    }
    waiting.add(request);
    waitingBytes += request.sizeBytes();
    if (request.urgent()) {
      urgent++;
    }
    // Not for each one: to wake a thread that goes on waiting costs more than the request itself.
    if (waiting.size() == 1 || (request.urgent() && urgent == 1) || waiting.size() == lastSize) {
      arrived.signal();
    }
  }

  /** Makes the taker return soon, with what there is. */
  void wake() {
    lock.lock();
    try {
      woken = true;
      arrived.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Waits, without taking anything, until somebody {@link #wake}s the taker. */
  void awaitWake() {
    lock.lock();
    try {
      while (!woken) {
        arrived.await();
      }
      woken = false;
    } catch (InterruptedException nobodyShould) {
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits for requests and takes the next group, all of one kind. Empty once {@code due} (of {@link
   * System#nanoTime}) has come without any, the taker was woken, or the queue is closed and nothing
   * is left.
   */
  List<CommitRequest> take(OptionalLong due) {
    lock.lock();
    try {
      awaitGroup(due);
      woken = false;
      List<CommitRequest> group = new ArrayList<>();
      long bytes = 0;
      while (!waiting.isEmpty() && fits(waiting.element(), group, bytes)) {
        CommitRequest next = waiting.remove();
        bytes += next.sizeBytes();
        urgent -= next.urgent() ? 1 : 0;
        group.add(next);
      }
      waitingBytes -= bytes;
      lastSize = group.size();
      return group;
    } finally {
      lock.unlock();
    }
  }

  private void awaitGroup(OptionalLong due) {
    try {
      awaitReason(due);
      awaitCompany();
    } catch (InterruptedException nobodyShould) {
      Thread.currentThread().interrupt();
    }
  }

  private void awaitReason(OptionalLong due) throws InterruptedException {
    while (urgent == 0 && !closed && !woken) {
      long now = System.nanoTime();
      long left = due.isPresent() ? due.getAsLong() - now : Long.MAX_VALUE;
      if (!waiting.isEmpty()) {
        left = Math.min(left, since + limits.pace().patienceNanos() - now);
      }
      if (left <= 0) {
        return;
      }
      long unused = arrived.awaitNanos(left);
    }
  }

  private void awaitCompany() throws InterruptedException {
    if (lastSize < limits.pace().siblings()) {
      return;
    }
    long left = limits.pace().delayNanos();
    while (!closed && !waiting.isEmpty() && waiting.size() < lastSize && left > 0) {
      left = arrived.awaitNanos(left);
    }
  }

  /** Whether nothing more is to be taken, now or later. */
  boolean isDrained() {
    lock.lock();
    try {
      return closed && waiting.isEmpty();
    } finally {
      lock.unlock();
    }
  }

  private boolean fits(CommitRequest next, List<CommitRequest> group, long bytes) {
    return group.isEmpty()
        || (group.size() < limits.groupSize()
            && bytes + next.sizeBytes() <= limits.groupBytes()
            && next.getClass() == group.getFirst().getClass());
  }

  /** Refuses what comes from now on; what waits is still taken. */
  void close() {
    lock.lock();
    try {
      closed = true;
      arrived.signal();
    } finally {
      lock.unlock();
    }
  }
}
