package dev.troupe.actors.function;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.function.FunctionDefinition.Retries;
import dev.troupe.actors.function.FunctionProtocol.Ending;
import dev.troupe.actors.function.Verdict.Again;
import dev.troupe.actors.function.Verdict.End;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class VerdictTest {

  private static final Retries TWO =
      new Retries(2, Duration.ofSeconds(1), 3, Duration.ofSeconds(2));
  private static final long LIMIT = 512L << 20;
  private static final Ending CRASH = new Ending.Exited(3, 0, false);
  private static final Ending SIGNAL = new Ending.Exited(139, 11, false);
  private static final Ending MEMORY = new Ending.Exited(137, 9, true);
  private static final Ending NEVER = new Ending.NeverStarted("no disk");
  private static final Ending LOST = new Ending.MachineLost("no link");

  private static Verdict ended(Ending ending, boolean told, int attempts, int lost) {
    return Verdict.containerEnded(ending, told, attempts, lost, TWO, LIMIT);
  }

  @Test
  void aResultEndsAnInputAndTheRunnersWordIsTheAnswer() {
    for (int status :
        List.of(
            Status.SUCCESS,
            Status.TERMINATED,
            Status.INIT_FAILURE,
            Status.INTERNAL_FAILURE,
            Status.OUT_OF_MEMORY)) {
      assertThat(Verdict.reported(status, 0, 0, TWO)).isEqualTo(new End(status, ""));
    }
  }

  @Test
  void aFailureRunsAgainAsOftenAsTheFunctionSays() {
    assertThat(Verdict.reported(Status.FAILURE, 0, 1, TWO))
        .isEqualTo(new Again(1, 1, Duration.ofSeconds(1)));
    assertThat(Verdict.reported(Status.TIMEOUT, 1, 0, TWO))
        .as("the wait grows up to its limit")
        .isEqualTo(new Again(2, 0, Duration.ofSeconds(2)));
    assertThat(Verdict.reported(Status.FAILURE, 2, 0, TWO)).isEqualTo(new End(Status.FAILURE, ""));
  }

  @Test
  void aTimeoutCountsLikeAFailure() {
    assertThat(Verdict.timedOut(Duration.ofMillis(1_500), 1, 0, TWO))
        .isEqualTo(new Again(2, 0, Duration.ofSeconds(2)));
    assertThat(Verdict.timedOut(Duration.ofMillis(1_500), 2, 0, TWO))
        .isEqualTo(new End(Status.TIMEOUT, "Input ran for longer than its timeout of 1500 ms."));
  }

  @Test
  void aContainerThatWasToldToEndSaysNothingAboutItsInputs() {
    for (Ending ending : List.of(CRASH, SIGNAL, MEMORY, NEVER, LOST)) {
      assertThat(ended(ending, true, 2, 2)).isEqualTo(new Again(2, 2, Duration.ZERO));
    }
  }

  @Test
  void aCrashCountsLikeAFailure() {
    for (Ending ending : List.of(CRASH, SIGNAL, MEMORY)) {
      assertThat(ended(ending, false, 0, 2)).isEqualTo(new Again(1, 2, Duration.ofSeconds(1)));
    }
    assertThat(ended(CRASH, false, 2, 0))
        .isEqualTo(
            new End(Status.FAILURE, "Container exited with code 3 while it ran this input."));
    assertThat(ended(SIGNAL, false, 2, 0))
        .isEqualTo(
            new End(Status.FAILURE, "Container was killed by signal 11 while it ran this input."));
    assertThat(ended(MEMORY, false, 2, 0))
        .isEqualTo(
            new End(
                Status.OUT_OF_MEMORY,
                "Container was killed for using more than its memory limit of 512 MiB."));
  }

  @Test
  void memoryOfTheMachineIsToldFromThatOfTheContainer() {
    assertThat(Verdict.containerEnded(MEMORY, false, 2, 0, TWO, 0))
        .isEqualTo(
            new End(Status.OUT_OF_MEMORY, "Container was killed: the machine ran out of memory."));
  }

  @Test
  void lostMachinesCountApartAndEndAnInputAtTheThird() {
    assertThat(ended(LOST, false, 2, 0)).isEqualTo(new Again(2, 1, Duration.ZERO));
    assertThat(ended(NEVER, false, 0, 1)).isEqualTo(new Again(0, 2, Duration.ZERO));
    assertThat(ended(LOST, false, 0, 2))
        .isEqualTo(
            new End(
                Status.INTERNAL_FAILURE,
                "Input was lost with its container 3 times, last: no link"));
  }
}
