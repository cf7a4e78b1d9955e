package dev.troupe.gateway.grpc;

import dev.troupe.gateway.rpc.RpcFailure;

/** The longest request message that is taken. */
final class MessageLimit {

  /** 100 MiB: the largest that the client sends is about 98 (49 inputs of 2 MiB). */
  static final long BYTES = 100L << 20;

  private MessageLimit() {}

  /** The refusal of a message that says it is longer. */
  static RpcFailure exceededBy(long bytes) {
    return exceededBy(bytes, BYTES);
  }

  /** The refusal of a message that is longer than {@code mostBytes}. */
  static RpcFailure exceededBy(long bytes, long mostBytes) {
    return RpcFailure.tooLarge(
        "The message is %d MiB long; Troupe takes at most %d MiB."
            .formatted(Math.ceilDiv(bytes, 1L << 20), mostBytes >> 20));
  }
}
