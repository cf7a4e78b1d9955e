package dev.troupe.node.log;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PaceTest {

  private static final long SECOND = 1_000_000_000;

  @Test
  void aBurstPassesAndWhatFollowsIsSlowedToTheRate() {
    Pace pace = new Pace(1_000_000, 2_000_000, 0);
    assertThat(pace.took(2_000_000, 0, 0)).isZero();
    assertThat(pace.took(500_000, 0, 0)).isEqualTo(SECOND / 2);
    assertThat(pace.took(1_000_000, 0, SECOND / 2)).isEqualTo(SECOND / 2 + SECOND);
  }

  @Test
  void whoPausesMayBurstAgainButNeverMoreThanABurst() {
    Pace pace = new Pace(1_000_000, 2_000_000, 0);
    assertThat(pace.took(2_000_000, 0, 0)).isZero();
    assertThat(pace.took(2_000_000, 0, 100 * SECOND)).isEqualTo(100 * SECOND);
    assertThat(pace.took(1_000_000, 0, 100 * SECOND)).isEqualTo(101 * SECOND);
  }

  @Test
  void shortLinesCountMoreThanTheirText() {
    Pace pace = new Pace(1_000_000, 0, 0);
    assertThat(pace.took(2, 1, 0)).isGreaterThan(100_000);
  }

  @Test
  void withoutALimitThereIsNone() {
    assertThat(Pace.unlimited().took(Integer.MAX_VALUE, Integer.MAX_VALUE, 5)).isEqualTo(5);
  }
}
