package dev.troupe.gateway.link;

import dev.troupe.actors.door.ContainerDoor;
import dev.troupe.gateway.rpc.Caller;
import dev.troupe.gateway.rpc.Permissions;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.RpcMethod;
import dev.troupe.gateway.rpc.RpcTable;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import org.apache.pekko.actor.typed.ActorSystem;

/**
 * The table of RPCs behind the sockets of containers. A socket says which container calls, so there
 * is nothing to prove; what a container may do, {@link Permissions} says.
 */
final class DoorTable implements ContainerDoor {

  /** A longer request is read and dispatched off the calling thread. */
  private static final int LARGE_REQUEST_BYTES = 1 << 20;

  /** What a container asks when it can take an input. */
  private static final String POLL = "FunctionGetInputs";

  private final RpcTable table;
  private final TaskRegistry tasks;
  private final ActorSystem<?> system;
  private final Executor large;
  private final Set<DoorCall> polls = ConcurrentHashMap.newKeySet();
  private volatile boolean retiring;

  /** The door of these containers; {@code large} runs what takes the processor for long. */
  DoorTable(RpcTable table, TaskRegistry tasks, ActorSystem<?> system, Executor large) {
    this.table = table;
    this.tasks = tasks;
    this.system = system;
    this.large = large;
  }

  @Override
  public Held call(Call call, Answer answer) {
    return call(call, answer, true);
  }

  /** The same for containers of other machines, which outlive this process. */
  ContainerDoor elsewhere() {
    return (call, answer) -> call(call, answer, false);
  }

  private Held call(Call call, Answer answer, boolean ends) {
    DoorCall run = new DoorCall(call, answer, system);
    if (ends && call.method().equals(POLL)) {
      polls.add(run);
      run.whenEnded(() -> polls.remove(run));
      if (retiring) {
        run.leave();
        return run;
      }
    }
    try {
      begin(call, run);
    } catch (RuntimeException failure) {
      run.fail(failure);
    }
    return run;
  }

  /**
   * Containers of this process take no more inputs: one that asks for some is told to leave, so
   * idle ones end now and busy ones once they have given their outputs.
   */
  void retire() {
    retiring = true;
    polls.forEach(DoorCall::leave);
  }

  /** Whether {@link #retire} was called. */
  boolean retiring() {
    return retiring;
  }

  private void begin(Call call, DoorCall run) {
    CompletionStage<Caller.Task> caller = tasks.find(call.task()).orElseThrow(() -> unknown(call));
    RpcMethod method = table.require(call.method());
    CompletionStage<Caller.Task> ready =
        call.request().length > LARGE_REQUEST_BYTES
            ? caller.thenApplyAsync(task -> task, large)
            : caller;
    ready
        .thenAccept(
            task -> {
              Permissions.check(task, call.method());
              run.dispatch(method, task);
            })
        .exceptionally(
            failure -> {
              run.fail(failure);
              return null;
            });
  }

  private static RpcFailure unknown(Call call) {
    return RpcFailure.unauthenticated(
        "Container %s is not known here: it has ended, or its machine is not linked."
            .formatted(call.task()));
  }
}
