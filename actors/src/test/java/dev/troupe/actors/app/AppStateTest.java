package dev.troupe.actors.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.app.AppEvent.AppCreated;
import dev.troupe.actors.app.AppEvent.AppStopped;
import dev.troupe.actors.app.AppEvent.StopBegun;
import dev.troupe.actors.app.AppProtocol.AppObject;
import dev.troupe.actors.app.AppProtocol.AppReply;
import dev.troupe.actors.app.AppProtocol.Phase;
import dev.troupe.actors.app.AppProtocol.PublishReply.Published;
import dev.troupe.actors.app.AppProtocol.PublishReply.Refused;
import dev.troupe.actors.app.AppState.Absent;
import dev.troupe.actors.app.AppState.Made;
import dev.troupe.actors.app.AppState.Outcome;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.cluster.Decision;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AppStateTest {

  private static final AppId ID = new AppId("ap-0000000000000000000001");
  private static final Instant T0 = Instant.parse("2026-11-01T12:00:00Z");
  private static final Instant T1 = T0.plusSeconds(60);
  private static final App.Layout ONE = layout(Map.of("f", "fu-1"), "def1", "");
  private static final App.Layout TWO = layout(Map.of("g", "fu-2"), "def2", "");

  @Test
  void nothingCanBeDoneWithAnAppThatWasNeverMade() {
    AppState absent = new Absent();

    assertThat(absent.register(object("fu-1", 1)).reply()).isEqualTo(Outcome.NO_APP);
    assertThat(absent.heartbeat()).isEqualTo(Outcome.NO_APP);
    assertThat(absent.disconnect("done", T0).reply()).isEqualTo(Outcome.NO_APP);
    assertThat(absent.stop("cli", T0).reply()).isEqualTo(Outcome.NO_APP);
    assertThat(absent.publish(null, "", ONE, T0).reply()).isInstanceOf(Refused.class);
    assertThat(absent.answer(Outcome.OK, ID, 0)).isEqualTo(new AppReply.NoApp(ID));
  }

  @Test
  void makingItAgainChangesNothing() {
    assertThat(made(Phase.EPHEMERAL).create(created(Phase.DETACHED)))
        .isEqualTo(Decision.reply(Outcome.OK));
  }

  @Test
  void anObjectIsRecordedOnlyWhenItIsNew() {
    AppState state = apply(made(Phase.EPHEMERAL), s -> s.register(object("fu-1", 1)));

    assertThat(state.register(object("fu-1", 1)).events()).isEmpty();
    assertThat(state.register(object("fu-1", 2)).events()).hasSize(1);
    assertThat(view(state).objects()).hasSize(1);
  }

  @Test
  void theFirstVersionIsAlwaysNew() {
    App.Layout nothing = layout(Map.of(), "", "");

    assertThat(made(Phase.INITIALIZING).publish(Phase.DEPLOYED, "", nothing, T1).reply())
        .isEqualTo(new Published(1, T1, true));
  }

  @Test
  void theSameLayoutAgainIsNoNewVersion() {
    AppState live = deployed(ONE);

    assertThat(live.publish(Phase.DEPLOYED, "web", ONE, T1))
        .isEqualTo(Decision.reply(new Published(1, T0, false)));
    assertThat(live.publish(null, "", ONE, T1).events()).isEmpty();
  }

  @Test
  void aVersionIsNewWhenAnyPartOfItDiffers() {
    AppState live = deployed(ONE);
    App.Layout otherTags =
        new App.Layout(ONE.functions(), ONE.classes(), ONE.definitions(), "", Map.of("team", "a"));
    App.Layout otherDefinition = layout(ONE.functions(), "def9", "");
    App.Layout otherClass =
        new App.Layout(ONE.functions(), Map.of("C", "cs-1"), ONE.definitions(), "", Map.of());
    App.Layout tagged = layout(ONE.functions(), "def1", "v7");

    for (App.Layout other :
        new App.Layout[] {TWO, otherTags, otherDefinition, otherClass, tagged}) {
      assertThat(live.publish(Phase.DEPLOYED, "web", other, T1).reply())
          .as("%s", other)
          .isEqualTo(new Published(2, T1, true));
    }
    assertThat(live.publish(Phase.DEPLOYED, "shop", ONE, T1).events()).hasSize(1);
    assertThat(live.publish(Phase.EPHEMERAL, "web", ONE, T1).events()).hasSize(1);
  }

  @Test
  void aDeploymentTagGivenAgainIsNothingNew() {
    AppState live = deployed(layout(ONE.functions(), "def1", "v7"));

    assertThat(live.publish(Phase.DEPLOYED, "web", ONE, T1).events()).isEmpty();
  }

  @Test
  void functionsThatLeaveTheLayoutAreDroppedUntilTheyComeBack() {
    AppState second = apply(deployed(ONE), s -> s.publish(Phase.DEPLOYED, "web", TWO, T1));
    AppState third = apply(second, s -> s.publish(Phase.DEPLOYED, "web", ONE, T1));

    assertThat(app(second).published()).containsExactly(new FunctionId("fu-2"));
    assertThat(app(second).dropped()).containsExactly(new FunctionId("fu-1"));
    assertThat(app(third).dropped()).containsExactly(new FunctionId("fu-2"));
  }

  @Test
  void everyFunctionItEverHadEndsWithIt() {
    AppState second = apply(deployed(ONE), s -> s.publish(Phase.DEPLOYED, "web", TWO, T1));
    AppState variant = apply(second, s -> s.register(object("fu-3", 1)));
    AppState withClass = apply(variant, s -> s.register(object("cs-1", 1)));

    assertThat(app(withClass).all())
        .containsExactlyInAnyOrder(
            new FunctionId("fu-1"), new FunctionId("fu-2"), new FunctionId("fu-3"));
  }

  @Test
  void aPublicationWithoutPhaseKeepsIt() {
    AppState served = apply(made(Phase.EPHEMERAL), s -> s.publish(null, "", ONE, T1));

    assertThat(app(served).phase()).isEqualTo(Phase.EPHEMERAL);
    assertThat(app(served).deployedAt()).isNull();
  }

  @ParameterizedTest
  @EnumSource(names = {"INITIALIZING", "EPHEMERAL"})
  void itsClientsLeavingEndsIt(Phase phase) {
    assertThat(made(phase).disconnect("done", T1))
        .isEqualTo(Decision.record(new StopBegun("done", T1), Outcome.OK));
  }

  @ParameterizedTest
  @EnumSource(names = {"DETACHED", "DEPLOYED"})
  void itsClientsLeavingDoesNotEndIt(Phase phase) {
    assertThat(made(phase).disconnect("done", T1).events()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(names = {"INITIALIZING", "EPHEMERAL", "DETACHED", "DEPLOYED"})
  void whateverItIsItCanBeStopped(Phase phase) {
    assertThat(made(phase).stop("cli", T1).events()).containsExactly(new StopBegun("cli", T1));
  }

  @Test
  void anAppThatEndsTakesNothingMore() {
    AppState ending = apply(deployed(ONE), s -> s.stop("cli", T1));
    AppState ended = ending.apply(new AppStopped(T1));

    for (AppState state : new AppState[] {ending, ended}) {
      assertThat(state.stop("again", T1)).isEqualTo(Decision.reply(Outcome.OK));
      assertThat(state.disconnect("again", T1)).isEqualTo(Decision.reply(Outcome.OK));
      assertThat(state.heartbeat()).isEqualTo(Outcome.ENDED);
      assertThat(state.register(object("fu-9", 1))).isEqualTo(Decision.reply(Outcome.ENDED));
      assertThat(state.publish(null, "", TWO, T1))
          .isEqualTo(Decision.reply(new Refused("the app has ended: cli")));
      assertThat(state.answer(Outcome.ENDED, ID, 0)).isEqualTo(new AppReply.Ended(ID, "cli"));
    }
    assertThat(view(ended).phase()).isEqualTo(Phase.STOPPED);
    assertThat(view(ended).stoppedAt()).isEqualTo(T1);
    assertThat(view(ending).stoppedAt()).isNull();
  }

  private static AppCreated created(Phase phase) {
    return new AppCreated("main", "hello.py", phase, Map.of(), T0);
  }

  private static AppState made(Phase phase) {
    return apply(new Absent(), s -> s.create(created(phase)));
  }

  private static AppState deployed(App.Layout layout) {
    return apply(made(Phase.INITIALIZING), s -> s.publish(Phase.DEPLOYED, "web", layout, T0));
  }

  private static App.Layout layout(
      Map<String, String> functions, String definition, String deploymentTag) {
    return new App.Layout(functions, Map.of(), Map.of("fu-1", definition), deploymentTag, Map.of());
  }

  private static AppObject object(String id, int metadata) {
    return new AppObject(id, "f", new byte[] {(byte) metadata});
  }

  private static App app(AppState state) {
    return ((Made) state).app();
  }

  private static AppProtocol.AppView view(AppState state) {
    return ((AppReply.Ok) state.answer(Outcome.OK, ID, 3)).app();
  }

  private interface Step {
    Decision<AppEvent, ?> decide(AppState state);
  }

  private static AppState apply(AppState state, Step step) {
    AppState next = state;
    for (AppEvent event : step.decide(state).events()) {
      next = next.apply(event);
    }
    return next;
  }
}
