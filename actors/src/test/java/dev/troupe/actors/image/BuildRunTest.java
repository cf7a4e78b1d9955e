package dev.troupe.actors.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.image.BuildRun.Step;
import dev.troupe.actors.image.ImageProtocol.Line;
import dev.troupe.actors.node.NodeProtocol.Capacity;
import dev.troupe.actors.testing.ManualBoard;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class BuildRunTest {

  private static final Instant T0 = Instant.parse("2026-11-01T12:00:00Z");
  private static final MachineId M1 = new MachineId("m1");
  private static final ImageId BASE = new ImageId("im-base");

  private final ManualBoard board = new ManualBoard();

  @Test
  void waitsForAMachine() {
    board.unlink("m1");

    assertThat(next(unplaced(), 0)).isEqualTo(new Step.NoMachine());
  }

  @Test
  void prefersTheMachineThatHasTheBase() {
    board.link("big", capacity(64_000));
    board.link("m1", capacity(1_000), BASE);

    assertThat(next(unplaced(), 0)).isEqualTo(new Step.Tell(M1));
  }

  @Test
  void elseTakesTheMachineWithTheMostFreeCpu() {
    board.link("m1", capacity(4_000));
    board.link("m2", capacity(2_000));

    assertThat(next(unplaced(), 0)).isEqualTo(new Step.Tell(M1));
  }

  @Test
  void restatesItsWish() {
    board.link("m1", capacity(1_000));
    BuildRun run = unplaced().told(M1, T0);

    assertThat(next(run, 9)).isEqualTo(new Step.Wait());
    assertThat(next(run, 10)).isEqualTo(new Step.Tell(M1));
    assertThat(next(run.told(M1, at(10)), 19)).isEqualTo(new Step.Wait());
  }

  @Test
  void isLostWhenItsMachineStaysAway() {
    BuildRun run = unplaced().told(M1, T0).told(M1, at(10));
    board.unlink("m1");

    assertThat(next(run, 14)).isEqualTo(new Step.Wait());
    assertThat(next(run, 15)).isEqualTo(new Step.Lost("machine m1 is gone"));
  }

  @Test
  void goesOnWhenItsMachineIsBackInTime() {
    BuildRun run = unplaced().told(M1, T0).told(M1, at(14));
    board.link("m1", capacity(1_000));
    BuildRun seen = run.seen(board.machines(), at(14));
    board.unlink("m1");

    assertThat(next(seen, 23)).isEqualTo(new Step.Wait());
  }

  @Test
  void isToldAnewAsSoonAsItsMachineIsBack() {
    board.unlink("m1");
    BuildRun away = unplaced().told(M1, T0).seen(board.machines(), at(3));
    assertThat(next(away, 3)).isEqualTo(new Step.Wait());
    board.link("m1", capacity(1_000));

    assertThat(next(away.seen(board.machines(), at(5)), 5)).isEqualTo(new Step.Tell(M1));
  }

  @Test
  void isLostWhenItsMachineSaysNothingOfIt() {
    board.link("m1", capacity(1_000));
    BuildRun run = unplaced().told(M1, T0).heard(List.of(new Line(1, at(100), 1, "")), at(100));

    assertThat(next(run, 699)).isInstanceOf(Step.Tell.class);
    assertThat(next(run, 700))
        .isEqualTo(new Step.Lost("machine m1 said nothing of it for 10 minutes"));
  }

  private Step next(BuildRun run, int seconds) {
    return run.next(board.machines(), at(seconds));
  }

  private static BuildRun unplaced() {
    return BuildRun.of(1, "b1", BASE, T0);
  }

  private static Capacity capacity(int cpuMillis) {
    return new Capacity(cpuMillis, 1 << 30, List.of());
  }

  private static Instant at(int seconds) {
    return T0.plusSeconds(seconds);
  }
}
