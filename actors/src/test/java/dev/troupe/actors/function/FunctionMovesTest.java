package dev.troupe.actors.function;

import static dev.troupe.actors.function.Harness.PATIENCE;
import static dev.troupe.actors.function.Harness.SHORT;
import static dev.troupe.actors.function.Harness.text;
import static dev.troupe.actors.function.Samples.M;
import static dev.troupe.actors.function.Samples.inputs;
import static dev.troupe.actors.function.Samples.map;
import static dev.troupe.actors.function.Samples.unary;
import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.calllog.CallRow.Invocation;
import dev.troupe.actors.calllog.OutputNumber;
import dev.troupe.actors.function.FunctionProtocol.AwaitReply;
import dev.troupe.actors.function.FunctionProtocol.Cancel;
import dev.troupe.actors.function.FunctionProtocol.Command;
import dev.troupe.actors.function.FunctionProtocol.ContainersOn;
import dev.troupe.actors.function.FunctionProtocol.LeaseReply;
import dev.troupe.actors.function.FunctionProtocol.LeasedInput;
import dev.troupe.actors.function.FunctionProtocol.PutInputs;
import dev.troupe.actors.function.FunctionProtocol.ReportReply;
import dev.troupe.actors.function.FunctionProtocol.Stop;
import dev.troupe.actors.function.FunctionProtocol.Stopped;
import dev.troupe.actors.function.FunctionProtocol.SubmitReply;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.node.NodeProtocol.ReportContainers;
import dev.troupe.actors.testing.ManualSystem;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding.Passivate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** Crashes, moves, second owners: what a function is after it was elsewhere. */
class FunctionMovesTest {

  private static final ManualSystem SYSTEM = new ManualSystem();

  @AfterAll
  static void stop() {
    SYSTEM.close();
  }

  private static Harness harness() {
    return new Harness(SYSTEM);
  }

  private static void expectReportContainers(Harness at) {
    Harness.awaitMessage(
        at.machine,
        message -> message instanceof ReportContainers ? Optional.of(message) : Optional.empty());
  }

  // ---- starting again

  @Test
  void anAcceptedInputRunsAfterACrash() {
    Harness at = harness().publish();
    CallId call = at.spawn("c");

    at.restart();

    TaskId task = Samples.task("one");
    at.succeed(task, at.lease(task), "result");
    at.get(call, PATIENCE, false);
    assertThat(text(at.output())).isEqualTo("result");
  }

  @Test
  void aResultIsTheSameAfterACrash() {
    Harness at = harness().publish();
    CallId call = at.spawn("c");
    TaskId task = at.started();
    at.succeed(task, at.lease(task), "result");

    at.restart();

    at.get(call, PATIENCE, false);
    assertThat(text(at.output())).isEqualTo("result");
    at.pass(Duration.ofSeconds(1));
    assertThat(at.containers()).isZero();
  }

  @Test
  void aResultOfACallThatIsNotInMemoryComesFromTheLog() {
    Harness at = harness().publish();
    CallId call = at.spawn("c");
    TaskId task = at.started();
    at.succeed(task, at.lease(task), "result");
    at.pass(Duration.ofMinutes(3));

    at.restart();

    at.get(call, PATIENCE, false);
    assertThat(text(at.output())).isEqualTo("result");
    at.get(at.call("never was"), PATIENCE, false);
    at.awaits.expectMessage(new AwaitReply.Unknown(at.call("never was")));
  }

  @Test
  void aContainerThatLivedThroughItGoesOnWithWhatItRan() {
    Harness at = harness().publish();
    CallId call = at.spawn("c");
    TaskId task = at.started();
    LeasedInput input = at.lease(task);

    at.restart();
    at.beat(task);
    at.pass(Duration.ofSeconds(15));

    at.succeed(task, input, "result");
    at.get(call, PATIENCE, false);
    assertThat(text(at.output())).isEqualTo("result");
    assertThat(at.containers()).isOne();
  }

  @Test
  void aContainerThatRunsForLongIsNotTakenForOneThatDoesNotStart() {
    Harness at = harness();
    at.publish(at.define().timeout(Duration.ofHours(1)).make(), 1);
    CallId call = at.spawn("c");
    TaskId task = at.started();
    LeasedInput input = at.lease(task);

    at.restart();
    at.function.tell(new ContainersOn(M, List.of(task)));
    for (int i = 0; i < 10; i++) {
      at.pass(Duration.ofSeconds(20));
      at.function.tell(new ContainersOn(M, List.of(task)));
    }

    at.succeed(task, input, "result");
    at.get(call, PATIENCE, false);
    assertThat(text(at.output())).isEqualTo("result");
  }

  @Test
  void whatAContainerHadThatIsGoneRunsOnceEveryMachineHasSpoken() {
    Harness at = harness().publish();
    CallId call = at.spawn("c");
    TaskId task = at.started();
    at.lease(task);

    at.restart();
    expectReportContainers(at);
    at.function.tell(new ContainersOn(M, List.of()));
    at.pass(Duration.ofMillis(500));

    TaskId other = at.started();
    at.succeed(other, at.lease(other), "result");
    at.get(call, PATIENCE, false);
    assertThat(text(at.output())).isEqualTo("result");
  }

  @Test
  void whatAContainerHadThatNobodySpeaksOfRunsWhenTimeIsUp() {
    Harness at = harness().publish();
    at.spawn("c");
    TaskId task = at.started();
    at.lease(task);
    at.machines.clear();

    at.restart();
    at.pass(Duration.ofMillis(9_500));
    at.poll(task);
    at.leases.expectNoMessage(SHORT);
    at.restart();
    at.pass(Duration.ofSeconds(11));

    TaskId other = Samples.task("another one");
    assertThat(at.lease(other).attempt()).isZero();
  }

  @Test
  void spentAttemptsSurviveSoThatAPoisonedInputEnds() {
    Harness at = harness();
    at.publish(at.define().retries(1, Duration.ZERO).make(), 1);
    CallId call = at.spawn("c");
    TaskId task = at.started();
    at.lease(task);
    at.ended(task, new FunctionProtocol.Ending.Exited(1, 0, false));
    at.quiesce();

    at.restart();

    TaskId other = Samples.task("another one");
    LeasedInput second = at.lease(other);
    assertThat(second.attempt()).isOne();
    at.ended(other, new FunctionProtocol.Ending.Exited(1, 0, false));
    at.get(call, PATIENCE, false);
    assertThat(at.output().status()).isEqualTo(Status.FAILURE);
  }

  @Test
  void aMapGoesOnBehindItsCursor() {
    Harness at = harness().publish();
    CallId call = at.accepted(map(at.call("m"), Invocation.SYNC));
    at.function.tell(new PutInputs(call, inputs(0, 1), at.submits.ref()));
    at.submits.expectMessageClass(SubmitReply.Accepted.class);
    TaskId task = at.started();
    at.succeed(task, at.lease(task), "before");
    at.after(call, OutputNumber.START, PATIENCE);
    OutputNumber cursor = at.outputs().last();

    at.restart();
    at.after(call, cursor, PATIENCE);
    at.quiesce();
    at.succeed(task, at.lease(task), "after");

    AwaitReply.Outputs outputs = at.outputs();
    assertThat(outputs.outputs()).extracting(Harness::text).containsExactly("after");
    at.after(call, OutputNumber.START, PATIENCE);
    assertThat(at.outputs().outputs()).extracting(Harness::text).containsExactly("before");
    at.after(call, outputs.last(), Duration.ZERO);
    assertThat(at.outputs().outputs()).isEmpty();
  }

  @Test
  void inputsRepeatedAfterACrashRunOnce() {
    Harness at = harness().publish();
    CallId call = at.accepted(map(at.call("m"), Invocation.ASYNC));
    at.function.tell(new PutInputs(call, inputs(0, 2), at.submits.ref()));
    at.submits.expectMessageClass(SubmitReply.Accepted.class);
    TaskId task = at.started();
    at.succeed(task, at.lease(task), "result");

    at.restart();
    at.function.tell(new PutInputs(call, inputs(0, 2), at.submits.ref()));
    at.submits.expectMessageClass(SubmitReply.Accepted.class);
    at.function.tell(new PutInputs(call, inputs(3, 3), at.submits.ref()));
    at.submits.expectMessageClass(SubmitReply.Accepted.class);

    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      LeasedInput input = at.lease(task);
      order.add(input.input().index());
      at.succeed(task, input, "result");
    }
    assertThat(order).containsExactly(1, 2, 3);
    at.poll(task);
    at.leases.expectNoMessage(SHORT);
  }

  @Test
  void aLongMailboxIsReadOnInItsOrder() {
    Harness at =
        harness()
            .settings(
                new FunctionSettings(
                    4, 100, Duration.ofMinutes(2), Duration.ofSeconds(10), Duration.ofMinutes(2)))
            .publish();
    CallId call = at.accepted(map(at.call("m"), Invocation.ASYNC));
    at.function.tell(new PutInputs(call, inputs(0, 19), at.submits.ref()));
    at.submits.expectMessageClass(SubmitReply.Accepted.class);
    at.restart();

    TaskId task = Samples.task("one");
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      LeasedInput input = at.lease(task);
      order.add(input.input().index());
      at.succeed(task, input, "result");
    }

    assertThat(order).isSorted().hasSize(20);
  }

  @Test
  void aCancelledCallStaysSoWhateverOfItIsInTheLogAlone() {
    Harness at =
        harness()
            .settings(
                new FunctionSettings(
                    4, 100, Duration.ofMinutes(2), Duration.ofSeconds(10), Duration.ofMinutes(2)))
            .publish();
    CallId call = at.accepted(map(at.call("m"), Invocation.ASYNC));
    at.function.tell(new PutInputs(call, inputs(0, 19), at.submits.ref()));
    at.submits.expectMessageClass(SubmitReply.Accepted.class);
    at.function.tell(new Cancel(call, false, at.submits.ref()));
    at.submits.expectMessageClass(SubmitReply.Accepted.class);

    at.restart();
    at.poll(Samples.task("one"));
    at.pass(Duration.ofSeconds(1));

    at.leases.expectNoMessage(SHORT);
    assertThat(at.log.outputsOf(call, 0, 19).toCompletableFuture().join())
        .hasSize(20)
        .allMatch(row -> row.status() == Status.TERMINATED);
  }

  @Test
  void anAppThatEndedStaysSoWhateverIsInTheLogAlone() {
    Harness at =
        harness()
            .settings(
                new FunctionSettings(
                    4, 100, Duration.ofMinutes(2), Duration.ofSeconds(10), Duration.ofMinutes(2)))
            .publish();
    CallId call = at.accepted(map(at.call("m"), Invocation.ASYNC));
    at.function.tell(new PutInputs(call, inputs(0, 19), at.submits.ref()));
    at.submits.expectMessageClass(SubmitReply.Accepted.class);

    at.function.tell(new Stop("over", at.stops.ref()));
    at.pass(Duration.ofSeconds(1));

    at.stops.expectMessage(new Stopped(at.id));
    assertThat(at.log.outputsOf(call, 0, 19).toCompletableFuture().join()).hasSize(20);
  }

  @Test
  void aLogThatIsAwayIsAskedAgainAndWhoeverAskedMeanwhileIsAnswered() {
    Harness at = harness().publish();
    at.kill();
    at.log.failReads(2);
    at.function = at.second();
    at.submit(unary(at.call("c"), Invocation.ASYNC), Samples.input(0));
    at.submits.expectNoMessage(SHORT);

    SYSTEM.pass(Duration.ofSeconds(1));
    SYSTEM.pass(Duration.ofSeconds(1));

    at.submits.expectMessage(new SubmitReply.Accepted(at.call("c")));
  }

  // ---- two owners

  @Test
  void anOwnerThatIsFencedTellsWhoeverWaitsToAskAgainAndStops() {
    Harness at = harness().publish();
    CallId call = at.spawn("c");
    TaskId task = at.started();
    LeasedInput input = at.lease(task);
    CallId other = at.spawn("other");
    at.get(other, PATIENCE, false);
    at.beat(task);
    at.quiesce();
    at.log.holdCommits();
    at.report(task, input, Status.SUCCESS, "result of the fenced");
    at.submit(unary(at.call("d"), Invocation.SYNC), Samples.input(0));
    at.poll(task);
    at.quiesce();
    at.log.claim(at.id);
    var gone = SYSTEM.kit().createTestProbe();

    at.log.releaseCommits();

    at.reports.expectMessageClass(ReportReply.Again.class);
    at.submits.expectMessage(new SubmitReply.Moved());
    at.awaits.expectMessage(new AwaitReply.Away());
    at.beats.expectMessageClass(FunctionProtocol.Beaten.class);
    gone.expectTerminated(at.function, PATIENCE);
    assertThat(at.log.outputsOf(call, 0, 0).toCompletableFuture().join()).isEmpty();
  }

  @Test
  void aResultThatASecondOwnerHasIsNotGivenByTheFirst() {
    Harness at = harness().publish();
    CallId call = at.spawn("c");
    TaskId task = at.started();
    LeasedInput input = at.lease(task);
    ActorRef<Command> first = at.function;
    ActorRef<Command> second = at.second();
    at.function = second;
    at.beat(task);
    at.quiesce();
    at.succeed(task, input, "of the second");

    at.function = first;
    at.report(task, input, Status.SUCCESS, "of the first");

    at.reports.expectMessageClass(ReportReply.Again.class);
    at.function = second;
    at.get(call, PATIENCE, false);
    assertThat(text(at.output())).isEqualTo("of the second");
  }

  // ---- moving

  @Test
  void aMoveTurnsAwayWhoeverWaitsAndEndsWithTheLastCommit() {
    Harness at = harness().publish();
    CallId call = at.spawn("c");
    TaskId task = at.started();
    LeasedInput input = at.lease(task);
    at.get(call, PATIENCE, false);
    at.poll(task);
    at.quiesce();
    at.log.holdCommits();
    at.report(task, input, Status.SUCCESS, "result");
    at.quiesce();

    at.function.tell(FunctionActor.handOffCommand());

    at.awaits.expectMessage(new AwaitReply.Away());
    at.leases.expectMessage(new LeaseReply.Elsewhere());
    at.submit(unary(at.call("d"), Invocation.SYNC), Samples.input(0));
    at.submits.expectMessage(new SubmitReply.Moved());
    at.log.releaseCommits();
    at.reports.expectMessage(new ReportReply.Taken());
    SYSTEM.kit().createTestProbe().expectTerminated(at.function, PATIENCE);
  }

  @Test
  void aFunctionWithNothingToDoAsksToLeaveMemory() {
    Harness at = harness().publish();
    CallId call = at.spawn("c");
    TaskId task = at.started();
    at.succeed(task, at.lease(task), "result");
    at.pass(Duration.ofMinutes(3));
    at.shard.expectNoMessage(SHORT);
    at.ended(task, new FunctionProtocol.Ending.Exited(0, 0, false));
    at.get(call, PATIENCE, false);
    at.output();

    at.pass(Duration.ofSeconds(130));

    at.shard.expectMessageClass(Passivate.class);
  }

  @Test
  void aFunctionThatNeverWasLeavesMemoryToo() {
    Harness at = harness();
    at.get(at.call("c"), PATIENCE, false);
    at.awaits.expectMessageClass(AwaitReply.Unknown.class);

    SYSTEM.pass(Duration.ofSeconds(130));

    at.shard.expectMessageClass(Passivate.class);
  }
}
