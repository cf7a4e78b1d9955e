package dev.troupe.gateway.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class MachineWatchTest {

  private static final Duration LONG = Duration.ofSeconds(11);

  private final MachineWatch watch =
      new MachineWatch(Duration.ofSeconds(10), Duration.ofSeconds(2), 0);

  private static long at(int seconds) {
    return Duration.ofSeconds(seconds).toNanos();
  }

  @Test
  void aMachineThatIsSilentForLongIsLost() {
    assertThat(watch.isLost(Duration.ofSeconds(9), at(2))).isFalse();
    assertThat(watch.isLost(LONG, at(4))).isTrue();
  }

  @Test
  void aPauseOfThisProcessIsNotTheMachinesSilence() {
    assertThat(watch.isLost(Duration.ofSeconds(1), at(2))).isFalse();
    assertThat(watch.isLost(Duration.ofSeconds(31), at(32))).isFalse();
    assertThat(watch.isLost(Duration.ofSeconds(33), at(34))).isTrue();
  }
}
