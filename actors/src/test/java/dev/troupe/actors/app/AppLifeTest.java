package dev.troupe.actors.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.app.AppProtocol.Phase;
import dev.troupe.actors.id.FunctionId;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AppLifeTest {

  private static final Instant T0 = Instant.parse("2026-11-01T12:00:00Z");
  private static final FunctionId F = new FunctionId("fu-1");
  private static final FunctionId G = new FunctionId("fu-2");

  @ParameterizedTest
  @EnumSource(names = {"INITIALIZING", "EPHEMERAL"})
  void endsWhenItsClientIsSilent(Phase phase) {
    AppLife life = AppLife.fresh(T0).heard(at(15));

    assertThat(life.end(phase, at(59))).isEmpty();
    assertThat(life.end(phase, at(60))).hasValue("no word of its client for 45 s");
  }

  @Test
  void aServerThatWasAwayDoesNotBlameTheClient() {
    assertThat(AppLife.resumed(at(1000)).end(Phase.EPHEMERAL, at(1044))).isEmpty();
  }

  @Test
  void aDeployedAppNeedsNoClient() {
    assertThat(AppLife.fresh(T0).end(Phase.DEPLOYED, at(9999))).isEmpty();
  }

  @Test
  void aDetachedAppEndsWhenItsClientLeftAndItsCallsAreDone() {
    AppLife busy = AppLife.fresh(T0).busy(F, 1, 1, at(1)).left(at(2));

    assertThat(busy.end(Phase.DETACHED, at(30))).isEmpty();
    AppLife done = busy.busy(F, 0, 1, at(31));
    assertThat(done.end(Phase.DETACHED, at(33))).isEmpty();
    assertThat(done.end(Phase.DETACHED, at(34))).isPresent();
  }

  @Test
  void aDetachedAppWaitsForItsClientToLeave() {
    AppLife idle = AppLife.fresh(T0).heard(at(20));

    assertThat(idle.end(Phase.DETACHED, at(30))).isEmpty();
    assertThat(idle.end(Phase.DETACHED, at(65))).isPresent();
  }

  @Test
  void aCallThatIsStillOnItsWayKeepsADetachedAppThatItsClientLeft() {
    AppLife left = AppLife.fresh(T0).left(at(10));

    assertThat(left.end(Phase.DETACHED, at(12))).isEmpty();
    assertThat(left.busy(F, 1, 0, at(12)).end(Phase.DETACHED, at(14))).isEmpty();
  }

  @Test
  void idleFunctionsThatSaySoAgainDoNotKeepADetachedApp() {
    AppLife life = AppLife.fresh(T0).left(T0).busy(F, 1, 1, T0).busy(F, 0, 1, at(1));
    AppLife repeated = life.busy(F, 0, 1, at(4)).busy(G, 0, 1, at(4));

    assertThat(repeated.end(Phase.DETACHED, at(5))).isPresent();
  }

  @Test
  void afterARestartABusyFunctionHasTimeToSaySo() {
    AppLife resumed = AppLife.resumed(T0).left(at(1));

    assertThat(resumed.end(Phase.DETACHED, at(44))).isEmpty();
    assertThat(resumed.end(Phase.DETACHED, at(45))).isPresent();
    assertThat(resumed.busy(F, 1, 1, at(30)).end(Phase.DETACHED, at(45))).isEmpty();
  }

  @Test
  void aFunctionThatSaysNothingAnyMoreIsNotBusy() {
    AppLife life = AppLife.fresh(T0).busy(F, 1, 2, T0).left(T0);

    assertThat(life.containers(at(74))).isEqualTo(2);
    assertThat(life.containers(at(75))).isZero();
    assertThat(life.end(Phase.DETACHED, at(74))).isEmpty();
    assertThat(life.end(Phase.DETACHED, at(75))).isPresent();
  }

  @Test
  void containersOfAllFunctionsAreCounted() {
    AppLife life = AppLife.fresh(T0).busy(F, 0, 2, T0).busy(G, 5, 3, T0);

    assertThat(life.containers(T0)).isEqualTo(5);
    assertThat(life.busy(F, 0, 0, T0).containers(T0)).isEqualTo(3);
  }

  private static Instant at(int seconds) {
    return T0.plusSeconds(seconds);
  }
}
