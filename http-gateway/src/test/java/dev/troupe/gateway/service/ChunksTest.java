package dev.troupe.gateway.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class ChunksTest {

  @Test
  void keepsTheOrderAndTheLimit() {
    assertThat(Chunks.of(List.of(4, 4, 4, 1, 1), size -> size, 8))
        .containsExactly(List.of(4, 4), List.of(4, 1, 1));
  }

  @Test
  void givesAnItemOverTheLimitAMessageOfItsOwn() {
    assertThat(Chunks.of(List.of(1, 20, 1), size -> size, 8))
        .containsExactly(List.of(1), List.of(20), List.of(1));
  }

  @Test
  void makesNothingOfNothing() {
    assertThat(Chunks.of(List.<Integer>of(), size -> size, 8)).isEmpty();
  }
}
