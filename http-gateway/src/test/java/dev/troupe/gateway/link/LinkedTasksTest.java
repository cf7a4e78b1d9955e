package dev.troupe.gateway.link;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.function.FunctionProtocol.Ending;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.node.NodeProtocol.Launch;
import dev.troupe.actors.node.NodeProtocol.Order.EndTask;
import dev.troupe.actors.node.NodeProtocol.Order.StartTask;
import dev.troupe.actors.node.NodeProtocol.Share;
import dev.troupe.actors.node.NodeProtocol.TaskReport;
import dev.troupe.actors.testing.Definitions;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class LinkedTasksTest {

  private static final TaskId A = new TaskId("ta-A");
  private static final Share SHARE = new Share(1_000, 100, List.of());
  private static final Launch LAUNCH =
      new Launch(
          A, Definitions.of(new FunctionId("fu-1"), Definitions.resources(1_000, 100)), SHARE);
  private static final Duration GRACE = Duration.ofSeconds(10);
  private static final Ending EXITED = new Ending.Exited(0, 0, false);

  private final LinkedTasks tasks = new LinkedTasks();

  @Test
  void anOrderIsOnItsWayFromItsFirstWordUntilTheAgentShowsIt() {
    assertThat(tasks.begin(LAUNCH)).isTrue();
    assertThat(tasks.pending()).containsExactly(new StartTask(LAUNCH));
    give();
    assertThat(tasks.pending()).containsExactly(new StartTask(LAUNCH));
    assertThat(tasks.share(A)).isEqualTo(SHARE);

    tasks.said(report(null));

    assertThat(tasks.pending()).isEmpty();
    assertThat(tasks.share(A)).isEqualTo(SHARE);
    assertThat(tasks.live()).isOne();
  }

  @Test
  void aRepeatedOrderIsGivenOnce() {
    tasks.begin(LAUNCH);
    assertThat(tasks.begin(LAUNCH)).as("while it is resolved").isFalse();
    give();
    assertThat(tasks.begin(LAUNCH)).as("while it is on its way").isFalse();
    tasks.said(report(null));
    assertThat(tasks.begin(LAUNCH)).as("once it is there").isFalse();
  }

  @Test
  void anOrderThatCouldNotBeResolvedMayBeRepeated() {
    tasks.begin(LAUNCH);
    tasks.resolved(A);

    assertThat(tasks.pending()).isEmpty();
    assertThat(tasks.begin(LAUNCH)).isTrue();
  }

  @Test
  void aStopIsOnItsWayUntilTheContainerHasEnded() {
    tasks.begin(LAUNCH);
    give();

    assertThat(tasks.stop(A, GRACE)).isNull();
    tasks.said(report(null));
    assertThat(tasks.pending()).containsExactly(new EndTask(A, GRACE));
    tasks.said(report(EXITED));

    assertThat(tasks.pending()).isEmpty();
    assertThat(tasks.live()).isZero();
    assertThat(tasks.reports()).containsExactly(report(EXITED));
  }

  @Test
  void aStopInTimeKeepsTheOrderFromTheAgent() {
    tasks.begin(LAUNCH);

    assertThat(tasks.stop(A, GRACE)).isEqualTo(LAUNCH);

    assertThat(tasks.resolved(A)).isNull();
    assertThat(tasks.pending()).isEmpty();
  }

  @Test
  void aStopOfWhatIsNotThereLeavesNothing() {
    tasks.stop(A, GRACE);
    tasks.said(report(EXITED));
    tasks.stop(A, GRACE);
    tasks.forget(A);

    assertThat(tasks.pending()).isEmpty();
    assertThat(tasks.reports()).isEmpty();
  }

  private void give() {
    assertThat(tasks.resolved(A)).isEqualTo(LAUNCH);
    tasks.given(LAUNCH);
  }

  private static TaskReport report(@Nullable Ending ending) {
    return new TaskReport(
        A, LAUNCH.definition().function(), LAUNCH.definition().app(), true, ending, SHARE);
  }
}
