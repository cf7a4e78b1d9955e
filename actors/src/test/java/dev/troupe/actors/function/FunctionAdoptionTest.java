package dev.troupe.actors.function;

import static dev.troupe.actors.function.Harness.PATIENCE;
import static dev.troupe.actors.function.Harness.text;
import static dev.troupe.actors.function.Samples.M;
import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.function.FunctionProtocol.ContainerStarted;
import dev.troupe.actors.function.FunctionProtocol.ContainersOn;
import dev.troupe.actors.function.FunctionProtocol.LeasedInput;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.node.NodeProtocol.Grant;
import dev.troupe.actors.node.NodeProtocol.ReportContainers;
import dev.troupe.actors.node.NodeProtocol.StopTask;
import dev.troupe.actors.placement.PlacementProtocol.Want;
import dev.troupe.actors.placement.PlacementProtocol.Withdraw;
import dev.troupe.actors.testing.ManualSystem;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** Containers that outlive their function's owner: the next one takes them in. */
class FunctionAdoptionTest {

  private static final ManualSystem SYSTEM = new ManualSystem();

  @AfterAll
  static void stop() {
    SYSTEM.close();
  }

  private static Harness harness() {
    return new Harness(SYSTEM);
  }

  @Test
  void aContainerWhoseMachineSpeaksFirstIsTakenInWithWhatItRuns() {
    Harness at = harness().publish();
    CallId call = at.spawn("c");
    TaskId task = at.started();
    LeasedInput input = at.lease(task);

    at.restart();
    at.function.tell(new ContainerStarted(task, M));

    assertThat(at.saidToMachines()).noneMatch(StopTask.class::isInstance);
    at.pass(Duration.ofSeconds(15));
    at.succeed(task, input, "result");
    at.get(call, PATIENCE, false);
    assertThat(text(at.output())).isEqualTo("result");
    assertThat(at.containers()).isOne();
  }

  @Test
  void aContainerThatIsThereIsUsedBeforeAnotherIsStarted() {
    Harness at = harness();
    at.publish(at.define().containers(0, 1, 0).make(), 1);
    at.remote("before");
    TaskId task = at.started();
    at.succeed(task, at.lease(task), "before");
    at.spawn("c");
    at.saidToMachines();

    at.restart();
    at.pass(Duration.ofSeconds(1));
    assertThat(at.saidToMachines()).isNotEmpty().allMatch(ReportContainers.class::isInstance);
    at.function.tell(new ContainersOn(M, List.of(task)));

    at.succeed(task, at.lease(task), "result");
    assertThat(at.saidToMachines()).noneMatch(Grant.class::isInstance);
    assertThat(at.containers()).isOne();
  }

  @Test
  void aContainerThatALeaseNamesCountsAsOneUntilItIsKnownToBeGone() {
    Harness at = harness();
    at.publish(at.define().containers(0, 1, 0).make(), 1);
    at.spawn("runs");
    TaskId task = at.started();
    at.lease(task);
    at.spawn("waits");
    at.machines.clear();
    at.restart();
    at.pass(Duration.ofSeconds(1));
    at.machines.add(Samples.advert(Samples.N));
    at.pass(Duration.ofSeconds(1));
    at.saidToMachines();

    at.function.tell(new ContainersOn(Samples.N, List.of()));

    assertThat(at.saidToMachines()).noneMatch(Grant.class::isInstance);
    at.function.tell(new ContainersOn(M, List.of(task)));
    at.pass(Duration.ofSeconds(3));
    assertThat(at.saidToMachines()).noneMatch(Grant.class::isInstance);
    assertThat(at.containers()).isOne();
  }

  @Test
  void whatWasWantedInItsPlaceIsGivenUpWhenAContainerTurnsUpLate() {
    Harness at = harness();
    at.publish(at.define().containers(0, 1, 0).make(), 1);
    at.spawn("c");
    TaskId task = at.started();
    at.lease(task);
    at.machines.clear();
    at.restart();
    at.pass(Duration.ofSeconds(11));
    Want other =
        Harness.awaitMessage(
            at.pool, it -> it instanceof Want want ? Optional.of(want) : Optional.empty());

    at.function.tell(new ContainersOn(M, List.of(task)));

    Harness.awaitMessage(
        at.pool, it -> it.equals(new Withdraw(other.task())) ? Optional.of(it) : Optional.empty());
    assertThat(at.containers()).isOne();
    at.succeed(task, at.lease(task), "result");
  }
}
