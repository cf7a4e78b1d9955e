package dev.troupe.actors.function;

import dev.troupe.actors.blob.Payload;
import dev.troupe.actors.function.FunctionProtocol.Beat;
import dev.troupe.actors.function.FunctionProtocol.Beaten;
import dev.troupe.actors.function.FunctionProtocol.Ending;
import dev.troupe.actors.function.FunctionProtocol.Hello;
import dev.troupe.actors.function.FunctionProtocol.Lease;
import dev.troupe.actors.function.FunctionProtocol.LeaseBroken;
import dev.troupe.actors.function.FunctionProtocol.LeaseReply;
import dev.troupe.actors.function.FunctionProtocol.LeasedInput;
import dev.troupe.actors.function.FunctionProtocol.Report;
import dev.troupe.actors.function.FunctionProtocol.ReportReply;
import dev.troupe.actors.function.FunctionProtocol.Reported;
import dev.troupe.actors.function.FunctionProtocol.StartFailed;
import dev.troupe.actors.id.InputId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.node.NodeProtocol.Launch;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A container, its runner, and the door and gateway between them and the function. */
final class SimContainer {

  private static final Duration SLICE = Duration.ofSeconds(5);
  private static final Duration PATIENCE = Duration.ofSeconds(8);

  private final Simulation simulation;
  private final SimMachine machine;
  private final Launch launch;
  private final Map<InputId, LeasedInput> running = new HashMap<>();
  private int reporting;
  private boolean dead;
  private boolean polling;
  private boolean leaving;
  private int polls;
  private int results;

  SimContainer(Simulation simulation, SimMachine machine, Launch launch) {
    this.simulation = simulation;
    this.machine = machine;
    this.launch = launch;
  }

  TaskId task() {
    return launch.task();
  }

  void dead() {
    dead = true;
  }

  void begin() {
    if (dead) {
      return;
    }
    simulation.tell(new Hello(task()));
    beat();
    if (simulation.mishap(0.02)) {
      Payload result = Samples.payload("ImportError");
      ask(new StartFailedQuestion(result));
    } else if (simulation.mishap(0.02)) {
      exit(1);
    } else {
      simulation.after(simulation.between(50, 1_000), this::pollIfFree);
    }
  }

  private record StartFailedQuestion(Payload result) {}

  private void ask(StartFailedQuestion question) {
    if (dead) {
      return;
    }
    simulation.<ReportReply>ask(
        replyTo -> new StartFailed(task(), Status.INIT_FAILURE, question.result(), replyTo),
        PATIENCE,
        reply -> {
          if (reply instanceof ReportReply.Taken) {
            exit(0);
          } else {
            simulation.after(Duration.ofMillis(300), () -> ask(question));
          }
        },
        () -> ask(question));
  }

  private void exit(int code) {
    simulation.after(
        simulation.between(1, 100),
        () -> {
          if (!dead) {
            machine.gone(this, new Ending.Exited(code, 0, false));
          }
        });
  }

  // ---- inputs

  private void pollIfFree() {
    int slots = launch.definition().concurrency().target();
    if (!dead && !polling && !leaving && running.size() + reporting < slots) {
      polling = true;
      polls++;
      poll("poll " + polls);
    }
  }

  /** One request of the runner: asked again and again under its key, as gateways do. */
  private void poll(String key) {
    if (dead) {
      return;
    }
    boolean breaks = simulation.mishap(0.03);
    simulation.<LeaseReply>ask(
        replyTo -> new Lease(task(), key, 1, SLICE, replyTo),
        PATIENCE,
        reply -> {
          if (breaks && !dead) {
            // The runner has hung up, and the answer goes nowhere.
            simulation.tell(new LeaseBroken(task(), key));
            polling = false;
            pollIfFree();
          } else {
            polled(key, reply);
          }
        },
        () -> poll(key));
  }

  private void polled(String key, LeaseReply reply) {
    if (dead) {
      return;
    }
    switch (reply) {
      case LeaseReply.Items(var items) -> {
        polling = false;
        items.forEach(this::run);
        pollIfFree();
      }
      case LeaseReply.Nothing _ -> poll(key);
      case LeaseReply.Elsewhere _ -> simulation.after(Duration.ofMillis(50), () -> poll(key));
      case LeaseReply.Leave _ -> {
        polling = false;
        leaving = true;
        leaveIfIdle();
      }
    }
  }

  private void leaveIfIdle() {
    if (leaving && running.isEmpty() && reporting == 0) {
      exit(0);
    }
  }

  private void run(LeasedInput input) {
    if (input.attempt() > Simulation.RETRIES + Verdict.MOST_LOST - 1) {
      simulation.violation("run too often: " + input);
    }
    LeasedInput other = running.putIfAbsent(input.input(), input);
    if (other != null && other.attempt() == input.attempt()) {
      // An owner died before it could write down the lease: runners drop such a repeat.
      return;
    }
    if (other != null && other.token().epoch() == input.token().epoch()) {
      simulation.violation("runs twice at a time in one container: %s, %s".formatted(other, input));
    }
    if (simulation.mishap(0.03)) {
      // Hangs: until it is killed for it.
      return;
    }
    Duration takes =
        simulation.random.nextInt(10) == 0
            ? simulation.between(1_000, 8_000)
            : simulation.between(1, 300);
    simulation.after(
        takes,
        () -> {
          if (dead || !input.equals(running.get(input.input()))) {
            return;
          }
          if (simulation.mishap(0.03)) {
            exit(3);
          } else {
            finish(input, simulation.mishap(0.1) ? Status.FAILURE : Status.SUCCESS);
          }
        });
  }

  private void finish(LeasedInput input, int status) {
    results++;
    running.remove(input.input());
    reporting++;
    Payload result = Samples.payload("%s, %s, %d".formatted(task(), input.input(), results));
    report(new Reported(input.input(), status, result, 1, input.attempt(), null, simulation.now()));
  }

  private void report(Reported reported) {
    if (dead) {
      return;
    }
    simulation.<ReportReply>ask(
        replyTo -> new Report(task(), List.of(reported), replyTo),
        PATIENCE,
        reply -> {
          if (reply instanceof ReportReply.Taken) {
            reporting--;
            pollIfFree();
            leaveIfIdle();
          } else {
            simulation.after(Duration.ofMillis(200), () -> report(reported));
          }
        },
        () -> report(reported));
  }

  // ---- heartbeats

  private void beat() {
    if (dead) {
      return;
    }
    simulation.<Beaten>ask(
        replyTo -> new Beat(task(), SLICE, replyTo),
        PATIENCE,
        beaten -> {
          for (InputId id : beaten.cancelled()) {
            LeasedInput input = running.get(id);
            if (input != null && !dead) {
              finish(input, Status.TERMINATED);
            }
          }
          simulation.after(Duration.ofMillis(100), this::beat);
        },
        this::beat);
  }
}
