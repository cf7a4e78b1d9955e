package dev.troupe.actors.function;

import dev.troupe.actors.app.AppProtocol;
import dev.troupe.actors.app.AppProtocol.ContainerPhase;
import dev.troupe.actors.blob.Payload;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.function.FunctionProtocol.Ending;
import dev.troupe.actors.function.FunctionProtocol.StartFailed;
import dev.troupe.actors.id.InputId;
import dev.troupe.actors.id.TaskId;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What follows when a container ends or fails to start, and when the app ends: what it held is
 * settled, what waits for a function that can't start is told so. Part of {@link FunctionActor},
 * which calls it from its own thread alone.
 */
final class Endings {

  private final Mailbox mailbox;
  private final OutputDesk outputs;
  private final Fleet fleet;
  private final Runs runs;
  private final Directory directory;

  Endings(Mailbox mailbox, OutputDesk outputs, Fleet fleet, Runs runs, Directory directory) {
    this.mailbox = mailbox;
    this.outputs = outputs;
    this.fleet = fleet;
    this.runs = runs;
    this.directory = directory;
  }

  // ---- containers that end

  void ended(TaskId task, Ending ending, Instant now) {
    Container container = fleet.remove(task);
    if (container == null) {
      return;
    }
    if (container.wasStarted()) {
      EndedContainers.note(directory, container, now);
    }
    boolean told = container.killed() || container.leaving();
    for (InputId id : List.copyOf(container.held())) {
      Input input = mailbox.input(id);
      if (input != null && input.lease() != null && input.lease().task().equals(task)) {
        runs.settle(input, verdict(input, container, ending, told), now);
      }
    }
    fleet.tell(new AppProtocol.Item.Container(task, fleet.function(), ContainerPhase.COMPLETED));
    if (!told && !container.everLeased()) {
      ofNoUse(container, ending, now);
    }
  }

  private static Verdict verdict(Input input, Container container, Ending ending, boolean told) {
    FunctionDefinition definition = container.definition();
    return Verdict.containerEnded(
        ending,
        told,
        input.attempts(),
        input.lost(),
        definition.retries(),
        definition.resources().memoryLimitBytes());
  }

  /** A container ended before it took an input. */
  private void ofNoUse(Container container, Ending ending, Instant now) {
    String why =
        switch (ending) {
          case Ending.Exited exited when exited.outOfMemory() ->
              Verdict.crash(exited, container.definition().resources().memoryLimitBytes());
          case Ending.Exited(var code, var signal, _) ->
              signal != 0
                  ? "Container was killed by signal " + signal + " before it took an input."
                  : "Container exited with code " + code + " before it took an input.";
          case Ending.NeverStarted(var reason) -> "Container could not be started: " + reason;
          case Ending.MachineLost _ -> "";
        };
    if (!why.isEmpty() && fleet.failedToStart(now) && !fleet.anyServing()) {
      failWaiting(Status.INIT_FAILURE, why + " Its app's logs may say more.", now);
    }
  }

  // ---- functions that can't start

  void startFailed(StartFailed failed, Instant now) {
    Container container = fleet.seen(failed.task(), now);
    if (container == null || container.leaving()) {
      return;
    }
    fleet.startFailed(container, now);
    if (!fleet.anyServing()) {
      failWaiting(failed, now);
    }
  }

  /** What waits ends with what the runner said. */
  private void failWaiting(StartFailed failed, Instant now) {
    Payload result = failed.result();
    boolean owned = result.stored() != null || result.attached() != null;
    boolean first = true;
    for (Input input : waiting()) {
      if (owned && !first) {
        // A stored result belongs to one row; the others say where to look.
        runs.end(
            input,
            Status.INIT_FAILURE,
            "The function failed to start; its app's logs say why.",
            now);
      } else {
        OutputRow output =
            new OutputRow(
                input.id(),
                mailbox.nextOutput(),
                failed.status(),
                result,
                "",
                0,
                failed.task().value(),
                null,
                now,
                null);
        outputs.finish(input, output, now);
      }
      first = false;
    }
  }

  /** Containers whose start took too long go; what waits is told so, unless others serve. */
  void overdue(Instant now) {
    for (Container container : fleet.overdue(now)) {
      Duration limit = container.definition().startupTimeout();
      fleet.startFailed(container, now);
      fleet.kill(container, Fleet.KILL_GRACE, now);
      if (!fleet.anyServing()) {
        failWaiting(
            Status.TIMEOUT,
            "The function did not start within its startup timeout of " + limit.toSeconds() + " s.",
            now);
      }
    }
  }

  private void failWaiting(int status, String message, Instant now) {
    waiting().forEach(input -> runs.end(input, status, message, now));
  }

  private List<Input> waiting() {
    return mailbox.inputs().stream().filter(input -> input.lease() == null).toList();
  }

  // ---- calls and apps that end

  /** Ends everything: the app has ended. */
  void terminateAll(String reason, Instant now) {
    for (Input input : List.copyOf(mailbox.inputs())) {
      runs.end(input, Status.TERMINATED, reason, now);
    }
    List.copyOf(mailbox.calls()).forEach(call -> outputs.deliver(call, now));
  }

  /** Of inputs that came from the log, those end whose call or app has ended. */
  void terminate(List<Input> inputs, @Nullable String stopped, Instant now) {
    for (Input input : inputs) {
      if (stopped != null) {
        runs.end(input, Status.TERMINATED, stopped, now);
      } else if (input.call().cancelled()) {
        runs.cancelled(input, now);
      }
    }
  }

  /** Ends an input of a cancelled call. */
  void terminate(Input input, Instant now) {
    runs.cancelled(input, now);
  }
}
