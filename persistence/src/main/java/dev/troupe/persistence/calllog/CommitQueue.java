package dev.troupe.persistence.calllog;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What waits for the committer, first come first served, bounded in bytes. Many threads offer, one
 * takes. The lock guards memory only.
 */
final class CommitQueue {

  /**
   * The bounds.
   *
   * @param waitingBytes past this, offers are refused
   * @param groupBytes what one group takes at most, unless its first request alone is bigger
   * @param groupSize requests a group takes at most
   */
  record Limits(long waitingBytes, long groupBytes, int groupSize) {}

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
  private boolean closed;

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
      waiting.add(request);
      waitingBytes += request.sizeBytes();
      arrived.signal();
      return Offer.TAKEN;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits for requests and takes the next group: all writes, or all claims. Empty once the queue is
   * closed and nothing is left.
   */
  List<CommitRequest> take() {
    lock.lock();
    try {
      while (waiting.isEmpty() && !closed) {
        arrived.awaitUninterruptibly();
      }
      List<CommitRequest> group = new ArrayList<>();
      long bytes = 0;
      while (!waiting.isEmpty() && fits(waiting.element(), group, bytes)) {
        CommitRequest next = waiting.remove();
        bytes += next.sizeBytes();
        group.add(next);
      }
      waitingBytes -= bytes;
      return group;
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
