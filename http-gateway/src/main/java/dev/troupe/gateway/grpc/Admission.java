package dev.troupe.gateway.grpc;

import dev.troupe.gateway.rpc.RpcFailure;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The memory that calls may take, of this whole process: a call reserves the length of its request
 * before the request is read, and gives it back at its end. Where there is no room it waits, first
 * come first served, and is refused after a while.
 *
 * <p>Small calls may use all of the budget, large ones only a part: heartbeats and polls pass
 * however many uploads wait.
 */
public final class Admission {

  /** What a call costs beside its message. */
  static final long CALL_BYTES = 2 << 10;

  /** Up to here a call is small. */
  static final long SMALL_BYTES = 64 << 10;

  /** Calls that may wait at a time; the next one is refused at once. */
  static final int MAX_WAITING = 10_000;

  /** When a client that was refused shall come again. */
  static final Duration RETRY_AFTER = Duration.ofSeconds(2);

  private final long totalBytes;
  private final long largeBytes;
  private final Duration patience;
  private final Queue<Waiter> small = new ArrayDeque<>();
  private final Queue<Waiter> large = new ArrayDeque<>();
  private long usedBytes;

  /** A budget of {@code totalBytes}, for which a call waits as long as {@code patience}. */
  public Admission(long totalBytes, Duration patience) {
    this.totalBytes = totalBytes;
    this.largeBytes = totalBytes / 8 * 7;
    this.patience = patience;
  }

  /** A quarter of the heap. */
  public static Admission ofHeap(Duration patience) {
    return new Admission(Runtime.getRuntime().maxMemory() / 4, patience);
  }

  /** Room that was given; to be closed once, further closes do nothing. */
  public interface Reservation extends AutoCloseable {

    /** The room of what takes none. */
    Reservation NONE = () -> {};

    @Override
    void close();
  }

  private record Waiter(long bytes, CompletableFuture<Reservation> given) {}

  /** Asks for room for a message. Fails with RESOURCE_EXHAUSTED when there is none for too long. */
  public CompletionStage<Reservation> reserve(long messageBytes) {
    long bytes = messageBytes + CALL_BYTES;
    boolean isSmall = messageBytes <= SMALL_BYTES;
    if (bytes > (isSmall ? totalBytes : largeBytes)) {
      return CompletableFuture.failedFuture(neverFits(messageBytes));
    }
    Waiter waiter;
    synchronized (this) {
      Queue<Waiter> lane = isSmall ? small : large;
      if (lane.isEmpty() && fits(bytes, isSmall)) {
        usedBytes += bytes;
        return CompletableFuture.completedFuture(reservation(bytes));
      }
      if (small.size() + large.size() >= MAX_WAITING) {
        return CompletableFuture.failedFuture(full());
      }
      waiter = new Waiter(bytes, new CompletableFuture<>());
      lane.add(waiter);
    }
    // The copy times out; the original is completed only under the lock, so no room is lost
    // between a grant and a time-out of the same waiter.
    return waiter
        .given()
        .copy()
        .orTimeout(patience.toMillis(), TimeUnit.MILLISECONDS)
        .exceptionallyCompose(late -> giveUp(waiter));
  }

  /** Takes room without asking: for an answer that is already in memory. Others wait for it. */
  public Reservation charge(long bytes) {
    synchronized (this) {
      usedBytes += bytes;
    }
    return reservation(bytes);
  }

  /** Bytes of the largest message that there is ever room for. */
  public long largestBytes() {
    return largeBytes - CALL_BYTES;
  }

  /** Bytes reserved now. */
  public synchronized long usedBytes() {
    return usedBytes;
  }

  private CompletionStage<Reservation> giveUp(Waiter waiter) {
    synchronized (this) {
      if (small.remove(waiter) || large.remove(waiter)) {
        return CompletableFuture.failedFuture(full());
      }
    }
    return waiter.given();
  }

  private boolean fits(long bytes, boolean isSmall) {
    return usedBytes + bytes <= (isSmall ? totalBytes : largeBytes);
  }

  private Reservation reservation(long bytes) {
    AtomicBoolean open = new AtomicBoolean(true);
    return () -> {
      if (open.compareAndSet(true, false)) {
        release(bytes);
      }
    };
  }

  private void release(long bytes) {
    List<Waiter> served = new ArrayList<>();
    synchronized (this) {
      usedBytes -= bytes;
      serve(small, true, served);
      serve(large, false, served);
    }
    for (Waiter waiter : served) {
      waiter.given().complete(reservation(waiter.bytes()));
    }
  }

  private void serve(Queue<Waiter> lane, boolean isSmall, List<Waiter> served) {
    Waiter first = lane.peek();
    while (first != null && fits(first.bytes(), isSmall)) {
      usedBytes += first.bytes();
      served.add(lane.remove());
      first = lane.peek();
    }
  }

  private static RpcFailure full() {
    return RpcFailure.overloaded(
        "Troupe has no memory free for this request now; it is sent again.", RETRY_AFTER);
  }

  private RpcFailure neverFits(long messageBytes) {
    return RpcFailure.tooLarge(
        "A message of %d MiB needs more memory than this server has for requests (%d MiB, a quarter"
                .formatted(messageBytes >> 20, totalBytes >> 20)
            + " of its heap).");
  }
}
