package dev.troupe.actors.function;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.function.Autoscaler.Load;
import dev.troupe.actors.function.FunctionDefinition.Scaling;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;

class AutoscalerTest {

  private static final Duration UNKNOWN = Duration.ZERO;
  private static final Duration TINY = Duration.ofMillis(1);
  private static final Duration LONG = Duration.ofMinutes(1);
  private static final Scaling FREE = scaling(0, 1_000, 0);

  private static Scaling scaling(int min, int max, int buffer) {
    return new Scaling(min, max, buffer, Duration.ofMinutes(1));
  }

  private static Load load(int waiting, int running, int live, int starting, Duration mean) {
    return new Load(waiting, running, live, starting, 1, mean, Duration.ZERO);
  }

  @Test
  void nothingToDoNeedsNothing() {
    assertThat(Autoscaler.starts(load(0, 0, 0, 0, UNKNOWN), FREE)).isZero();
  }

  @Test
  void oneInputNeedsOneContainer() {
    assertThat(Autoscaler.starts(load(1, 0, 0, 0, UNKNOWN), FREE)).isOne();
    assertThat(Autoscaler.starts(load(1, 0, 1, 1, UNKNOWN), FREE)).isZero();
    assertThat(Autoscaler.starts(load(0, 1, 1, 0, UNKNOWN), FREE)).isZero();
  }

  @Test
  void theMinimumIsStartedAtOnceAndTheMaximumHolds() {
    assertThat(Autoscaler.starts(load(0, 0, 3, 3, UNKNOWN), scaling(50, 100, 0))).isEqualTo(47);
    assertThat(Autoscaler.starts(load(900, 0, 1, 0, LONG), scaling(0, 3, 0))).isEqualTo(2);
    assertThat(Autoscaler.starts(load(900, 3, 3, 0, LONG), scaling(0, 3, 0))).isZero();
  }

  @Test
  void aContainerRunsAsManyInputsAsItHasSlots() {
    Load load = new Load(20, 0, 0, 0, 10, UNKNOWN, Duration.ZERO);

    assertThat(Autoscaler.target(load, FREE)).isEqualTo(2);
  }

  @Test
  void aBufferIsKeptWhileBusyHoweverShortTheInputsAre() {
    assertThat(Autoscaler.starts(load(0, 1, 1, 0, TINY), scaling(0, 9, 2))).isEqualTo(2);
    assertThat(Autoscaler.starts(load(0, 1, 3, 2, TINY), scaling(0, 9, 2))).isZero();
    assertThat(Autoscaler.starts(load(0, 0, 0, 0, TINY), scaling(0, 9, 2))).isZero();
  }

  @Test
  void manyTinyInputsStartFewContainers() {
    assertThat(Autoscaler.starts(load(1_000, 0, 0, 0, UNKNOWN), FREE))
        .isEqualTo(Autoscaler.FIRST_STEP);
    assertThat(Autoscaler.starts(load(990, 4, 4, 0, TINY), FREE)).isZero();
  }

  @Test
  void manyLongInputsHaveTheirContainersAfterFewSteps() {
    int live = 0;
    int steps = 0;
    while (live < 1_000) {
      live += Autoscaler.starts(load(1_000 - live, live, live, 0, LONG), FREE);
      steps++;
    }
    assertThat(steps).isLessThanOrEqualTo(10);
  }

  @Test
  void noStepIsTakenBeforeTheLastOneIsUp() {
    assertThat(Autoscaler.starts(load(1_000, 0, 8, 8, LONG), FREE)).isZero();
    assertThat(Autoscaler.starts(load(1_000, 4, 8, 4, LONG), FREE)).isEqualTo(4);
  }

  @Test
  void aQueueThatDoesNotMoveBringsAContainerHoweverShortItsInputsWere() {
    Load stuck = new Load(1, 1, 1, 0, 1, TINY, Duration.ofSeconds(1));

    assertThat(Autoscaler.starts(stuck, FREE)).isOne();
  }

  @Test
  void moreWaitingNeverMeansFewerContainers() {
    long seed = 20_261_101;
    Random random = new Random(seed);
    for (int i = 0; i < 20_000; i++) {
      Scaling bounds = scaling(random.nextInt(5), 5 + random.nextInt(100), random.nextInt(4));
      int live = random.nextInt(50);
      Load less =
          new Load(
              random.nextInt(200),
              random.nextInt(50),
              live,
              random.nextInt(live + 1),
              1 + random.nextInt(8),
              Duration.ofMillis(random.nextInt(5_000)),
              Duration.ofMillis(random.nextInt(3_000)));
      Load more =
          new Load(
              less.waiting() + random.nextInt(100),
              less.running(),
              live,
              less.starting(),
              less.slots(),
              less.meanRun(),
              less.longestWait());

      int starts = Autoscaler.starts(more, bounds);
      assertThat(starts)
          .as("seed %d: %s, %s, %s", seed, less, more, bounds)
          .isGreaterThanOrEqualTo(Autoscaler.starts(less, bounds));
      assertThat(live + starts).isLessThanOrEqualTo(Math.max(live, bounds.maxContainers()));
    }
  }
}
