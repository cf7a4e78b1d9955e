package dev.troupe.actors.function;

import static dev.troupe.actors.function.Harness.PATIENCE;
import static dev.troupe.actors.function.Harness.SHORT;
import static dev.troupe.actors.function.Harness.text;
import static dev.troupe.actors.function.Samples.M;
import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.app.AppProtocol.ContainerPhase;
import dev.troupe.actors.app.AppProtocol.Item;
import dev.troupe.actors.calllog.CallRow.Invocation;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.function.FunctionDefinition.Gpu;
import dev.troupe.actors.function.FunctionProtocol.Beaten;
import dev.troupe.actors.function.FunctionProtocol.Cancel;
import dev.troupe.actors.function.FunctionProtocol.ContainersOn;
import dev.troupe.actors.function.FunctionProtocol.Ending;
import dev.troupe.actors.function.FunctionProtocol.LeaseReply;
import dev.troupe.actors.function.FunctionProtocol.LeasedInput;
import dev.troupe.actors.function.FunctionProtocol.ReportReply;
import dev.troupe.actors.function.FunctionProtocol.StartFailed;
import dev.troupe.actors.function.FunctionProtocol.Stop;
import dev.troupe.actors.function.FunctionProtocol.Stopped;
import dev.troupe.actors.function.FunctionProtocol.SubmitReply;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.node.NodeProtocol.Grant;
import dev.troupe.actors.node.NodeProtocol.GrantReply;
import dev.troupe.actors.node.NodeProtocol.StopTask;
import dev.troupe.actors.placement.PlacementProtocol;
import dev.troupe.actors.placement.PlacementProtocol.Want;
import dev.troupe.actors.testing.ManualSystem;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** Containers: how they come, fail, end, and go. */
class FunctionContainersTest {

  private static final ManualSystem SYSTEM = new ManualSystem();
  private static final Ending EXITED = new Ending.Exited(1, 0, false);

  @AfterAll
  static void stop() {
    SYSTEM.close();
  }

  private static Harness harness() {
    return new Harness(SYSTEM);
  }

  private static OutputRow outcome(Harness at, CallId call) {
    at.get(call, PATIENCE, false);
    return at.output();
  }

  // ---- runs that fail

  @Test
  void aFailedRunIsRepeatedAfterItsDelayAndTheRunnerIsToldWhichRunItIs() {
    Harness at = harness();
    at.publish(at.define().retries(2, Duration.ofSeconds(2)).make(), 1);
    CallId call = at.spawn("c");
    TaskId task = at.started();
    LeasedInput first = at.lease(task);
    at.report(task, first, Status.FAILURE, "failed");
    at.reports.expectMessage(new ReportReply.Taken());
    at.poll(task);
    at.leases.expectNoMessage(SHORT);

    at.pass(Duration.ofMillis(2_250));

    LeasedInput second = at.leased();
    assertThat(second.attempt()).isEqualTo(first.attempt() + 1);
    at.report(task, second, Status.FAILURE, "failed");
    at.poll(task);
    at.pass(Duration.ofMillis(4_250));
    at.report(task, at.leased(), Status.FAILURE, "failed for good");
    assertThat(text(outcome(at, call))).isEqualTo("failed for good");
  }

  @Test
  void aLateReportOfAnEarlierRunIsOfNoUse() {
    Harness at = harness();
    at.publish(at.define().retries(1, Duration.ZERO).make(), 1);
    CallId call = at.spawn("c");
    TaskId task = at.started();
    LeasedInput first = at.lease(task);
    at.report(task, first, Status.FAILURE, "failed");
    LeasedInput second = at.lease(task);

    at.report(task, first, Status.SUCCESS, "late");
    at.reports.expectMessage(new ReportReply.Taken());
    at.reports.expectMessage(new ReportReply.Taken());
    at.succeed(task, second, "in time");

    assertThat(text(outcome(at, call))).isEqualTo("in time");
  }

  @Test
  void anInputThatRunsTooLongEndsAndItsContainerIsKilled() {
    Harness at = harness();
    at.publish(at.define().timeout(Duration.ofSeconds(3)).make(), 1);
    CallId call = at.spawn("c");
    TaskId task = at.started();
    LeasedInput input = at.lease(task);

    at.pass(Duration.ofMillis(3_250));

    OutputRow output = outcome(at, call);
    assertThat(output.status()).isEqualTo(Status.TIMEOUT);
    assertThat(output.message()).contains("timeout of 3 s");
    at.expectStop(task);
    at.report(task, input, Status.SUCCESS, "late");
    at.reports.expectMessage(new ReportReply.Taken());
    assertThat(outcome(at, call)).isEqualTo(output);
  }

  @Test
  void aTimedOutInputIsRetriedInAnotherContainer() {
    Harness at = harness();
    at.publish(at.define().timeout(Duration.ofSeconds(3)).retries(1, Duration.ZERO).make(), 1);
    CallId call = at.spawn("c");
    TaskId task = at.started();
    at.lease(task);

    at.pass(Duration.ofMillis(3_250));

    TaskId other = at.started();
    at.succeed(other, at.lease(other), "in time");
    assertThat(text(outcome(at, call))).isEqualTo("in time");
  }

  @Test
  void aContainerThatExitsFailsWhatItRan() {
    Harness at = harness().publish();
    CallId call = at.spawn("c");
    TaskId task = at.started();
    at.lease(task);

    at.ended(task, new Ending.Exited(3, 0, false));

    OutputRow output = outcome(at, call);
    assertThat(output.status()).isEqualTo(Status.FAILURE);
    assertThat(output.message()).contains("exited with code 3");
    at.news(Item.Container.class, item -> item.phase() == ContainerPhase.COMPLETED);
  }

  @Test
  void aContainerThatUsedTooMuchMemorySaysSo() {
    Harness at = harness().publish();
    CallId call = at.spawn("c");
    TaskId task = at.started();
    at.lease(task);

    at.ended(task, new Ending.Exited(137, 9, true));

    OutputRow output = outcome(at, call);
    assertThat(output.status()).isEqualTo(Status.OUT_OF_MEMORY);
    assertThat(output.message()).contains("256 MiB");
  }

  @Test
  void aCrashIsRetriedElsewhere() {
    Harness at = harness();
    at.publish(at.define().retries(1, Duration.ZERO).make(), 1);
    CallId call = at.spawn("c");
    TaskId task = at.started();
    at.lease(task);

    at.ended(task, EXITED);

    TaskId other = at.started();
    assertThat(other).isNotEqualTo(task);
    at.succeed(other, at.lease(other), "result");
    assertThat(text(outcome(at, call))).isEqualTo("result");
  }

  @Test
  void anInputThatLosesThreeMachinesEnds() {
    Harness at = harness().publish();
    CallId call = at.spawn("c");
    for (int i = 0; i < 3; i++) {
      TaskId task = at.started();
      at.lease(task);
      at.ended(task, new Ending.MachineLost("power cut"));
    }

    OutputRow output = outcome(at, call);
    assertThat(output.status()).isEqualTo(Status.INTERNAL_FAILURE);
    assertThat(output.message()).contains("power cut");
  }

  @Test
  void lateWordsOfAContainerThatIsGoneMakeNoGhost() {
    Harness at = harness().publish();
    at.spawn("c");
    TaskId task = at.started();
    at.lease(task);
    at.ended(task, EXITED);

    at.beat(task);
    at.beats.expectMessageClass(Beaten.class);
    at.poll(task);
    at.leases.expectMessageClass(LeaseReply.Leave.class);
    at.function.tell(new FunctionProtocol.Hello(task));

    assertThat(at.containers()).isZero();
  }

  // ---- starts that fail

  @Test
  void whatWaitsIsToldWhyTheFunctionCannotStart() {
    Harness at = harness().publish();
    CallId call = at.spawn("c");
    TaskId task = at.started();

    at.function.tell(
        new StartFailed(task, Status.FAILURE, Samples.payload("ImportError"), at.reports.ref()));

    at.reports.expectMessage(new ReportReply.Taken());
    assertThat(text(outcome(at, call))).isEqualTo("ImportError");
    at.ended(task, new Ending.Exited(0, 0, false));
    at.pass(Duration.ofSeconds(1));
    assertThat(at.containers()).isZero();
  }

  @Test
  void aFunctionThatCrashesAtItsStartIsTriedThreeTimesEachTimeLater() {
    Harness at = harness().publish();
    CallId call = at.spawn("c");
    at.get(call, Duration.ofMinutes(1), false);
    at.ended(at.started(), EXITED);
    at.machine.expectNoMessage(SHORT);
    at.pass(Duration.ofMillis(250));
    at.ended(at.started(), EXITED);
    at.pass(Duration.ofMillis(250));
    at.machine.expectNoMessage(SHORT);
    at.pass(Duration.ofMillis(250));

    at.ended(at.started(), EXITED);

    OutputRow output = at.output();
    assertThat(output.status()).isEqualTo(Status.INIT_FAILURE);
    assertThat(output.message()).contains("exited with code 1");
  }

  @Test
  void anotherDefinitionIsStartedAtOnceHoweverOftenTheOneBeforeFailed() {
    Harness at = harness().publish();
    at.spawn("c");
    for (int i = 0; i < 3; i++) {
      at.ended(at.started(), EXITED);
      at.pass(Duration.ofSeconds(1));
    }
    at.publish(at.define().version("2").make(), 2);

    at.spawn("d");

    assertThat(at.expectGrant().launch().definition().definitionId())
        .isEqualTo(at.define().version("2").make().definitionId());
  }

  @Test
  void aStartThatTakesTooLongEndsAndWhatWaitsIsTold() {
    Harness at = harness().publish();
    CallId call = at.spawn("c");
    at.get(call, Duration.ofMinutes(5), false);
    TaskId task = at.started();
    at.function.tell(new FunctionProtocol.Hello(task));

    at.pass(Duration.ofSeconds(121));

    assertThat(at.output().status()).isEqualTo(Status.TIMEOUT);
    at.expectStop(task);
  }

  // ---- scale

  @Test
  void oneInputBringsOneContainerWhichLeavesWhenItWasIdleForItsWindow() {
    Harness at = harness().publish();
    at.spawn("c");
    TaskId task = at.started();
    at.machine.expectNoMessage(SHORT);
    at.succeed(task, at.lease(task), "result");
    for (int i = 0; i < 11; i++) {
      at.poll(task);
      at.pass(Duration.ofSeconds(5));
      at.leases.expectMessage(new LeaseReply.Nothing());
    }
    at.pass(Duration.ofSeconds(4));
    at.poll(task);

    at.pass(Duration.ofSeconds(2));

    at.leases.expectMessageClass(LeaseReply.Leave.class);
    at.ended(task, new Ending.Exited(0, 0, false));
    assertThat(at.containers()).isZero();
  }

  @Test
  void timeSpentWaitingForAMachineIsNotIdle() {
    Harness at = harness().publish();
    at.spawn("c");
    Grant grant = at.expectGrant();
    at.pass(Duration.ofMinutes(2));
    TaskId task = grant.launch().task();
    at.function.tell(new FunctionProtocol.ContainerStarted(task, M));
    at.succeed(task, at.lease(task), "result");
    at.poll(task);

    at.pass(Duration.ofSeconds(4));

    at.leases.expectNoMessage(SHORT);
  }

  @Test
  void theMinimumIsStartedWithTheVersionAndKept() {
    Harness at = harness();
    at.publish(at.define().containers(2, 5, 0).make(), 1);
    TaskId one = at.started();
    TaskId two = at.started();
    at.machine.expectNoMessage(SHORT);
    at.poll(one);
    at.poll(two);
    at.pass(Duration.ofMinutes(3));
    assertThat(at.containers()).isEqualTo(2);

    at.ended(one, EXITED);
    at.pass(Duration.ofSeconds(1));

    assertThat(at.started()).isNotIn(one, two);
  }

  @Test
  void noMoreThanTheMaximumAreStarted() {
    Harness at = harness();
    at.publish(at.define().containers(0, 2, 0).make(), 1);
    for (int i = 0; i < 10; i++) {
      at.spawn("c" + i);
    }
    at.pass(Duration.ofMillis(250));
    TaskId one = at.started();
    TaskId two = at.started();
    at.lease(one);
    at.lease(two);

    at.pass(Duration.ofSeconds(30));

    assertThat(at.containers()).isEqualTo(2);
  }

  @Test
  void aBusyFunctionHasItsBuffer() {
    Harness at = harness();
    at.publish(at.define().containers(0, 5, 2).make(), 1);
    at.spawn("c");
    TaskId task = at.started();
    at.lease(task);

    at.pass(Duration.ofSeconds(1));

    assertThat(at.containers()).isEqualTo(3);
  }

  @Test
  void anInputBehindALongOneDoesNotWaitForIt() {
    Harness at = harness().publish();
    at.spawn("short");
    TaskId task = at.started();
    at.succeed(task, at.lease(task), "result");
    at.spawn("long");
    at.lease(task);
    CallId behind = at.spawn("behind");
    at.machine.expectNoMessage(SHORT);

    at.pass(Duration.ofMillis(1_250));

    TaskId other = at.started();
    at.succeed(other, at.lease(other), "result");
    assertThat(text(outcome(at, behind))).isEqualTo("result");
  }

  @Test
  void aSingleUseContainerTakesOneInputAndItsEndIsNoCrash() {
    Harness at = harness();
    at.publish(at.define().singleUse().make(), 1);
    CallId first = at.spawn("first");
    TaskId task = at.started();
    at.succeed(task, at.lease(task), "one");
    CallId second = at.spawn("second");
    TaskId other = at.started();
    assertThat(other).isNotEqualTo(task);
    at.poll(task);
    at.leases.expectMessageClass(LeaseReply.Leave.class);
    at.ended(task, new Ending.Exited(0, 0, false));

    at.succeed(other, at.lease(other), "two");

    assertThat(text(outcome(at, first))).isEqualTo("one");
    assertThat(text(outcome(at, second))).isEqualTo("two");
  }

  // ---- places

  @Test
  void whatNoMachineHasIsSaidOnce() {
    Harness at = harness();
    at.publish(at.define().gpus(new Gpu("H100", 1)).make(), 1);
    at.spawn("c");
    at.spawn("d");

    assertThat(at.news(Item.Notice.class, _ -> true).text())
        .isEqualTo("f is waiting for 1×H100: no machine has that, of 1 connected");
    Set<TaskId> wanted = new HashSet<>();
    for (int i = 0; i < 6; i++) {
      wanted.add(Harness.awaitMessage(at.pool, this::want).task());
      at.pass(Duration.ofSeconds(5));
    }
    assertThat(wanted).hasSize(2);
    at.function.tell(new Stop("over", at.stops.ref()));
    at.stops.expectMessage(new Stopped(at.id));
    Harness.awaitMessage(
        at.app,
        message -> {
          assertThat(message.toString()).doesNotContain("Notice");
          return message.toString().contains("COMPLETED") ? Optional.of(true) : Optional.empty();
        });
  }

  private Optional<Want> want(PlacementProtocol.Command it) {
    return it instanceof Want want ? Optional.of(want) : Optional.empty();
  }

  @Test
  void aWishThatIsLostIsSaidAgainToTheSameMachine() {
    Harness at = harness().publish();
    at.spawn("c");
    Grant first = at.expectGrant();

    at.pass(Duration.ofMillis(5_250));

    assertThat(at.expectGrant().launch()).usingRecursiveComparison().isEqualTo(first.launch());
    assertThat(at.containers()).isOne();
  }

  @Test
  void aMachineThatRefusesIsNotAskedAgainForIt() {
    Harness at = harness().publish();
    at.spawn("c");
    Grant grant = at.expectGrant();

    grant.replyTo().tell(new GrantReply.Refused(grant.launch().task(), M, "full"));

    assertThat(Harness.awaitMessage(at.pool, this::want).task()).isEqualTo(grant.launch().task());
    at.function.tell(new FunctionProtocol.Placed(grant.launch().task(), Samples.N, null));
    at.news(Item.LogsOn.class, item -> item.machine().equals(Samples.N));
  }

  @Test
  void aPlaceThatAWaitingListFoundIsAskedForAgainWhereItIs() {
    Harness at = harness().publish();
    at.spawn("c");
    Grant grant = at.expectGrant();
    TaskId task = grant.launch().task();
    grant.replyTo().tell(new GrantReply.Refused(task, M, "full"));
    Harness.awaitMessage(at.pool, this::want);
    at.function.tell(new FunctionProtocol.Placed(task, Samples.N, grant.launch().share()));

    at.pass(Duration.ofMillis(5_250));

    assertThat(at.expectGrant().launch()).usingRecursiveComparison().isEqualTo(grant.launch());
    assertThat(at.containers()).isOne();
  }

  @Test
  void aPlaceThatIsDeniedAfterItWasGrantedIsSoughtAnew() {
    Harness at = harness().publish();
    at.spawn("c");
    Grant grant = at.expectGrant();
    TaskId task = grant.launch().task();
    grant.replyTo().tell(new GrantReply.Granted(task, M));

    grant.replyTo().tell(new GrantReply.Refused(task, M, "no connection"));

    at.pass(Duration.ofMillis(250));
    assertThat(at.expectGrant().launch().task()).isNotEqualTo(task);
  }

  @Test
  void aSecondMachineThatWasGivenTheSameContainerIsToldToEndIt() {
    Harness at = harness().publish();
    CallId call = at.spawn("c");
    TaskId task = at.started();
    LeasedInput input = at.lease(task);

    at.function.tell(new FunctionProtocol.Placed(task, Samples.N, null));
    assertThat(at.expectStop(task)).isEqualTo(new StopTask(task, Duration.ZERO));
    at.function.tell(new FunctionProtocol.ContainerStarted(task, Samples.N));
    at.expectStop(task);
    at.function.tell(new ContainersOn(Samples.N, List.of(task)));
    at.expectStop(task);
    at.function.tell(new FunctionProtocol.ContainerEnded(task, Samples.N, EXITED));
    at.function.tell(new ContainersOn(Samples.N, List.of()));
    at.function.tell(new ContainersOn(M, List.of(task)));

    at.succeed(task, input, "result of the first");
    assertThat(text(outcome(at, call))).isEqualTo("result of the first");
    assertThat(at.saidToMachines()).isEmpty();
    assertThat(at.containers()).isOne();
  }

  @Test
  void aContainerIsKnownByItsIdWhenItHasEndedAndForgottenLongAfter() {
    Harness at = harness().publish();
    at.spawn("c");
    TaskId task = at.started();
    at.ended(task, EXITED);
    at.pass(Duration.ofMillis(250));

    Directory.Entry ended = ended(at, task).orElseThrow();
    assertThat(ended.attributes())
        .containsKeys(
            EndedContainers.APP,
            EndedContainers.FUNCTION,
            EndedContainers.WANTED_AT,
            EndedContainers.STARTED_AT);
    EndedContainers.forgetOld(at.directory, ended.createdAt().plus(EndedContainers.KEPT));
    assertThat(ended(at, task)).isPresent();
    EndedContainers.forgetOld(
        at.directory, ended.createdAt().plus(EndedContainers.KEPT).plusSeconds(1));
    assertThat(ended(at, task)).isEmpty();
  }

  private static Optional<Directory.Entry> ended(Harness at, TaskId task) {
    return at.directory
        .byId(Directory.Kind.ENDED_CONTAINER, task.value())
        .toCompletableFuture()
        .join();
  }

  @Test
  void aContainerThatItsMachineDoesNotHaveIsGone() {
    Harness at = harness().publish();
    CallId call = at.spawn("c");
    TaskId task = at.started();
    at.lease(task);
    at.function.tell(new ContainersOn(M, List.of(task)));
    assertThat(at.containers()).isOne();

    at.function.tell(new ContainersOn(M, List.of()));

    TaskId other = at.started();
    at.succeed(other, at.lease(other), "result");
    assertThat(text(outcome(at, call))).isEqualTo("result");
  }

  @Test
  void aMachineReportDoesNotKillAContainerThatLeavesInPeace() {
    Harness at = harness().publish();
    at.spawn("c");
    TaskId task = at.started();
    LeasedInput input = at.lease(task);
    at.publish(at.define().version("2").make(), 2);

    at.function.tell(new ContainersOn(M, List.of(task)));
    at.quiesce();

    at.machine.expectNoMessage(SHORT);
    at.succeed(task, input, "result of the old version");
    at.poll(task);
    at.leases.expectMessageClass(LeaseReply.Leave.class);
  }

  // ---- versions and ends

  @Test
  void newInputsGoToTheNewVersionAndOldContainersLeave() {
    Harness at = harness().publish();
    CallId running = at.spawn("running");
    TaskId old = at.started();
    LeasedInput input = at.lease(old);
    at.publish(at.define().version("2").make(), 2);

    CallId next = at.spawn("next");
    TaskId fresh = at.started();
    at.succeed(fresh, at.lease(fresh), "new");
    at.succeed(old, input, "old");
    at.poll(old);

    at.leases.expectMessageClass(LeaseReply.Leave.class);
    assertThat(text(outcome(at, running))).isEqualTo("old");
    assertThat(text(outcome(at, next))).isEqualTo("new");
  }

  @Test
  void anIdleContainerOfTheOldVersionLeavesAtOnce() {
    Harness at = harness().publish();
    at.spawn("c");
    TaskId old = at.started();
    at.succeed(old, at.lease(old), "result");
    at.poll(old);
    at.quiesce();

    at.publish(at.define().version("2").make(), 2);

    at.leases.expectMessageClass(LeaseReply.Leave.class);
  }

  @Test
  void theEndOfTheAppEndsEverythingAndIsConfirmedWhenNoContainerIsLeft() {
    Harness at = harness().publish();
    CallId runs = at.spawn("runs");
    TaskId task = at.started();
    at.lease(task);
    CallId waits = at.spawn("waits");

    at.function.tell(new Stop("the app was stopped", at.stops.ref()));

    assertThat(outcome(at, runs).message()).isEqualTo("the app was stopped");
    assertThat(outcome(at, waits).status()).isEqualTo(Status.TERMINATED);
    at.expectStop(task);
    at.stops.expectNoMessage(SHORT);
    at.function.tell(new Stop("the app was stopped", at.stops.ref()));
    at.ended(task, new Ending.Exited(0, 2, false));
    at.stops.expectMessage(new Stopped(at.id));
    at.stops.expectNoMessage(SHORT);
    at.submit(Samples.unary(at.call("d"), Invocation.SYNC));
    at.submits.expectMessageClass(SubmitReply.NoFunction.class);
  }

  @Test
  void aContainerThatRunsNothingIsToldTheEndOfTheAppWhenItNextAsks() {
    Harness at = harness().publish();
    at.spawn("c");
    TaskId task = at.started();
    at.succeed(task, at.lease(task), "result");
    at.quiesce();

    at.function.tell(new Stop("the app was stopped", at.stops.ref()));
    at.poll(task);

    at.leases.expectMessageClass(LeaseReply.Leave.class);
    at.function.tell(new Stop("the app was stopped", at.stops.ref()));
    at.pass(Duration.ofSeconds(10));
    at.machine.expectNoMessage(SHORT);
    at.ended(task, new Ending.Exited(0, 0, false));
    at.stops.expectMessage(new Stopped(at.id));
  }

  @Test
  void aContainerThatRunsNothingAndNeverAsksIsSentASignal() {
    Harness at = harness().publish();
    at.spawn("c");
    TaskId task = at.started();
    at.succeed(task, at.lease(task), "result");
    at.quiesce();

    at.function.tell(new Stop("the app was stopped", at.stops.ref()));
    at.pass(Fleet.LEAVE_PATIENCE.plus(Fleet.RESTATE));

    at.expectStop(task);
  }

  @Test
  void aSignalThatIsLostIsSentAgain() {
    Harness at = harness().publish();
    at.spawn("c");
    TaskId task = at.started();
    at.lease(task);
    at.function.tell(new Stop("the app was stopped", at.stops.ref()));
    at.expectStop(task);

    at.pass(Duration.ofMillis(5_500));

    at.expectStop(task);
  }

  // ---- cancelling

  @Test
  void cancellingEndsWhatWaitsAtOnce() {
    Harness at = harness().publish();
    CallId call = at.spawn("c");

    at.function.tell(new Cancel(call, false, at.submits.ref()));

    at.submits.expectMessage(new SubmitReply.Accepted(call));
    assertThat(outcome(at, call).status()).isEqualTo(Status.TERMINATED);
  }

  @Test
  void whatRunsIsCancelledByTheHeartbeatOfItsContainer() {
    Harness at = harness().publish();
    CallId call = at.spawn("c");
    TaskId task = at.started();
    LeasedInput input = at.lease(task);
    at.beat(task);

    at.function.tell(new Cancel(call, false, at.submits.ref()));

    at.beats.expectMessage(new Beaten(List.of(input.input())));
    at.report(task, input, Status.TERMINATED, "cancelled");
    assertThat(outcome(at, call).status()).isEqualTo(Status.TERMINATED);
    at.pass(Duration.ofSeconds(1));
    assertThat(at.containers()).isOne();
  }

  @Test
  void terminatingKillsTheContainerAndWhatElseItRanRunsElsewhere() {
    Harness at = harness();
    at.publish(at.define().slots(2).containers(0, 1, 0).make(), 1);
    CallId doomed = at.spawn("doomed");
    TaskId task = at.started();
    at.lease(task);
    CallId other = at.spawn("other");
    at.lease(task);

    at.function.tell(new Cancel(doomed, true, at.submits.ref()));

    assertThat(outcome(at, doomed).status()).isEqualTo(Status.TERMINATED);
    at.expectStop(task);
    at.ended(task, new Ending.Exited(137, 9, false));
    TaskId next = at.started();
    at.succeed(next, at.lease(next), "result");
    assertThat(text(outcome(at, other))).isEqualTo("result");
  }
}
