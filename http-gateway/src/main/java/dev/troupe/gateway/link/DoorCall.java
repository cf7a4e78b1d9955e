package dev.troupe.gateway.link;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.Message;
import dev.troupe.actors.door.ContainerDoor;
import dev.troupe.gateway.rpc.Caller;
import dev.troupe.gateway.rpc.ClientType;
import dev.troupe.gateway.rpc.Failures;
import dev.troupe.gateway.rpc.RpcContext;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.RpcMethod;
import dev.troupe.gateway.rpc.StatusCode;
import dev.troupe.protocol.modal.FunctionGetInputsItem;
import dev.troupe.protocol.modal.FunctionGetInputsResponse;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.stream.KillSwitches;
import org.apache.pekko.stream.SharedKillSwitch;
import org.jspecify.annotations.Nullable;

/** One call of a container, from its dispatch to its end. */
final class DoorCall implements ContainerDoor.Held {

  private static final byte[] NO_DETAILS = {};

  private final ContainerDoor.Call call;
  private final ContainerDoor.Answer answer;
  private final ActorSystem<?> system;
  private final CompletableFuture<Void> cancelled = new CompletableFuture<>();
  private final SharedKillSwitch stream = KillSwitches.shared("door call");
  private volatile Runnable whenEnded = () -> {};
  private boolean ended;

  DoorCall(ContainerDoor.Call call, ContainerDoor.Answer answer, ActorSystem<?> system) {
    this.call = call;
    this.answer = answer;
    this.system = system;
  }

  /** Runs the handler for this caller. */
  void dispatch(RpcMethod method, Caller.Task task) {
    String key = call.headers().getOrDefault("x-idempotency-key", "");
    RpcContext context =
        new RpcContext(
            task,
            key.isEmpty() ? UUID.randomUUID().toString() : key,
            call.headers().getOrDefault("x-modal-client-version", ""),
            ClientType.CONTAINER,
            call.deadline(),
            cancelled,
            task.blobUrl());
    CodedInputStream request = CodedInputStream.newInstance(call.request());
    switch (method) {
      case RpcMethod.Unary<?, ?> unary -> unary.call(context, request).whenComplete(this::settle);
      case RpcMethod.Streaming<?, ?> streaming ->
          streaming
              .call(context, request)
              .via(stream.flow())
              .runForeach(this::message, system)
              .whenComplete(this::finish);
    }
  }

  @Override
  public void cancel() {
    cancelled.complete(null);
    stream.abort(RpcFailure.of(StatusCode.CANCELLED, "The call was given up."));
  }

  /** Has something done at the end of the call; to be said before it is dispatched. */
  void whenEnded(Runnable action) {
    whenEnded = action;
  }

  /** Answers a poll for inputs with the kill switch; inputs that were on their way go back. */
  void leave() {
    message(
        FunctionGetInputsResponse.newBuilder()
            .addInputs(FunctionGetInputsItem.newBuilder().setKillSwitch(true))
            .build());
    end(0, "", NO_DETAILS);
    cancel();
  }

  /** Ends the call with a failure. */
  void fail(Throwable failure) {
    RpcFailure refusal = Failures.of(call.method(), failure);
    end(refusal.code().number(), refusal.description(), refusal.detailsBytes());
  }

  private void settle(@Nullable Message message, @Nullable Throwable failure) {
    if (failure == null && message != null) {
      message(message);
      end(0, "", NO_DETAILS);
    } else {
      fail(failure == null ? new IllegalStateException("no answer") : failure);
    }
  }

  private void finish(@Nullable Done done, @Nullable Throwable failure) {
    if (failure == null) {
      end(0, "", NO_DETAILS);
    } else {
      fail(failure);
    }
  }

  private synchronized void message(Message message) {
    if (!ended) {
      answer.message(message.toByteArray());
    }
  }

  private synchronized void end(int status, String description, byte[] details) {
    if (!ended) {
      ended = true;
      answer.end(status, description, details);
      whenEnded.run();
    }
  }
}
