package dev.troupe.actors.function;

import dev.troupe.actors.calllog.CallRow;
import dev.troupe.actors.calllog.CallRow.Invocation;
import dev.troupe.actors.calllog.OutputNumber;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.function.FunctionProtocol.Await;
import dev.troupe.actors.function.FunctionProtocol.AwaitReply;
import dev.troupe.actors.function.FunctionProtocol.Cancel;
import dev.troupe.actors.function.FunctionProtocol.Command;
import dev.troupe.actors.function.FunctionProtocol.FinishInputs;
import dev.troupe.actors.function.FunctionProtocol.PutInputs;
import dev.troupe.actors.function.FunctionProtocol.Submit;
import dev.troupe.actors.function.FunctionProtocol.SubmitReply;
import dev.troupe.actors.function.FunctionProtocol.Wanted;
import dev.troupe.actors.id.CallId;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;

/** One caller, one call: hands in until it is taken, reads until it has everything. */
final class SimCaller {

  private static final Duration SLICE = Duration.ofSeconds(5);
  private static final Duration PATIENCE = Duration.ofSeconds(8);
  private static final int CHUNK = 8;

  private final Simulation simulation;
  private final CallId id;
  private final Invocation invocation;
  private final boolean unary;
  private final int size;
  private final boolean cancels;
  private final Map<Integer, OutputRow> seen = new HashMap<>();
  private int taken;
  private int rereads;
  private boolean begun;
  private boolean curtailed;

  SimCaller(Simulation simulation, String name) {
    this.simulation = simulation;
    this.id = Samples.call(Simulation.F, name);
    this.invocation = List.of(Invocation.values()).get(simulation.random.nextInt(3));
    this.unary = simulation.random.nextInt(3) > 0;
    this.size = unary ? 1 : 1 + simulation.random.nextInt(60);
    this.cancels = simulation.random.nextInt(8) == 0;
    this.rereads = invocation == Invocation.ASYNC ? 5 : 0;
  }

  boolean done() {
    return curtailed
        ? seen.size() >= taken
        : begun && taken == size && seen.size() == size && rereads == 0;
  }

  void complain() {
    simulation.violation(
        "%s %s waits for ever: %d of %d taken, %d seen"
            .formatted(id, invocation, taken, size, seen.size()));
  }

  void begin() {
    begun = true;
    CallRow row =
        new CallRow(
            id,
            unary ? CallRow.Kind.UNARY : CallRow.Kind.MAP,
            invocation,
            unary ? 1 : -1,
            false,
            simulation.now());
    say(
        replyTo -> new Submit(row, unary ? Samples.inputs(0, 0) : List.of(), replyTo),
        () -> {
          taken = unary ? 1 : 0;
          put();
          read(OutputNumber.START);
          if (cancels) {
            simulation.after(simulation.between(100, 20_000), this::cancel);
          }
        });
  }

  private void put() {
    if (taken >= size) {
      if (!unary) {
        say(replyTo -> new FinishInputs(id, size, replyTo), () -> {});
      }
      return;
    }
    int last = Math.min(size, taken + CHUNK) - 1;
    PutInputsQuestion question = new PutInputsQuestion(taken, last);
    say(
        question::to,
        () -> {
          taken = last + 1;
          if (simulation.mishap(0.2)) {
            // A repeat that was long on its way.
            say(question::to, () -> {});
          }
          put();
        });
  }

  private final class PutInputsQuestion {
    private final int first;
    private final int last;

    PutInputsQuestion(int first, int last) {
      this.first = first;
      this.last = last;
    }

    Command to(ActorRef<SubmitReply> replyTo) {
      return new PutInputs(id, Samples.inputs(first, last), replyTo);
    }
  }

  private void cancel() {
    say(replyTo -> new Cancel(id, simulation.random.nextBoolean(), replyTo), () -> {});
  }

  /** Says something until it is taken. */
  private void say(Function<ActorRef<SubmitReply>, Command> question, Runnable accepted) {
    Runnable again = () -> say(question, accepted);
    simulation.<SubmitReply>ask(
        question,
        PATIENCE,
        reply -> {
          switch (reply) {
            case SubmitReply.Accepted _ -> accepted.run();
            case SubmitReply.Overloaded _, SubmitReply.Moved _ ->
                simulation.after(simulation.between(50, 1_000), again);
            case SubmitReply.NoFunction(var why) -> simulation.violation(id + ": " + why);
            // A cancelled call that is settled and no longer at hand takes nothing more.
            case SubmitReply.NoCall _ when cancels -> curtailed = true;
            case SubmitReply.NoCall _ -> simulation.violation(id + " is not known any more");
          }
        },
        again);
  }

  // ---- reading

  private void read(OutputNumber cursor) {
    Wanted wanted = unary ? new Wanted.Range(0, 0) : new Wanted.After(cursor);
    simulation.<AwaitReply>ask(
        replyTo -> new Await(id, wanted, 7, invocation != Invocation.ASYNC, SLICE, replyTo),
        PATIENCE,
        reply -> {
          switch (reply) {
            case AwaitReply.Outputs(var outputs, var last, var unfinished) -> {
              outputs.forEach(this::see);
              if (outputs.isEmpty() && unfinished == 0 && taken == size && seen.size() < size) {
                simulation.violation(id + " is told that nothing is to come");
              }
              goOn(last, outputs.isEmpty());
            }
            case AwaitReply.Unknown _ -> simulation.violation(id + " is unknown to a reader");
            case AwaitReply.Away _ -> simulation.after(Duration.ofMillis(50), () -> read(cursor));
          }
        },
        () -> read(cursor));
  }

  private void goOn(OutputNumber cursor, boolean empty) {
    if (seen.size() < size || taken < size) {
      simulation.after(Duration.ofMillis(empty ? 50 : 1), () -> read(cursor));
    } else if (rereads > 0) {
      rereads--;
      simulation.after(simulation.between(100, 60_000), () -> read(OutputNumber.START));
    }
  }

  private void see(OutputRow row) {
    OutputRow before = seen.putIfAbsent(row.input().index(), row);
    if (before == null || before.number().equals(row.number())) {
      return;
    }
    // A single reader may have had an output early whose owner then died before its commit.
    boolean early = invocation != Invocation.ASYNC;
    if (!early || before.number().epoch() == row.number().epoch()) {
      simulation.violation("two results of one input: %s and %s".formatted(before, row));
    }
  }

  /** In the end each input has one result in the log, and readers saw that one. */
  void check() {
    List<OutputRow> rows = simulation.log.outputsOf(id, 0, size).toCompletableFuture().join();
    if (curtailed ? rows.size() < taken : rows.size() != size) {
      simulation.violation(
          "%s has %d of %d results: %s"
              .formatted(
                  id, rows.size(), size, rows.stream().map(r -> r.input().index()).toList()));
    }
    for (OutputRow row : rows) {
      OutputRow had = seen.get(row.input().index());
      boolean same = had != null && had.number().equals(row.number());
      if (invocation == Invocation.ASYNC && !same && !(curtailed && had == null)) {
        simulation.violation("%s was read as %s".formatted(row, had));
      }
    }
  }
}
