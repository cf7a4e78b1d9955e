package dev.troupe.gateway.link;

import com.google.protobuf.ByteString;
import dev.troupe.actors.door.ContainerDoor;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.gateway.grpc.Admission.Reservation;
import dev.troupe.gateway.rpc.StatusCode;
import dev.troupe.protocol.link.DoorAnswer;
import dev.troupe.protocol.link.DoorCall;
import dev.troupe.protocol.link.ToMachine;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * The calls of containers whose machine sends them on over its link. A machine may speak for the
 * containers that are placed on it, and for no other.
 */
final class RemoteDoor {

  /** Calls that one machine may have under way. */
  static final int CALLS_LIMIT = 20_000;

  private final ContainerDoor door;
  private final TaskRegistry tasks;
  private final Consumer<ToMachine> link;
  private final Map<Long, ContainerDoor.Held> held = new ConcurrentHashMap<>();
  private volatile boolean closed;

  RemoteDoor(ContainerDoor door, TaskRegistry tasks, Consumer<ToMachine> link) {
    this.door = door;
    this.tasks = tasks;
    this.link = link;
  }

  /** Begins a call; {@code room} is given back at its end. */
  void call(MachineId machine, DoorCall call, Reservation room) {
    TaskId task = new TaskId(call.getTaskId());
    Answered answer = new Answered(call.getCall(), room);
    if (!tasks.isOn(machine, task)) {
      answer.end(
          StatusCode.UNAUTHENTICATED.number(),
          "Container %s is not on machine %s.".formatted(task, machine),
          new byte[0]);
      return;
    }
    if (held.size() >= CALLS_LIMIT) {
      answer.end(
          StatusCode.RESOURCE_EXHAUSTED.number(),
          "Machine %s has %d calls under way.".formatted(machine, CALLS_LIMIT),
          new byte[0]);
      return;
    }
    // The end may come before the call is known here, so it is entered first.
    Begun begun = new Begun(room);
    held.put(call.getCall(), begun);
    begun.is(
        door.call(
            new ContainerDoor.Call(
                task,
                call.getMethod(),
                call.getRequest().toByteArray(),
                Map.copyOf(call.getHeadersMap()),
                call.getTimeoutMs() == 0
                    ? null
                    : Duration.ofMillis(Integer.toUnsignedLong(call.getTimeoutMs()))),
            answer));
  }

  /** The runner has given up a call. */
  void cancel(long call) {
    ContainerDoor.Held given = held.remove(call);
    if (given != null) {
      given.cancel();
    }
  }

  /** The link is gone; the agent asks again on the next one. */
  void close() {
    closed = true;
    held.values().forEach(ContainerDoor.Held::cancel);
    held.clear();
  }

  /** A call that may be given up while it is begun. */
  private static final class Begun implements ContainerDoor.Held {
    private final CompletableFuture<ContainerDoor.Held> call = new CompletableFuture<>();
    private final Reservation room;

    private Begun(Reservation room) {
      this.room = room;
    }

    void is(ContainerDoor.Held begun) {
      call.complete(begun);
    }

    @Override
    public void cancel() {
      room.close();
      CompletionStage<ContainerDoor.Held> known = call;
      known.thenAccept(ContainerDoor.Held::cancel);
    }
  }

  /** Sends answers over the link. */
  private final class Answered implements ContainerDoor.Answer {
    private final long call;
    private final Reservation room;

    private Answered(long call, Reservation room) {
      this.call = call;
      this.room = room;
    }

    @Override
    public void message(byte[] message) {
      send(DoorAnswer.newBuilder().setCall(call).setMessage(ByteString.copyFrom(message)));
    }

    @Override
    public void end(int status, String description, byte[] details) {
      held.remove(call);
      room.close();
      send(
          DoorAnswer.newBuilder()
              .setCall(call)
              .setEnd(true)
              .setStatus(status)
              .setStatusMessage(description)
              .setStatusDetails(ByteString.copyFrom(details)));
    }

    private void send(DoorAnswer.Builder answer) {
      if (!closed) {
        link.accept(ToMachine.newBuilder().setDoorAnswer(answer).build());
      }
    }
  }
}
