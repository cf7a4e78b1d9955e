package dev.troupe.gateway.rpc;

import java.time.Duration;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * What a handler knows of a call beside the request.
 *
 * @param idempotencyKey the caller's {@code x-idempotency-key}, the same in every repeat of one
 *     call; a random one where the caller sent none, so never empty
 * @param clientVersion the caller's {@code x-modal-client-version}; empty where it sent none
 * @param timeout how long the caller waits from the start of the call; null where it set no limit
 * @param cancelled completes when the caller has gone before the end; never fails. A waiting
 *     handler gives up what it holds then, and its answer is dropped
 * @param blobUrl base URL, without a slash at its end, for blob links given to this caller
 */
public record RpcContext(
    Caller caller,
    String idempotencyKey,
    String clientVersion,
    ClientType clientType,
    @Nullable Duration timeout,
    CompletionStage<Void> cancelled,
    String blobUrl) {

  /**
   * Lets a call pass that is about something of the environment of this key: a container reaches no
   * other than its own.
   */
  public void requireWithin(String environment) {
    if (caller instanceof Caller.Task task && !environment.equals(task.environment())) {
      throw RpcFailure.denied("A container may not reach into another environment than its own.");
    }
  }

  /** The task that calls; PERMISSION_DENIED for any other caller. */
  public Caller.Task task() {
    if (caller instanceof Caller.Task task) {
      return task;
    }
    throw RpcFailure.denied("Only a container may make this call.");
  }
}
