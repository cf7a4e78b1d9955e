package dev.troupe.actors.function;

import static dev.troupe.actors.function.Samples.M;
import static dev.troupe.actors.function.Samples.N;
import static dev.troupe.actors.function.Samples.T0;
import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.calllog.CallRow.Invocation;
import dev.troupe.actors.calllog.InputRow;
import dev.troupe.actors.calllog.LeaseMark;
import dev.troupe.actors.calllog.LeaseToken;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.InputId;
import dev.troupe.actors.id.TaskId;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a fleet decides by the clock alone. */
class FleetPoliciesTest {

  private static final CallId C = Samples.call(Samples.function("f"), "c");
  private static final TaskId ONE = Samples.task("one");
  private static final TaskId TWO = Samples.task("two");

  // ---- failing starts

  @Test
  void pausesDoubleUpToAMinute() {
    CrashLoop loop = new CrashLoop();
    Instant now = T0;
    Duration pause = CrashLoop.FIRST_PAUSE;
    for (int i = 1; i < 20; i++) {
      assertThat(loop.failed(now)).isEqualTo(i >= CrashLoop.MOST_FAILURES);
      Duration capped =
          pause.compareTo(CrashLoop.LONGEST_PAUSE) < 0 ? pause : CrashLoop.LONGEST_PAUSE;
      assertThat(loop.mayStart(now.plus(capped).minusMillis(1))).isFalse();
      assertThat(loop.mayStart(now.plus(capped))).isTrue();
      now = now.plus(capped);
      pause = pause.multipliedBy(2);
    }
  }

  @Test
  void aContainerOfUseEndsTheRow() {
    CrashLoop loop = new CrashLoop();
    loop.failed(T0);
    loop.failed(T0);
    loop.over();

    assertThat(loop.mayStart(T0)).isTrue();
    assertThat(loop.failed(T0)).isFalse();
  }

  @Test
  void aFailureLongAgoIsNoneOfTheRow() {
    CrashLoop loop = new CrashLoop();
    loop.failed(T0);
    loop.failed(T0);

    assertThat(loop.failed(T0.plus(Duration.ofMinutes(6)))).isFalse();
  }

  // ---- what users are told

  @Test
  void aReasonIsSaidOnceAndAnotherNoSoonerThanHalfAMinuteLater() {
    WaitNotice notice = new WaitNotice();

    assertThat(notice.isNews("a", T0)).isTrue();
    assertThat(notice.isNews("a", T0.plusSeconds(99))).isFalse();
    assertThat(notice.isNews("b", T0.plusSeconds(29))).isFalse();
    assertThat(notice.isNews("b", T0.plusSeconds(30))).isTrue();
    notice.over();
    assertThat(notice.isNews("b", T0.plusSeconds(31))).isFalse();
    assertThat(notice.isNews("b", T0.plusSeconds(60))).isTrue();
  }

  // ---- leases that were found

  private static Adoption adoption(TaskId... tasks) {
    Adoption adoption = new Adoption(false, T0, Duration.ofSeconds(10));
    for (int i = 0; i < tasks.length; i++) {
      LeaseMark mark = new LeaseMark(new LeaseToken(1, i), tasks[i], T0);
      InputRow row = new InputRow(InputId.of(C, i), i, "", Samples.payload("x"), 0, 0, mark, T0);
      adoption.found(new Input(Call.fresh(Samples.map(C, Invocation.SYNC)), row));
    }
    return adoption;
  }

  @Test
  void leasesGoToTheContainerTheyName() {
    Adoption adoption = adoption(ONE, TWO, ONE);
    assertThat(adoption.unseen()).isEqualTo(2);

    assertThat(adoption.claim(ONE)).hasSize(2);
    assertThat(adoption.claim(ONE)).isEmpty();

    assertThat(adoption.lost()).hasSize(1);
    assertThat(adoption.pending()).isFalse();
  }

  @Test
  void itIsOverOnceEveryMachineHasTold() {
    Adoption adoption = adoption(ONE);
    assertThat(adoption.toAsk(List.of(M, N), T0)).containsExactly(M, N);
    assertThat(adoption.toAsk(List.of(M, N), T0.plusSeconds(1))).isEmpty();
    adoption.told(M);
    assertThat(adoption.isOver(List.of(M, N), T0)).isFalse();
    assertThat(adoption.toAsk(List.of(M, N), T0.plusSeconds(2))).containsExactly(N);

    adoption.told(N);

    assertThat(adoption.isOver(List.of(M, N), T0.plusSeconds(2))).isTrue();
  }

  @Test
  void machinesThatComeBackOneByOneAreWaitedFor() {
    Adoption adoption = adoption(ONE);
    assertThat(adoption.toAsk(List.of(), T0)).isEmpty();
    assertThat(adoption.isOver(List.of(), T0)).isFalse();
    adoption.toAsk(List.of(M), T0.plusSeconds(1));
    adoption.told(M);

    assertThat(adoption.isOver(List.of(M), T0.plusSeconds(2))).isFalse();
    assertThat(adoption.isOver(List.of(M), T0.plusSeconds(3))).isTrue();
  }

  @Test
  void nothingMayBeStartedBeforeTheMachinesThatAreThereHaveTold() {
    Adoption adoption = adoption();
    assertThat(adoption.isBlind(List::of, T0)).isTrue();
    assertThat(adoption.isBlind(() -> List.of(M, N), T0)).isTrue();
    adoption.told(M);
    assertThat(adoption.isBlind(() -> List.of(M, N), T0)).isTrue();

    adoption.told(N);

    assertThat(adoption.isBlind(() -> List.of(M, N), T0)).isFalse();
    assertThat(adoption.isBlind(List::of, T0)).as("once seen, seen for good").isFalse();
  }

  @Test
  void theFirstOwnerHasNothingToWaitForAndOthersNotForEver() {
    assertThat(new Adoption(true, T0, Duration.ofSeconds(10)).isBlind(List::of, T0)).isFalse();
    assertThat(adoption().isBlind(List::of, T0.plusMillis(9_999))).isTrue();
    assertThat(adoption().isBlind(List::of, T0.plusSeconds(10))).isFalse();
  }

  @Test
  void itIsOverWhenTimeIsUp() {
    Adoption adoption = adoption(ONE);

    assertThat(adoption.isOver(List.of(M), T0.plusMillis(9_999))).isFalse();
    assertThat(adoption.isOver(List.of(M), T0.plusSeconds(10))).isTrue();
  }
}
