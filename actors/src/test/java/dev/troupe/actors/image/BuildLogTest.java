package dev.troupe.actors.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.image.ImageProtocol.Line;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BuildLogTest {

  private static final Instant T0 = Instant.parse("2026-11-01T12:00:00Z");

  private final BuildLog log = new BuildLog(T0);

  @Test
  void linesAreReadInPartsUntilTheEnd() {
    fill(1_200);

    List<String> read = new ArrayList<>();
    long last = 0;
    int answers = 0;
    while (!log.isReadTo(last)) {
      List<Line> part = log.after(last);
      part.forEach(line -> read.add(line.text()));
      last = part.getLast().number();
      answers++;
    }

    assertThat(read).hasSize(1_200).startsWith("0").endsWith("1199");
    assertThat(answers).isEqualTo(3);
  }

  @Test
  void keepsTheNewestLinesWithinItsLimit() {
    fill(BuildLog.LINES_LIMIT + 10);

    assertThat(log.after(0).getFirst().text()).isEqualTo("10");
  }

  @Test
  void keepsTheNewestCharactersWithinItsLimit() {
    for (int i = 0; i < 1_100; i++) {
      log.add(T0, 1, "x".repeat(1_000));
    }

    assertThat(count()).isEqualTo(BuildLog.SIZE_LIMIT / 1_000);
  }

  @Test
  void aLineThatIsTooLongIsCut() {
    log.add(T0, 1, "x".repeat(100_000));

    assertThat(log.after(0).getFirst().text()).hasSize((16 << 10) + 1).endsWith("…");
  }

  @Test
  void theTailStaysWhenTheBuildIsOver() {
    fill(2_000);
    log.keepTail();

    assertThat(count()).isEqualTo(BuildLog.TAIL_LINES);
    assertThat(log.after(0).getFirst().text()).isEqualTo("1500");
  }

  @Test
  void aSecondBuildGoesOnWithHigherNumbers() {
    fill(3);
    long last = log.after(0).getLast().number();
    log.clear();
    assertThat(log.isReadTo(0)).isTrue();
    log.say(T0, "again");

    assertThat(log.after(last)).hasSize(1);
    assertThat(new BuildLog(T0.plusMillis(1)).isReadTo(last)).isTrue();
  }

  private int count() {
    int lines = 0;
    for (long last = 0; !log.isReadTo(last); ) {
      List<Line> part = log.after(last);
      lines += part.size();
      last = part.getLast().number();
    }
    return lines;
  }

  private void fill(int lines) {
    for (int i = 0; i < lines; i++) {
      log.add(T0, 1, Integer.toString(i));
    }
  }
}
