package dev.troupe.node.door;

import dev.troupe.actors.door.ContainerDoor;
import dev.troupe.actors.door.ContainerDoor.Answer;
import dev.troupe.actors.door.ContainerDoor.Held;
import dev.troupe.actors.id.TaskId;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.Status;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Hands each call on a task's socket to the door, and the door's answer back. */
final class DoorCalls implements ServerCallHandler<byte[], byte[]> {

  private static final Metadata.Key<byte[]> DETAILS =
      Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);

  private static final List<Metadata.Key<String>> READ =
      Stream.of("x-idempotency-key", "x-modal-client-version")
          .map(name -> Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER))
          .toList();

  private static final String GET_INPUTS = "FunctionGetInputs";
  private static final String PUT_OUTPUTS = "FunctionPutOutputs";

  private final ContainerDoor door;
  private final TaskId task;
  private final InputWatch watch;

  DoorCalls(ContainerDoor door, TaskId task, InputWatch watch) {
    this.door = door;
    this.task = task;
    this.watch = watch;
  }

  @Override
  public ServerCall.Listener<byte[]> startCall(ServerCall<byte[], byte[]> call, Metadata headers) {
    // One message, and one more asked for, so that the end of the request is seen.
    call.request(2);
    return new OpenCall(call, clientHeaders(headers), Context.current().getDeadline());
  }

  /** The few that the gateway reads: a Python client sends a dozen with each call. */
  private static Map<String, String> clientHeaders(Metadata metadata) {
    Map<String, String> headers = new HashMap<>();
    for (Metadata.Key<String> key : READ) {
      String value = metadata.get(key);
      if (value != null) {
        headers.put(key.name(), value);
      }
    }
    return headers;
  }

  private final class OpenCall extends ServerCall.Listener<byte[]> implements Answer {

    private final ServerCall<byte[], byte[]> call;
    private final Map<String, String> headers;
    private final @Nullable Deadline deadline;
    private byte @Nullable [] request;
    private @Nullable Held held;
    private boolean takesInputs;
    private boolean headersSent;
    private boolean over;

    private OpenCall(
        ServerCall<byte[], byte[]> call, Map<String, String> headers, @Nullable Deadline deadline) {
      this.call = call;
      this.headers = headers;
      this.deadline = deadline;
    }

    @Override
    public void onMessage(byte[] message) {
      request = message;
    }

    @Override
    public void onHalfClose() {
      String name = call.getMethodDescriptor().getBareMethodName();
      byte[] message = request;
      if (message == null || name == null) {
        end(Status.Code.INVALID_ARGUMENT.value(), "a call has one message", new byte[0]);
        return;
      }
      takesInputs = name.equals(GET_INPUTS);
      if (name.equals(PUT_OUTPUTS)) {
        watch.gave(message);
      }
      Duration wait =
          deadline == null
              ? null
              : Duration.ofNanos(Math.max(0, deadline.timeRemaining(TimeUnit.NANOSECONDS)));
      Held begun = door.call(new ContainerDoor.Call(task, name, message, headers, wait), this);
      boolean cancelledMeanwhile;
      synchronized (this) {
        held = begun;
        cancelledMeanwhile = over && call.isCancelled();
      }
      if (cancelledMeanwhile) {
        begun.cancel();
      }
    }

    @Override
    public void onCancel() {
      Held open;
      synchronized (this) {
        over = true;
        open = held;
      }
      if (open != null) {
        open.cancel();
      }
    }

    @Override
    public synchronized void message(byte[] message) {
      if (!over) {
        if (takesInputs) {
          watch.given(message);
        }
        sendHeaders();
        call.sendMessage(message);
      }
    }

    @Override
    public synchronized void end(int status, String description, byte[] details) {
      if (over) {
        return;
      }
      over = true;
      Metadata trailers = new Metadata();
      if (details.length > 0) {
        trailers.put(DETAILS, details);
      }
      if (status == 0) {
        sendHeaders();
        call.close(Status.OK, trailers);
      } else {
        call.close(Status.fromCodeValue(status).withDescription(description), trailers);
      }
    }

    private void sendHeaders() {
      if (!headersSent) {
        headersSent = true;
        call.sendHeaders(new Metadata());
      }
    }
  }
}
