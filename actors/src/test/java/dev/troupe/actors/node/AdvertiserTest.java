package dev.troupe.actors.node;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.node.NodeProtocol.Capacity;
import dev.troupe.actors.placement.MachineAdvert;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class AdvertiserTest {

  private static final Instant T0 = Instant.parse("2026-11-01T12:00:00Z");
  private static final MachineId M = new MachineId("m1");

  private final List<MachineAdvert> adverts = new ArrayList<>();
  private final List<Duration> wakes = new ArrayList<>();
  private final Advertiser advertiser = new Advertiser(M, adverts::add, wakes::add, T0);

  @Test
  void aMachineThatWasNeverConnectedIsNotAdvertised() {
    advertiser.show(NodeState.unknown(M, T0), true, List.of(), Map.of(), T0);
    advertiser.renew(at(60_000));

    assertThat(adverts).isEmpty();
  }

  @Test
  void aChangeIsSaidAtOnce() {
    show(1_000, 0);

    assertThat(adverts).singleElement().satisfies(at -> assertThat(at.linked()).isTrue());
  }

  @Test
  void whatDidNotChangeIsNotSaid() {
    show(1_000, 0);
    show(1_000, 500);

    assertThat(adverts).hasSize(1);
  }

  @Test
  void manyChangesAreSaidOnceEvery100Milliseconds() {
    show(1_000, 0);
    show(2_000, 30);
    show(3_000, 60);
    assertThat(adverts).hasSize(1);
    assertThat(wakes).containsExactly(Duration.ofMillis(70));

    advertiser.due(at(100));

    assertThat(adverts).hasSize(2);
    assertThat(adverts.getLast().capacity().cpuMillis()).isEqualTo(3_000);
  }

  @Test
  void isSaidAgainAfterFiveSecondsWithAHigherRevision() {
    show(1_000, 0);
    advertiser.renew(at(4_999));
    assertThat(adverts).hasSize(1);

    advertiser.renew(at(5_000));

    assertThat(adverts).hasSize(2);
    assertThat(adverts.getLast().revision()).isGreaterThan(adverts.getFirst().revision());
  }

  @Test
  void anAdvertiserMadeLaterIsNewer() {
    for (int i = 1; i < 50; i++) {
      show(i, i * 100);
    }
    Advertiser later = new Advertiser(M, adverts::add, wakes::add, at(5_000));
    later.show(linked(7), true, List.of(), Map.of(), at(5_000));

    assertThat(adverts.getLast().revision()).isGreaterThan(adverts.get(48).revision());
  }

  @Test
  void aLostLinkAndNewImagesAreChanges() {
    show(1_000, 0);
    advertiser.show(linked(1_000), true, List.of(new ImageId("im-1")), Map.of(), at(200));
    advertiser.show(linked(1_000).disconnected("l1", at(400)), true, List.of(), Map.of(), at(400));

    assertThat(adverts).hasSize(3);
    assertThat(adverts.getLast().linked()).isFalse();
  }

  private void show(int cpuMillis, int millis) {
    advertiser.show(linked(cpuMillis), true, List.of(), Map.of(), at(millis));
  }

  private static NodeState linked(int cpuMillis) {
    return NodeState.unknown(M, T0)
        .connected("l1", new Capacity(cpuMillis, 1, List.of()), List.of(), List.of(), T0)
        .next();
  }

  private static Instant at(int millis) {
    return T0.plusMillis(millis);
  }
}
