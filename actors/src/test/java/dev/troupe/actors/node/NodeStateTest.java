package dev.troupe.actors.node;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.function.FunctionProtocol.ContainerEnded;
import dev.troupe.actors.function.FunctionProtocol.ContainerStarted;
import dev.troupe.actors.function.FunctionProtocol.ContainersOn;
import dev.troupe.actors.function.FunctionProtocol.Ending;
import dev.troupe.actors.function.FunctionProtocol.Ending.Exited;
import dev.troupe.actors.function.FunctionProtocol.Ending.MachineLost;
import dev.troupe.actors.function.FunctionProtocol.Ending.NeverStarted;
import dev.troupe.actors.function.FunctionProtocol.FromMachine;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.node.NodeEffect.Answer;
import dev.troupe.actors.node.NodeEffect.Send;
import dev.troupe.actors.node.NodeEffect.Tell;
import dev.troupe.actors.node.NodeProtocol.Capacity;
import dev.troupe.actors.node.NodeProtocol.GrantReply.Granted;
import dev.troupe.actors.node.NodeProtocol.GrantReply.Refused;
import dev.troupe.actors.node.NodeProtocol.Launch;
import dev.troupe.actors.node.NodeProtocol.Order;
import dev.troupe.actors.node.NodeProtocol.Order.EndTask;
import dev.troupe.actors.node.NodeProtocol.Order.StartTask;
import dev.troupe.actors.node.NodeProtocol.Share;
import dev.troupe.actors.node.NodeProtocol.TaskReport;
import dev.troupe.actors.testing.Definitions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class NodeStateTest {

  private static final Instant T0 = Instant.parse("2026-11-01T12:00:00Z");
  private static final MachineId M = new MachineId("m1");
  private static final FunctionId F = new FunctionId("fu-1");
  private static final AppId APP = new AppId("ap-0000000000000000000001");
  private static final TaskId A = new TaskId("ta-A");
  private static final TaskId B = new TaskId("ta-B");
  private static final Share SHARE = new Share(1_000, 100, List.of());
  private static final Capacity CAPACITY = new Capacity(2_000, 1_000, List.of());
  private static final Ending EXITED = new Exited(0, 0, false);
  private static final Duration GRACE = Duration.ofSeconds(10);

  private NodeState state = NodeState.unknown(M, T0);
  private final List<NodeEffect> effects = new ArrayList<>();

  // ---- grants

  @Test
  void grantsWhatFitsAndOrdersIt() {
    link("l1");

    grant(A);

    assertThat(effects)
        .containsExactly(new Answer(new Granted(A, M)), new Send(new StartTask(launch(A))));
    assertThat(free()).isEqualTo(1_000);
  }

  @Test
  void aRepeatedGrantIsAnsweredAlikeAndHoldsNothingMore() {
    link("l1");
    grant(A);
    effects.clear();

    grant(A);

    assertThat(effects).containsExactly(new Answer(new Granted(A, M)));
    assertThat(free()).isEqualTo(1_000);
  }

  @Test
  void refusesWhatDoesNotFit() {
    link("l1");
    grant(A);
    grant(B);
    effects.clear();

    grant(new TaskId("ta-C"));

    assertThat(effects).singleElement().isInstanceOf(Answer.class);
    assertThat(((Answer) effects.getFirst()).reply()).isInstanceOf(Refused.class);
  }

  @Test
  void refusesWithoutALinkButNotWhatItHasGranted() {
    link("l1");
    grant(A);
    state = state.disconnected("l1", at(1));
    effects.clear();

    grant(A);
    grant(B);

    assertThat(effects.get(0)).isEqualTo(new Answer(new Granted(A, M)));
    assertThat(((Answer) effects.get(1)).reply()).isInstanceOf(Refused.class);
  }

  @Test
  void aGrantOfWhatHasEndedIsAnsweredWithItsEnd() {
    link("l1");
    grant(A);
    change("l1", report(A, true, EXITED), 1);
    effects.clear();

    grant(A);

    assertThat(effects)
        .containsExactly(
            new Answer(new Granted(A, M)), new Tell(F, new ContainerEnded(A, M, EXITED)));
    assertThat(free()).isEqualTo(2_000);
  }

  @Test
  void anOrderIsRestatedUntilAReportShowsIt() {
    link("l1");
    grant(A);
    effects.clear();

    turn(2);
    assertThat(orders()).containsExactly(new StartTask(launch(A)));
    turn(3);
    assertThat(orders()).hasSize(1);
    change("l1", report(A, false, null), 4);
    effects.clear();
    turn(5);
    assertThat(orders()).isEmpty();
  }

  @Test
  void anOrderThatIsNotTakenUpIsGivenUpAndItsShareIsHeldUntilTheAgentSaysItIsNotThere() {
    link("l1");
    grant(A);
    effects.clear();
    turn(29);
    assertThat(words()).noneMatch(ContainerEnded.class::isInstance);

    turn(30);

    assertThat(words())
        .contains(
            new ContainerEnded(
                A, M, new NeverStarted("machine m1 did not take it up within 30 s")));
    assertThat(orders()).contains(new EndTask(A, Duration.ofSeconds(2)));
    assertThat(free()).isEqualTo(1_000);
    restateLink("l1", 31);
    restateLink("l1", 41);
    assertThat(free()).isEqualTo(2_000);
  }

  // ---- reports

  @Test
  void tellsTheFunctionOnceThatItsContainerRuns() {
    link("l1");
    grant(A);
    effects.clear();

    change("l1", report(A, false, null), 1);
    assertThat(words()).isEmpty();
    change("l1", report(A, true, null), 2);
    change("l1", report(A, true, null), 3);
    change("l1", report(A, false, null), 3);

    assertThat(words()).containsExactly(new ContainerStarted(A, M));
  }

  @Test
  void anEndFreesTheShareAndLateWordsDoNotTakeItAgain() {
    link("l1");
    grant(A);
    change("l1", report(A, true, null), 1);
    effects.clear();

    change("l1", report(A, true, EXITED), 2);
    change("l1", report(A, true, null), 2);
    change("l1", report(A, true, EXITED), 2);
    restateLink("l1", 3, report(A, true, null));

    assertThat(words()).containsExactly(new ContainerEnded(A, M, EXITED));
    assertThat(free()).isEqualTo(2_000);
  }

  @Test
  void aContainerThatNobodyKnewIsAdopted() {
    link("l1");

    change("l1", report(A, true, null), 1);

    assertThat(words()).containsExactly(new ContainerStarted(A, M));
    assertThat(free()).isEqualTo(1_000);
  }

  @Test
  void aWordOfAnEarlierLinkIsVoid() {
    link("l1");
    link("l2");
    effects.clear();

    change("l1", report(A, true, null), 1);
    restateLink("l1", 1, report(A, true, null));
    state = state.disconnected("l1", at(1));

    assertThat(effects).isEmpty();
    assertThat(state.link()).isEqualTo("l2");
    assertThat(free()).isEqualTo(2_000);
  }

  @Test
  void aRestatedReportWithoutAContainerIsBelievedOnlyTheSecondTime() {
    link("l1");
    change("l1", report(A, true, null), 1);
    effects.clear();

    restateLink("l1", 2);
    restateLink("l1", 7, report(A, true, null));
    restateLink("l1", 12);
    assertThat(free()).isEqualTo(1_000);
    restateLink("l1", 22);

    assertThat(words())
        .containsExactly(
            new ContainerEnded(
                A, M, new MachineLost("the agent of machine m1 does not have it any more")));
    assertThat(free()).isEqualTo(2_000);
  }

  // ---- links

  @Test
  void aNewLinkTellsFunctionsWhatTheyHaveAndHad() {
    link("l1");
    grant(A);
    change("l1", report(A, true, null), 1);
    grant(B);
    state = state.disconnected("l1", at(2));
    effects.clear();

    link("l2", report(A, true, null));

    assertThat(words()).containsExactly(new ContainersOn(M, List.of(A, B)));
    assertThat(orders()).containsExactly(new StartTask(launch(B)));
  }

  @Test
  void whatANewLinkDoesNotReportIsGone() {
    link("l1");
    change("l1", report(A, true, null), 1);
    effects.clear();

    link("l2");

    assertThat(words())
        .containsExactly(
            new ContainerEnded(
                A, M, new MachineLost("the agent of machine m1 does not have it any more")),
            new ContainersOn(M, List.of()));
    assertThat(free()).isEqualTo(2_000);
  }

  @Test
  void aMachineThatStaysAwayLosesItsContainersOnce() {
    link("l1");
    change("l1", report(A, true, null), 1);
    state = state.disconnected("l1", at(2));
    effects.clear();

    turn(11);
    assertThat(effects).isEmpty();
    turn(12);
    turn(13);

    assertThat(effects)
        .containsExactly(
            new Tell(
                F, new ContainerEnded(A, M, new MachineLost("machine m1 has been away for 10 s"))));
    assertThat(free()).isEqualTo(1_000);
  }

  @Test
  void aMachineThatIsBackInTimeLosesNothing() {
    link("l1");
    change("l1", report(A, true, null), 1);
    state = state.disconnected("l1", at(2));
    turn(11);
    effects.clear();

    link("l2", report(A, true, null));
    turn(13);

    assertThat(words()).noneMatch(ContainerEnded.class::isInstance);
    assertThat(state.ledger().tasksOf(F)).containsExactly(A);
  }

  @Test
  void whatWasGivenUpIsStoppedWhenItsMachineIsBackAndNeverGivenBack() {
    link("l1");
    change("l1", report(A, true, null), 1);
    state = state.disconnected("l1", at(2));
    turn(12);
    effects.clear();

    link("l2", report(A, true, null));

    assertThat(words()).isEmpty();
    assertThat(orders()).containsExactly(new EndTask(A, Duration.ofSeconds(2)));
    assertThat(free()).isEqualTo(1_000);
    change("l2", report(A, true, EXITED), 14);
    assertThat(words()).isEmpty();
    assertThat(free()).isEqualTo(2_000);
  }

  @Test
  void aContainerTakenForGoneThatANewLinkShowsHoldsItsShareUntilItEnds() {
    link("l1");
    change("l1", report(A, true, EXITED), 1);

    link("l2", report(A, true, null));

    assertThat(free()).isEqualTo(1_000);
    assertThat(orders()).contains(new EndTask(A, Duration.ofSeconds(2)));
    change("l2", report(A, true, EXITED), 2);
    assertThat(free()).isEqualTo(2_000);
  }

  // ---- stopping

  @Test
  void aStopIsRestatedUntilTheContainerHasEnded() {
    link("l1");
    grant(A);
    change("l1", report(A, true, null), 1);
    effects.clear();

    stop(A);
    turn(3);
    change("l1", report(A, true, EXITED), 4);
    turn(5);

    assertThat(orders()).containsExactly(new EndTask(A, GRACE), new EndTask(A, GRACE));
  }

  @Test
  void whatIsToStopIsNotOrderedAgain() {
    link("l1");
    grant(A);
    effects.clear();

    stop(A);
    turn(2);

    assertThat(orders()).containsExactly(new EndTask(A, GRACE), new EndTask(A, GRACE));
  }

  @Test
  void aSecondStopCanOnlyBeSooner() {
    link("l1");
    grant(A);
    stop(A);
    accept(state.stop(A, Duration.ofSeconds(2)));
    stop(A);
    effects.clear();

    turn(2);

    assertThat(orders()).containsExactly(new EndTask(A, Duration.ofSeconds(2)));
  }

  @Test
  void aStopThatOvertakesItsGrantWins() {
    link("l1");
    stop(A);
    effects.clear();

    grant(A);

    assertThat(orders()).isEmpty();
    assertThat(words())
        .containsExactly(
            new ContainerEnded(A, M, new NeverStarted("it was stopped before it began")));
    assertThat(free()).isEqualTo(2_000);
  }

  @Test
  void aStopOfWhatHasEndedTellsItsFunctionAgain() {
    link("l1");
    grant(A);
    change("l1", report(A, true, EXITED), 1);
    effects.clear();

    stop(A);

    assertThat(effects).containsExactly(new Tell(F, new ContainerEnded(A, M, EXITED)));
  }

  @Test
  void aStopBeforeTheFirstReportIsForgottenSinceNobodyKnowsWhatIsThere() {
    stop(A);

    link("l1", report(A, true, null));

    assertThat(state.ledger().tasksOf(F)).containsExactly(A);
  }

  @Test
  void aStoppedContainerThatTheAgentNeverHadIsGone() {
    link("l1");
    grant(A);
    stop(A);
    effects.clear();

    restateLink("l1", 5);
    restateLink("l1", 15);

    assertThat(words())
        .containsExactly(
            new ContainerEnded(A, M, new NeverStarted("it was stopped before it began")));
    assertThat(free()).isEqualTo(2_000);
  }

  // ---- orders on their way

  @Test
  void anOrderThatIsOnItsWayHoldsItsShareForACounterpartThatMoved() {
    moved(new StartTask(launch(A)));

    assertThat(free()).isEqualTo(1_000);
    assertThat(words()).containsExactly(new ContainersOn(M, List.of(A)));
    effects.clear();
    grant(A);
    assertThat(effects).containsExactly(new Answer(new Granted(A, M)));
    change("l1", report(A, true, null), 1);
    assertThat(words()).containsExactly(new ContainerStarted(A, M));
  }

  @Test
  void anOrderThatWasOnItsWayWhenTheLinkBrokeIsGivenToTheNextOneOnce() {
    moved(new StartTask(launch(A)));
    state = state.disconnected("l1", at(1));
    effects.clear();

    link("l2");

    assertThat(orders()).containsExactly(new StartTask(launch(A)));
    assertThat(words()).noneMatch(ContainerEnded.class::isInstance);
    assertThat(free()).isEqualTo(1_000);
  }

  @Test
  void aStopThatIsOnItsWayIsNotForgottenByACounterpartThatMoved() {
    moved(new StartTask(launch(A)), new EndTask(A, GRACE));
    assertThat(words()).noneMatch(ContainerEnded.class::isInstance);
    effects.clear();

    change("l1", report(A, false, null), 1);
    turn(2);

    assertThat(orders()).containsExactly(new EndTask(A, GRACE));
  }

  /** The link is known to a counterpart that knows nothing else. */
  private void moved(Order... pending) {
    accept(state.connected("l1", CAPACITY, List.of(), List.of(pending), T0));
  }

  // ---- functions that ask

  @Test
  void aFunctionThatAsksIsToldWhatItHas() {
    link("l1");
    grant(A);
    effects.clear();

    accept(state.report(F));
    accept(state.report(new FunctionId("fu-2")));

    assertThat(words())
        .containsExactly(new ContainersOn(M, List.of(A)), new ContainersOn(M, List.of()));
  }

  @Test
  void nobodyKnowsWhatAMachineHasThatIsAway() {
    accept(state.report(F));

    assertThat(effects).isEmpty();
  }

  @Test
  void functionsAreToldAgainEveryFiveSeconds() {
    link("l1");
    grant(A);
    effects.clear();

    turn(4);
    assertThat(words()).isEmpty();
    turn(5);

    assertThat(words()).containsExactly(new ContainersOn(M, List.of(A)));
  }

  // ----

  private void grant(TaskId task) {
    accept(state.grant(launch(task), T0));
  }

  private void stop(TaskId task) {
    accept(state.stop(task, GRACE));
  }

  private void turn(int seconds) {
    accept(state.turn(at(seconds)));
  }

  private void change(String link, TaskReport report, int seconds) {
    accept(state.changed(link, report, at(seconds)));
  }

  private void link(String link, TaskReport... reports) {
    restateLink(link, 0, reports);
  }

  private void restateLink(String link, int seconds, TaskReport... reports) {
    accept(state.connected(link, CAPACITY, List.of(reports), List.of(), at(seconds)));
  }

  private void accept(NodeState.Step step) {
    state = step.next();
    effects.addAll(step.effects());
  }

  private int free() {
    return state.ledger().free().cpuMillis();
  }

  private List<FromMachine> words() {
    return effects.stream()
        .filter(Tell.class::isInstance)
        .map(effect -> ((Tell) effect).word())
        .toList();
  }

  private List<Order> orders() {
    return effects.stream()
        .filter(Send.class::isInstance)
        .map(effect -> ((Send) effect).order())
        .toList();
  }

  private static Launch launch(TaskId task) {
    return LAUNCHES.computeIfAbsent(
        task, id -> new Launch(id, Definitions.of(F, Definitions.resources(1_000, 100)), SHARE));
  }

  // Definitions hold bytes, so that two made alike are not equal.
  private static final Map<TaskId, Launch> LAUNCHES = new ConcurrentHashMap<>();

  private static TaskReport report(TaskId task, boolean running, @Nullable Ending ending) {
    return new TaskReport(task, F, APP, running, ending, SHARE);
  }

  private static Instant at(int seconds) {
    return T0.plusSeconds(seconds);
  }
}
