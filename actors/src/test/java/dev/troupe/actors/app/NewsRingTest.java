package dev.troupe.actors.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.app.AppProtocol.Item;
import dev.troupe.actors.app.AppProtocol.News;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.MachineId;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class NewsRingTest {

  private static final Instant T0 = Instant.parse("2026-11-01T12:00:00Z");
  private static final Item LOGS = new Item.LogsOn(new MachineId("m1"));

  @Test
  void givesWhatIsBehindANumber() {
    NewsRing ring = NewsRing.startingAt(T0).plus(notice("a"), T0).plus(notice("b"), T0);

    assertThat(ring.after(0)).extracting(News::item).containsExactly(notice("a"), notice("b"));
    assertThat(ring.after(ring.last() - 1)).extracting(News::item).containsExactly(notice("b"));
    assertThat(ring.after(ring.last())).isEmpty();
  }

  @Test
  void aStandingFactIsToldOnce() {
    NewsRing ring = NewsRing.startingAt(T0).plus(LOGS, T0);

    assertThat(ring.plus(LOGS, T0)).isEqualTo(ring);
    assertThat(ring.plus(new Item.LogsOn(new MachineId("m2")), T0).kept()).hasSize(2);
  }

  @Test
  void keepsNoMoreThanItsLimitAndStandingFactsLongest() {
    NewsRing ring = NewsRing.startingAt(T0).plus(LOGS, T0);
    for (int i = 0; i < 2 * NewsRing.LIMIT; i++) {
      ring = ring.plus(notice("n" + i), T0);
    }

    assertThat(ring.kept()).hasSize(NewsRing.LIMIT);
    assertThat(ring.kept().getFirst().item()).isEqualTo(LOGS);
    assertThat(ring.kept().getLast().item()).isEqualTo(notice("n511"));
  }

  @Test
  void aRingMadeLaterGoesOnWithHigherNumbers() {
    NewsRing old = NewsRing.startingAt(T0);
    for (int i = 0; i < 1_000; i++) {
      old = old.plus(notice("n" + i), T0);
    }
    NewsRing later = NewsRing.startingAt(T0.plusMillis(2)).plus(notice("new"), T0);

    assertThat(later.after(old.last())).hasSize(1);
  }

  private static Item notice(String text) {
    return new Item.Notice(new FunctionId("fu-1"), text);
  }
}
