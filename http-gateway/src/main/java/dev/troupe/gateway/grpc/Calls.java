package dev.troupe.gateway.grpc;

import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

/** The calls that are under way on this public port. */
final class Calls {

  private final Set<GrpcCall> calls = ConcurrentHashMap.newKeySet();
  private final CompletableFuture<Void> empty = new CompletableFuture<>();
  private volatile boolean draining;

  /** Whether new calls are refused. */
  boolean draining() {
    return draining;
  }

  /** How many are under way. */
  int size() {
    return calls.size();
  }

  void begun(GrpcCall call) {
    calls.add(call);
    if (draining) {
      call.drain();
    }
  }

  void ended(GrpcCall call) {
    calls.remove(call);
    if (draining && calls.isEmpty()) {
      empty.complete(null);
    }
  }

  /** Refuses new calls, ends those that only wait, and completes when none is left. */
  CompletionStage<Void> drain() {
    draining = true;
    calls.forEach(GrpcCall::drain);
    if (calls.isEmpty()) {
      empty.complete(null);
    }
    return empty;
  }
}
