package dev.troupe.actors.function;

import static dev.troupe.actors.function.Harness.PATIENCE;
import static dev.troupe.actors.function.Harness.SHORT;
import static dev.troupe.actors.function.Harness.text;
import static dev.troupe.actors.function.Samples.input;
import static dev.troupe.actors.function.Samples.inputs;
import static dev.troupe.actors.function.Samples.map;
import static dev.troupe.actors.function.Samples.unary;
import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.calllog.CallLog.Written;
import dev.troupe.actors.calllog.CallRow.Invocation;
import dev.troupe.actors.calllog.OutputNumber;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.function.FunctionProtocol.AwaitReply;
import dev.troupe.actors.function.FunctionProtocol.FinishInputs;
import dev.troupe.actors.function.FunctionProtocol.LeaseReply;
import dev.troupe.actors.function.FunctionProtocol.LeasedInput;
import dev.troupe.actors.function.FunctionProtocol.PutInputs;
import dev.troupe.actors.function.FunctionProtocol.ReportReply;
import dev.troupe.actors.function.FunctionProtocol.SubmitReply;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.testing.ManualSystem;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** Calls, inputs and outputs, as their callers see them. */
class FunctionCallsTest {

  private static final ManualSystem SYSTEM = new ManualSystem();

  @AfterAll
  static void stop() {
    SYSTEM.close();
  }

  private static Harness harness() {
    return new Harness(SYSTEM);
  }

  @Test
  void aFunctionNobodyDefinedSaysSo() {
    Harness at = harness();

    at.submit(unary(at.call("c"), Invocation.SYNC), input(0));

    at.submits.expectMessageClass(SubmitReply.NoFunction.class);
  }

  @Test
  void aFunctionThatIsNotPublishedSaysSo() {
    Harness at = harness();
    at.function.tell(
        new FunctionProtocol.Define(
            Samples.definition(at.id),
            SYSTEM.kit().<FunctionProtocol.Defined>createTestProbe().ref()));

    at.submit(unary(at.call("c"), Invocation.SYNC), input(0));

    assertThat(at.submits.expectMessageClass(SubmitReply.NoFunction.class).why())
        .contains("not published");
  }

  @Test
  void aCallIsAnsweredOnceItIsDurable() {
    Harness at = harness().publish();
    at.log.holdCommits();

    at.submit(unary(at.call("c"), Invocation.SYNC), input(0));
    at.submits.expectNoMessage(SHORT);
    at.log.releaseCommits();

    at.submits.expectMessage(new SubmitReply.Accepted(at.call("c")));
  }

  @Test
  void aSingleReaderGetsAnOutputBeforeItsCommitAndTheMarkGoesIntoTheSameRow() {
    Harness at = harness().publish();
    CallId call = at.remote("c");
    TaskId task = at.started();
    LeasedInput input = at.lease(task);
    at.get(call, PATIENCE, true);
    at.quiesce();
    at.log.holdCommits();

    at.report(task, input, Status.SUCCESS, "result");

    assertThat(text(at.output())).isEqualTo("result");
    at.reports.expectNoMessage(SHORT);
    assertThat(at.log.commit(1)).isOne();
    at.reports.expectMessage(new ReportReply.Taken());
    OutputRow stored = at.log.outputsOf(call, 0, 0).toCompletableFuture().join().getFirst();
    assertThat(stored.clearedAt()).isNotNull();
    at.quiesce();
    assertThat(at.log.heldWrites()).isZero();
  }

  @Test
  void manyReadersGetAnOutputAfterItsCommitAgainAndAgain() {
    Harness at = harness().publish();
    CallId call = at.spawn("c");
    TaskId task = at.started();
    LeasedInput input = at.lease(task);
    at.get(call, PATIENCE, false);
    at.quiesce();
    at.log.holdCommits();

    at.report(task, input, Status.SUCCESS, "result");

    at.awaits.expectNoMessage(SHORT);
    at.log.releaseCommits();
    assertThat(text(at.output())).isEqualTo("result");
    at.get(call, PATIENCE, false);
    assertThat(text(at.output())).isEqualTo("result");
  }

  @Test
  void aReaderWhoComesBetweenAnOutputAndItsCommitIsNotToldThatThereIsNone() {
    Harness at = harness().publish();
    CallId call = at.spawn("c");
    TaskId task = at.started();
    LeasedInput input = at.lease(task);
    at.quiesce();
    at.log.holdCommits();
    at.report(task, input, Status.SUCCESS, "result");

    at.get(call, Duration.ZERO, false);
    assertThat(at.outputs().unfinished()).isOne();
    at.get(call, PATIENCE, false);
    at.awaits.expectNoMessage(SHORT);
    at.log.releaseCommits();

    assertThat(text(at.output())).isEqualTo("result");
  }

  @Test
  void aRepeatedCallIsAnsweredLikeTheFirstAndRunsOnce() {
    Harness at = harness().publish();
    at.log.holdCommits();
    at.submit(unary(at.call("c"), Invocation.ASYNC), input(0));
    at.submit(unary(at.call("c"), Invocation.ASYNC), input(0));
    at.submits.expectNoMessage(SHORT);
    at.log.releaseCommits();
    at.submits.expectMessage(new SubmitReply.Accepted(at.call("c")));
    at.submits.expectMessage(new SubmitReply.Accepted(at.call("c")));

    at.accepted(unary(at.call("c"), Invocation.ASYNC), input(0));

    TaskId task = at.started();
    at.lease(task);
    at.poll(task);
    at.leases.expectNoMessage(SHORT);
  }

  @Test
  void aCallWhoseCommitIsRefusedNeverWasAndMayComeAgain() {
    Harness at = harness().publish();
    at.refuse(new Written.Overloaded());
    at.submit(unary(at.call("c"), Invocation.SYNC), input(0));
    at.submits.expectMessageClass(SubmitReply.Overloaded.class);
    at.get(at.call("c"), Duration.ZERO, true);
    at.awaits.expectMessage(new AwaitReply.Unknown(at.call("c")));

    CallId call = at.remote("c");

    TaskId task = at.started();
    at.succeed(task, at.lease(task), "result");
    at.get(call, PATIENCE, true);
    assertThat(text(at.output())).isEqualTo("result");
  }

  @Test
  void anOutputOfACallThatWasNeverTakenInIsSeenByNobody() {
    Harness at = harness().publish();
    CallId call = at.accepted(map(at.call("m"), Invocation.SYNC));
    at.function.tell(new PutInputs(call, inputs(0, 0), at.submits.ref()));
    at.submits.expectMessageClass(SubmitReply.Accepted.class);
    TaskId task = at.started();
    at.succeed(task, at.lease(task), "first");
    at.after(call, OutputNumber.START, PATIENCE);
    OutputNumber cursor = at.outputs().last();
    at.poll(task);
    at.after(call, cursor, PATIENCE);
    at.quiesce();
    at.refuse(new Written.Overloaded());
    at.log.holdCommits();

    at.function.tell(new PutInputs(call, inputs(1, 1), at.submits.ref()));
    at.report(task, at.leased(), Status.SUCCESS, "of the refused");
    at.awaits.expectNoMessage(SHORT);
    at.log.releaseCommits();
    at.submits.expectMessageClass(SubmitReply.Overloaded.class);
    at.function.tell(new PutInputs(call, inputs(1, 1), at.submits.ref()));
    at.submits.expectMessageClass(SubmitReply.Accepted.class);
    at.succeed(task, at.lease(task), "of the taken");

    assertThat(text(at.output())).isEqualTo("of the taken");
  }

  @Test
  void aMapGivesItsOutputsBehindACursor() {
    Harness at = harness().publish();
    CallId call = at.accepted(map(at.call("m"), Invocation.SYNC));
    at.function.tell(new PutInputs(call, inputs(0, 2), at.submits.ref()));
    at.submits.expectMessageClass(SubmitReply.Accepted.class);
    TaskId task = at.started();
    List<String> seen = new ArrayList<>();
    OutputNumber cursor = OutputNumber.START;
    for (int i = 0; i < 3; i++) {
      at.after(call, cursor, PATIENCE);
      at.succeed(task, at.lease(task), "output " + i);
      AwaitReply.Outputs outputs = at.outputs();
      outputs.outputs().forEach(row -> seen.add(text(row)));
      cursor = outputs.last();
    }
    assertThat(seen).containsExactly("output 0", "output 1", "output 2");

    at.function.tell(new FinishInputs(call, 3, at.submits.ref()));
    at.submits.expectMessageClass(SubmitReply.Accepted.class);
    at.after(call, cursor, PATIENCE);
    assertThat(at.outputs()).isEqualTo(new AwaitReply.Outputs(List.of(), cursor, 0));
    at.after(call, OutputNumber.START, PATIENCE);
    assertThat(at.outputs().outputs()).hasSize(3);
  }

  @Test
  void aRepeatOfInputsIsNotAnsweredBeforeTheFirstIsDurable() {
    Harness at = harness().publish();
    CallId call = at.accepted(map(at.call("m"), Invocation.ASYNC));
    at.log.holdCommits();
    at.function.tell(new PutInputs(call, inputs(0, 9), at.submits.ref()));
    at.function.tell(new PutInputs(call, inputs(0, 9), at.submits.ref()));
    at.submits.expectNoMessage(SHORT);
    at.log.releaseCommits();

    at.submits.expectMessageClass(SubmitReply.Accepted.class);
    at.submits.expectMessageClass(SubmitReply.Accepted.class);
  }

  @Test
  void aRepeatOfInputsHearsOfTheRefusalOfTheFirst() {
    Harness at = harness().publish();
    CallId call = at.accepted(map(at.call("m"), Invocation.ASYNC));
    at.log.holdCommits();
    at.refuse(new Written.Overloaded());
    at.function.tell(new PutInputs(call, inputs(0, 9), at.submits.ref()));
    at.function.tell(new PutInputs(call, inputs(0, 9), at.submits.ref()));
    at.quiesce();
    at.log.releaseCommits();

    at.submits.expectMessageClass(SubmitReply.Overloaded.class);
    at.submits.expectMessageClass(SubmitReply.Overloaded.class);
  }

  @Test
  void aRepeatedReportIsNotAnsweredBeforeTheFirstIsDurable() {
    Harness at = harness().publish();
    at.spawn("c");
    TaskId task = at.started();
    LeasedInput input = at.lease(task);
    at.quiesce();
    at.log.holdCommits();

    at.report(task, input, Status.SUCCESS, "result");
    at.report(task, input, Status.SUCCESS, "result");

    at.reports.expectNoMessage(SHORT);
    at.log.releaseCommits();
    at.reports.expectMessage(new ReportReply.Taken());
    at.reports.expectMessage(new ReportReply.Taken());
  }

  @Test
  void anOutputWaitsForAnOverloadedLog() {
    Harness at = harness().publish();
    CallId call = at.spawn("c");
    TaskId task = at.started();
    LeasedInput input = at.lease(task);
    at.quiesce();
    at.log.overloaded(true);
    at.report(task, input, Status.SUCCESS, "result");
    at.reports.expectNoMessage(SHORT);
    at.pass(Duration.ofSeconds(1));
    at.reports.expectNoMessage(SHORT);
    at.log.overloaded(false);

    at.pass(Duration.ofSeconds(1));

    at.reports.expectMessage(new ReportReply.Taken());
    at.get(call, PATIENCE, false);
    assertThat(text(at.output())).isEqualTo("result");
  }

  @Test
  void tooManyInputsAreRefusedWithADelay() {
    Harness at =
        harness()
            .settings(
                new FunctionSettings(
                    5, 10, Duration.ofMinutes(2), Duration.ofSeconds(10), Duration.ofMinutes(2)))
            .publish();
    CallId call = at.accepted(map(at.call("m"), Invocation.ASYNC));
    at.function.tell(new PutInputs(call, inputs(0, 9), at.submits.ref()));
    at.submits.expectMessageClass(SubmitReply.Accepted.class);

    at.function.tell(new PutInputs(call, inputs(10, 10), at.submits.ref()));

    assertThat(at.submits.expectMessageClass(SubmitReply.Overloaded.class).retryAfter())
        .isPositive();
  }

  @Test
  void aLongMailboxIsReadFromTheLogInItsOrder() {
    Harness at =
        harness()
            .settings(
                new FunctionSettings(
                    8, 1_000, Duration.ofMinutes(2), Duration.ofSeconds(10), Duration.ofMinutes(2)))
            .publish();
    CallId call = at.accepted(map(at.call("m"), Invocation.ASYNC));
    for (int i = 0; i < 100; i += 10) {
      at.function.tell(new PutInputs(call, inputs(i, i + 9), at.submits.ref()));
      at.submits.expectMessageClass(SubmitReply.Accepted.class);
    }
    TaskId task = at.started();
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      LeasedInput input = at.lease(task);
      order.add(input.input().index());
      at.succeed(task, input, "result");
    }

    assertThat(order).isSorted().hasSize(100).doesNotHaveDuplicates();
    at.poll(task);
    at.leases.expectNoMessage(SHORT);
  }

  @Test
  void patienceThatIsOverIsAnsweredWithWhatIsOutstanding() {
    Harness at = harness().publish();
    CallId call = at.spawn("c");
    at.get(call, PATIENCE, false);

    at.pass(PATIENCE.plusSeconds(1));

    assertThat(at.outputs()).isEqualTo(new AwaitReply.Outputs(List.of(), OutputNumber.START, 1));
  }

  @Test
  void aPollUnderOneKeyGetsTheSameInputsAndABrokenOneLeavesThemToTheNext() {
    Harness at = harness().publish();
    at.spawn("c");
    TaskId task = at.started();
    String key = at.poll(task);
    LeasedInput first = at.leased();

    at.function.tell(new FunctionProtocol.Lease(task, key, 1, PATIENCE, at.leases.ref()));
    assertThat(at.leased().token()).isEqualTo(first.token());
    at.function.tell(new FunctionProtocol.LeaseBroken(task, key));
    assertThat(at.lease(task).token()).isEqualTo(first.token());
    at.succeed(task, first, "result");
    at.poll(task);
    at.pass(Duration.ofSeconds(6));

    at.leases.expectMessage(new LeaseReply.Nothing());
  }
}
