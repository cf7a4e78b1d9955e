package dev.troupe.actors.door;

import dev.troupe.actors.id.TaskId;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What stands behind the socket of a container: any method, bytes in, bytes out. The agent owns the
 * socket, the gateway the answers. The socket is the identity, so the caller is a task and nothing
 * it sends can make it another.
 *
 * <p>Implementations never block the calling thread; an {@link Answer} may be used from any thread,
 * one call at a time.
 */
public interface ContainerDoor {

  /**
   * Begins a call. {@code answer} is told of each message, then of the end, exactly once; after
   * {@link Held#cancel} it may still be told and ignores it.
   */
  Held call(Call call, Answer answer);

  /**
   * One RPC of a container.
   *
   * @param method bare name, as in {@code FunctionGetInputs}
   * @param request the serialized request message
   * @param headers lower-case request headers that the gateway reads ({@code x-idempotency-key},
   *     {@code x-modal-client-version})
   * @param deadline how long the runner waits; null where it set none
   */
  record Call(
      TaskId task,
      String method,
      byte[] request,
      Map<String, String> headers,
      @Nullable Duration deadline) {}

  /** A call that may still be given up: the runner died, or its deadline passed. */
  interface Held {
    void cancel();
  }

  /** Where the answer goes. */
  interface Answer {

    /** One message: the only one of a unary call, any number of a stream. */
    void message(byte[] message);

    /**
     * The end.
     *
     * @param status a gRPC status code; 0 after the messages of a good call
     * @param description for the client's user; empty when good
     * @param details {@code grpc-status-details-bin}; empty when there are none
     */
    void end(int status, String description, byte[] details);
  }
}
