package dev.troupe.gateway.rpc;

import dev.troupe.actors.blob.BlobStore;
import dev.troupe.actors.id.InvalidId;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one table from exceptions to answers. What is not in it is a bug of ours: INTERNAL, logged
 * once, with a number that the user can quote.
 */
public final class Failures {

  /** How long a client waits before it repeats a call whose entity did not answer. */
  public static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  private static final Logger LOG = LoggerFactory.getLogger(Failures.class);

  private Failures() {}

  /** The answer to a failure; {@code rpc} is for the log. */
  public static RpcFailure of(String rpc, Throwable thrown) {
    Throwable failure = unwrapped(thrown);
    return switch (failure) {
      case RpcFailure refusal -> refusal;
      case InvalidId invalid -> RpcFailure.invalid(message(invalid));
      // Ask time-outs: the entity is moving, starting or overloaded. A repeat is safe, since
      // whatever a call makes is named by its idempotency key.
      case TimeoutException ignored ->
          RpcFailure.unavailable("Troupe did not answer %s in time.".formatted(rpc), RETRY_AFTER);
      case BlobStore.Away away -> RpcFailure.unavailable(message(away) + ".", RETRY_AFTER);
      case CancellationException ignored ->
          RpcFailure.of(StatusCode.CANCELLED, "The call was given up.");
      default -> internal(rpc, failure);
    };
  }

  /** The failure itself, out of the wrappers that stages put around it. */
  public static Throwable unwrapped(Throwable thrown) {
    Throwable failure = thrown;
    while (failure instanceof CompletionException
        || failure instanceof ExecutionException
        || failure instanceof UncheckedIOException) {
      Throwable cause = failure.getCause();
      if (cause == null) {
        return failure;
      }
      failure = cause;
    }
    return failure;
  }

  private static RpcFailure internal(String rpc, Throwable failure) {
    String entry = HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt());
    LOG.error("{} failed, entry {}", rpc, entry, failure);
    return RpcFailure.of(
        StatusCode.INTERNAL,
        "Troupe failed to answer %s: a bug of the server, in its log as entry %s."
            .formatted(rpc, entry));
  }

  private static String message(Throwable failure) {
    String message = failure.getMessage();
    return message == null ? failure.getClass().getSimpleName() : message;
  }
}
