package dev.troupe.actors.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.node.NodeProtocol.Capacity;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MachineTableTest {

  private static final Instant T0 = Instant.parse("2026-11-01T12:00:00Z");

  @Test
  void theNewestAdvertCounts() {
    MachineTable table =
        MachineTable.EMPTY.plus(advert(2, 20), T0).plus(advert(1, 10), T0.plusSeconds(1));

    assertThat(table.machines()).containsExactly(advert(2, 20));
  }

  @Test
  void aMachineThatIsNotAdvertisedAnyMoreIsForgotten() {
    MachineTable table = MachineTable.EMPTY.plus(advert(1, 10), T0);

    assertThat(table.at(T0.plusSeconds(14)).machines()).hasSize(1);
    assertThat(table.at(T0.plusSeconds(15)).machines()).isEmpty();
    assertThat(table.plus(advert(2, 10), T0.plusSeconds(5)).at(T0.plusSeconds(15)).machines())
        .hasSize(1);
  }

  private static MachineAdvert advert(long revision, int cpuMillis) {
    Capacity capacity = new Capacity(cpuMillis, 1, List.of());
    return new MachineAdvert(
        new MachineId("m1"), revision, true, capacity, capacity, List.of(), Map.of());
  }
}
