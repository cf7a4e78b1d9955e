package dev.troupe.actors.node;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.node.NodeProtocol.Capacity;
import dev.troupe.actors.node.NodeProtocol.Launch;
import dev.troupe.actors.node.NodeProtocol.Share;
import dev.troupe.actors.testing.Definitions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class NodeLedgerTest {

  private static final Instant T0 = Instant.parse("2026-11-01T12:00:00Z");
  private static final FunctionId F = new FunctionId("fu-1");
  private static final NodeLedger EMPTY =
      NodeLedger.EMPTY.withCapacity(new Capacity(4_000, 1_000, List.of("H100", "H100", "A10")));

  @Test
  void whatIsHeldIsNotFree() {
    NodeLedger ledger =
        EMPTY
            .with(held("ta-1", new Share(1_000, 300, List.of("H100"))))
            .with(held("ta-2", new Share(500, 100, List.of("A10"))));

    assertThat(ledger.free()).isEqualTo(new Capacity(2_500, 600, List.of("H100")));
    assertThat(ledger.without(new TaskId("ta-1")).free())
        .isEqualTo(new Capacity(3_500, 900, List.of("H100", "H100")));
  }

  @Test
  void oneTaskHoldsOneShare() {
    Holding holding = held("ta-1", new Share(1_000, 300, List.of()));

    assertThat(EMPTY.with(holding).with(holding).free().cpuMillis()).isEqualTo(3_000);
  }

  @Test
  void fitsWhenEachPartFits() {
    assertThat(EMPTY.fits(new Share(4_000, 1_000, List.of("H100", "A10", "H100")))).isTrue();
    assertThat(EMPTY.fits(new Share(4_001, 0, List.of()))).isFalse();
    assertThat(EMPTY.fits(new Share(0, 1_001, List.of()))).isFalse();
    assertThat(EMPTY.fits(new Share(0, 0, List.of("H100", "H100", "H100")))).isFalse();
    assertThat(EMPTY.fits(new Share(0, 0, List.of("B200")))).isFalse();
  }

  @Test
  void aMachineThatHoldsMoreThanItHasIsFull() {
    NodeLedger ledger = EMPTY.with(held("ta-1", new Share(9_000, 9_000, List.of("B200"))));

    assertThat(ledger.free()).isEqualTo(new Capacity(0, 0, List.of("H100", "H100", "A10")));
    assertThat(ledger.fits(new Share(1, 0, List.of()))).isFalse();
  }

  @Test
  void aContainerThatWasGivenUpHoldsItsShareButIsNoOnesAnyMore() {
    Holding lost = held("ta-1", new Share(1_000, 300, List.of())).lost(Duration.ZERO);
    NodeLedger ledger = EMPTY.with(lost);

    assertThat(ledger.free().cpuMillis()).isEqualTo(3_000);
    assertThat(ledger.functions()).isEmpty();
    assertThat(ledger.tasksOf(F)).isEmpty();
  }

  private static Holding held(String task, Share share) {
    return Holding.granted(
        new Launch(new TaskId(task), Definitions.of(F, Definitions.resources(0, 0)), share), T0);
  }
}
