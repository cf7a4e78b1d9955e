package dev.troupe.actors.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.function.FunctionDefinition;
import dev.troupe.actors.function.FunctionDefinition.Gpu;
import dev.troupe.actors.function.FunctionProtocol.Placed;
import dev.troupe.actors.function.FunctionProtocol.Waits;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.node.NodeProtocol.Capacity;
import dev.troupe.actors.node.NodeProtocol.GrantReply;
import dev.troupe.actors.node.NodeProtocol.GrantReply.Granted;
import dev.troupe.actors.node.NodeProtocol.GrantReply.Refused;
import dev.troupe.actors.node.NodeProtocol.Share;
import dev.troupe.actors.placement.ListEffect.Ask;
import dev.troupe.actors.placement.ListEffect.Stop;
import dev.troupe.actors.placement.ListEffect.Tell;
import dev.troupe.actors.placement.PlacementProtocol.Want;
import dev.troupe.actors.testing.Definitions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class WaitingListTest {

  private static final Instant T0 = Instant.parse("2026-11-01T12:00:00Z");
  private static final FunctionId F = new FunctionId("fu-F");
  private static final FunctionId G = new FunctionId("fu-G");
  private static final MachineId M1 = new MachineId("m1");
  private static final MachineId M2 = new MachineId("m2");

  private WaitingList list = WaitingList.EMPTY;
  private final Map<MachineId, MachineAdvert> machines = new LinkedHashMap<>();
  private final List<ListEffect> effects = new ArrayList<>();

  @Test
  void functionsTakeTurnsAndWishesOfOneStandByAge() {
    want(F, "ta-F2", 2);
    want(F, "ta-F1", 1);
    want(F, "ta-F3", 3);
    want(G, "ta-G1", 9);

    assertThat(list.order())
        .extracting(wish -> wish.task().value())
        .containsExactly("ta-F1", "ta-G1", "ta-F2", "ta-F3");
  }

  @Test
  void whoWasServedGoesToTheEnd() {
    want(F, "ta-F1", 1);
    want(F, "ta-F2", 2);
    want(G, "ta-G1", 3);
    want(G, "ta-G2", 4);
    answer(new Granted(new TaskId("ta-F1"), M1));

    assertThat(list.order())
        .extracting(wish -> wish.task().value())
        .containsExactly("ta-G1", "ta-F2", "ta-G2");
  }

  @Test
  void toldAtOnceWithPositionAndReason() {
    want(F, "ta-F1", 0);
    want(F, "ta-F2", 0);
    want(G, "ta-G1", 0);

    serve(1);

    String reason = "waiting for a machine: none is connected";
    assertThat(effects)
        .containsExactly(
            new Tell(F, new Waits(new TaskId("ta-F1"), 1, reason)),
            new Tell(G, new Waits(new TaskId("ta-G1"), 2, reason)),
            new Tell(F, new Waits(new TaskId("ta-F2"), 3, reason)));
  }

  @Test
  void toldAgainWhenItChangesAndWhenItAsks() {
    want(F, "ta-F1", 0);
    want(F, "ta-F2", 0);
    serve(1);
    effects.clear();
    serve(2);
    assertThat(effects).isEmpty();

    accept(list.withdraw(new TaskId("ta-F1")));
    serve(3);
    want(F, "ta-F2", 4);

    Tell first =
        new Tell(F, new Waits(new TaskId("ta-F2"), 1, "waiting for a machine: none is connected"));
    assertThat(effects).containsExactly(first, first);
  }

  @Test
  void asksForThoseWhoseTurnItIsAndForNoMoreThanIsFree() {
    machine(M1, 2_000);
    want(F, "ta-F1", 0);
    want(F, "ta-F2", 0);
    want(G, "ta-G1", 0);

    serve(1);
    serve(1);

    assertThat(asks()).containsExactly("m1 ta-F1", "m1 ta-G1");
  }

  @Test
  void placesWhatIsGrantedAndSaysSoAgainToWhoAsksAgain() {
    machine(M1, 1_000);
    want(F, "ta-F1", 0);
    serve(1);
    effects.clear();

    answer(new Granted(new TaskId("ta-F1"), M1));
    want(F, "ta-F1", 5);
    answer(new Granted(new TaskId("ta-F1"), M1));

    Tell placed = new Tell(F, new Placed(new TaskId("ta-F1"), M1, new Share(1_000, 0, List.of())));
    assertThat(effects).containsExactly(placed, placed);
    assertThat(list.isEmpty()).isTrue();
  }

  @Test
  void whatWasGrantedIsNotThereForOthersBeforeAnAdvertSaysSo() {
    machine(M1, 1_000);
    want(F, "ta-F1", 0);
    serve(1);
    answer(new Granted(new TaskId("ta-F1"), M1));
    want(F, "ta-F2", 2);
    effects.clear();

    serve(2);
    assertThat(asks()).isEmpty();
    machine(M1, 1_000);
    serve(3);

    assertThat(asks()).containsExactly("m1 ta-F2");
  }

  @Test
  void aMachineThatRefusedIsAskedAgainAfterItsNextAdvert() {
    machine(M1, 1_000);
    want(F, "ta-F1", 0);
    serve(1);
    answer(new Refused(new TaskId("ta-F1"), M1, "no room"));
    effects.clear();

    serve(1);
    assertThat(asks()).isEmpty();
    assertThat(effects).singleElement().isInstanceOf(Tell.class);
    machine(M1, 1_000);
    serve(2);

    assertThat(asks()).containsExactly("m1 ta-F1");
  }

  @Test
  void aMachineThatDoesNotAnswerIsAskedAgainAndNoOther() {
    machine(M1, 1_000);
    want(F, "ta-F1", 0);
    serve(0);
    machine(M2, 9_000);
    effects.clear();

    serve(1);
    turn(1);
    assertThat(effects).isEmpty();
    turn(2);

    assertThat(asks()).containsExactly("m1 ta-F1");
  }

  @Test
  void aWishThatIsNotRestatedIsForgotten() {
    want(F, "ta-F1", 0);
    turn(14);
    assertThat(list.isEmpty()).isFalse();

    turn(15);

    assertThat(list.isEmpty()).isTrue();
    assertThat(list.turns()).isEmpty();
  }

  @Test
  void whatIsGrantedAndNotWantedAnyMoreIsStopped() {
    machine(M1, 1_000);
    want(F, "ta-F1", 0);
    serve(1);
    accept(list.withdraw(new TaskId("ta-F1")));
    effects.clear();

    answer(new Granted(new TaskId("ta-F1"), M1));

    assertThat(effects).containsExactly(new Stop(M1, new TaskId("ta-F1")));
  }

  @Test
  void aBigWishReservesAMachineOnceItHasWaited() {
    machine(M1, 3_000, 1_000);
    machine(M2, 8_000, 2_000);
    FunctionDefinition big = Definitions.of(F, Definitions.resources(8_000, 0));
    accept(list.want(new Want(F, new TaskId("ta-big"), big, T0), T0));
    want(G, "ta-G1", 0);
    want(G, "ta-G2", 0);
    want(G, "ta-G3", 0);

    WaitingList before = list;
    serve(29);
    assertThat(asks()).containsExactly("m2 ta-G1", "m2 ta-G2", "m1 ta-G3");
    list = before;
    effects.clear();
    serve(30);

    assertThat(asks()).containsExactly("m1 ta-G1");
  }

  @Test
  void aWishThatFitsNowhereEverReservesNothing() {
    machine(M1, 1_000);
    FunctionDefinition huge = Definitions.of(F, Definitions.resources(0, 0, new Gpu("B200", 8)));
    accept(list.want(new Want(F, new TaskId("ta-huge"), huge, T0), T0));
    want(G, "ta-G1", 0);

    serve(60);

    assertThat(asks()).containsExactly("m1 ta-G1");
  }

  @Test
  void refusesAWishPastItsLimitWithAPosition() {
    for (int i = 0; i < WaitingList.WISHES_LIMIT; i++) {
      want(F, "ta-" + i, 0);
    }
    assertThat(effects).isEmpty();

    want(G, "ta-last", 0);

    assertThat(effects)
        .containsExactly(
            new Tell(
                G,
                new Waits(
                    new TaskId("ta-last"),
                    10_001,
                    "waiting for a place in line: 10000 others are")));
    assertThat(list.wishes()).hasSize(WaitingList.WISHES_LIMIT);
  }

  @Test
  void asksNoMoreMachinesAtATimeThanItsLimit() {
    machine(M1, 1_000_000);
    for (int i = 0; i < 100; i++) {
      want(F, "ta-" + i, 0);
    }

    serve(1);
    assertThat(asks()).hasSize(WaitingList.ASKED_LIMIT);
    answer(new Granted(new TaskId("ta-0"), M1));
    effects.clear();
    serve(1);

    assertThat(asks()).hasSize(1);
  }

  private void want(FunctionId function, String task, int seconds) {
    FunctionDefinition definition = Definitions.of(function, Definitions.resources(1_000, 0));
    accept(list.want(new Want(function, new TaskId(task), definition, at(seconds)), at(seconds)));
  }

  private void serve(int seconds) {
    accept(list.serve(adverts(), at(seconds)));
  }

  private void turn(int seconds) {
    accept(list.turn(at(seconds)));
  }

  private void answer(GrantReply reply) {
    accept(list.answered(reply, adverts(), T0));
  }

  private Collection<MachineAdvert> adverts() {
    return List.copyOf(machines.values());
  }

  private void machine(MachineId id, int freeCpuMillis) {
    machine(id, freeCpuMillis, freeCpuMillis);
  }

  private void machine(MachineId id, int cpuMillis, int freeCpuMillis) {
    MachineAdvert before = machines.get(id);
    machines.put(
        id,
        new MachineAdvert(
            id,
            before == null ? 1 : before.revision() + 1,
            true,
            new Capacity(cpuMillis, 1, List.of()),
            new Capacity(freeCpuMillis, 1, List.of()),
            List.of(),
            Map.of()));
  }

  private void accept(WaitingList.Step step) {
    list = step.next();
    effects.addAll(step.effects());
  }

  private List<String> asks() {
    return effects.stream()
        .filter(Ask.class::isInstance)
        .map(effect -> (Ask) effect)
        .map(ask -> ask.machine() + " " + ask.launch().task())
        .toList();
  }

  private static Instant at(int seconds) {
    return T0.plus(Duration.ofSeconds(seconds));
  }
}
