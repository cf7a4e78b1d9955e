package dev.troupe.actors.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.app.AppEvent.AppCreated;
import dev.troupe.actors.app.AppEvent.AppStopped;
import dev.troupe.actors.app.AppEvent.StopBegun;
import dev.troupe.actors.app.AppProtocol.AppObject;
import dev.troupe.actors.app.AppProtocol.AppReply;
import dev.troupe.actors.app.AppProtocol.Deployer;
import dev.troupe.actors.app.AppProtocol.Phase;
import dev.troupe.actors.app.AppProtocol.PublishReply;
import dev.troupe.actors.app.AppProtocol.PublishReply.NoVersion;
import dev.troupe.actors.app.AppProtocol.PublishReply.Published;
import dev.troupe.actors.app.AppProtocol.PublishReply.Refused;
import dev.troupe.actors.app.AppProtocol.Version;
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
    assertThat(absent.stop("cli", "me", T0).reply()).isEqualTo(Outcome.NO_APP);
    assertThat(absent.publish(null, "", ONE, Deployer.UNKNOWN, T0).reply())
        .isInstanceOf(Refused.class);
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

    assertThat(
            made(Phase.INITIALIZING)
                .publish(Phase.DEPLOYED, "", nothing, Deployer.UNKNOWN, T1)
                .reply())
        .isEqualTo(new Published(1, T1, true));
  }

  @Test
  void theSameLayoutAgainIsNoNewVersion() {
    AppState live = deployed(ONE);

    assertThat(live.publish(Phase.DEPLOYED, "web", ONE, Deployer.UNKNOWN, T1))
        .isEqualTo(Decision.reply(new Published(1, T0, false)));
    assertThat(live.publish(null, "", ONE, Deployer.UNKNOWN, T1).events()).isEmpty();
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
      assertThat(live.publish(Phase.DEPLOYED, "web", other, Deployer.UNKNOWN, T1).reply())
          .as("%s", other)
          .isEqualTo(new Published(2, T1, true));
    }
    assertThat(live.publish(Phase.DEPLOYED, "shop", ONE, Deployer.UNKNOWN, T1).events()).hasSize(1);
    assertThat(live.publish(Phase.EPHEMERAL, "web", ONE, Deployer.UNKNOWN, T1).events()).hasSize(1);
  }

  @Test
  void aDeploymentTagGivenAgainIsNothingNew() {
    AppState live = deployed(layout(ONE.functions(), "def1", "v7"));

    assertThat(live.publish(Phase.DEPLOYED, "web", ONE, Deployer.UNKNOWN, T1).events()).isEmpty();
  }

  @Test
  void functionsThatLeaveTheLayoutAreDroppedUntilTheyComeBack() {
    AppState second =
        apply(deployed(ONE), s -> s.publish(Phase.DEPLOYED, "web", TWO, Deployer.UNKNOWN, T1));
    AppState third =
        apply(second, s -> s.publish(Phase.DEPLOYED, "web", ONE, Deployer.UNKNOWN, T1));

    assertThat(app(second).published()).containsExactly(new FunctionId("fu-2"));
    assertThat(app(second).dropped()).containsExactly(new FunctionId("fu-1"));
    assertThat(app(third).dropped()).containsExactly(new FunctionId("fu-2"));
  }

  @Test
  void everyFunctionItEverHadEndsWithIt() {
    AppState second =
        apply(deployed(ONE), s -> s.publish(Phase.DEPLOYED, "web", TWO, Deployer.UNKNOWN, T1));
    AppState variant = apply(second, s -> s.register(object("fu-3", 1)));
    AppState withClass = apply(variant, s -> s.register(object("cs-1", 1)));

    assertThat(app(withClass).all())
        .containsExactlyInAnyOrder(
            new FunctionId("fu-1"), new FunctionId("fu-2"), new FunctionId("fu-3"));
  }

  @Test
  void aPublicationWithoutPhaseKeepsIt() {
    AppState served =
        apply(made(Phase.EPHEMERAL), s -> s.publish(null, "", ONE, Deployer.UNKNOWN, T1));

    assertThat(app(served).phase()).isEqualTo(Phase.EPHEMERAL);
    assertThat(app(served).deployedAt()).isNull();
  }

  @ParameterizedTest
  @EnumSource(names = {"INITIALIZING", "EPHEMERAL"})
  void itsClientsLeavingEndsIt(Phase phase) {
    assertThat(made(phase).disconnect("done", T1))
        .isEqualTo(Decision.record(new StopBegun("done", T1, ""), Outcome.OK));
  }

  @ParameterizedTest
  @EnumSource(names = {"DETACHED", "DEPLOYED"})
  void itsClientsLeavingDoesNotEndIt(Phase phase) {
    assertThat(made(phase).disconnect("done", T1).events()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(names = {"INITIALIZING", "EPHEMERAL", "DETACHED", "DEPLOYED"})
  void whateverItIsItCanBeStopped(Phase phase) {
    assertThat(made(phase).stop("cli", "me", T1).events())
        .containsExactly(new StopBegun("cli", T1, "me"));
  }

  @Test
  void anAppThatEndsTakesNothingMore() {
    AppState ending = apply(deployed(ONE), s -> s.stop("cli", "me", T1));
    AppState ended = ending.apply(new AppStopped(T1));

    for (AppState state : new AppState[] {ending, ended}) {
      assertThat(state.stop("again", "me", T1)).isEqualTo(Decision.reply(Outcome.OK));
      assertThat(state.disconnect("again", T1)).isEqualTo(Decision.reply(Outcome.OK));
      assertThat(state.heartbeat()).isEqualTo(Outcome.ENDED);
      assertThat(state.register(object("fu-9", 1))).isEqualTo(Decision.reply(Outcome.ENDED));
      assertThat(state.publish(null, "", TWO, Deployer.UNKNOWN, T1))
          .isEqualTo(Decision.reply(new Refused("the app has ended: cli")));
      assertThat(state.answer(Outcome.ENDED, ID, 0)).isEqualTo(new AppReply.Ended(ID, "cli"));
    }
    assertThat(view(ended).phase()).isEqualTo(Phase.STOPPED);
    assertThat(view(ended).stoppedAt()).isEqualTo(T1);
    assertThat(view(ending).stoppedAt()).isNull();
  }

  @Test
  void goingBackIsANewVersionThatIsAnEarlierOne() {
    AppState state = apply(made(Phase.INITIALIZING), s -> s.register(object("fu-1", 1)));
    state = apply(state, s -> publish(s, ONE));
    state = apply(state, s -> s.register(object("fu-1", 2)));
    state = apply(state, s -> publish(s, TWO));
    AppState back = apply(state, s -> s.rollback(1, by("me", "first"), T1));

    assertThat(app(back).version()).isEqualTo(3);
    assertThat(app(back).layout()).isEqualTo(ONE);
    assertThat(app(back).asOf()).isEqualTo(1);
    assertThat(app(back).dropped()).containsExactly(new FunctionId("fu-2"));
    assertThat(view(back).objects())
        .extracting(at -> at.handleMetadata()[0])
        .containsExactly((byte) 1);
    assertThat(back.versions()).extracting(Version::number).containsExactly(3, 2, 1);
    assertThat(back.versions().getFirst().rollbackOf()).isEqualTo(1);
    assertThat(view(back).credits().deployedBy()).isEqualTo("me");
  }

  @Test
  void theVersionBeforeIsTheOneThatWasInForce() {
    AppState two = apply(deployed(ONE), s -> publish(s, TWO));
    AppState back = apply(two, s -> s.rollback(AppProtocol.PREVIOUS, by("me", "first"), T1));
    AppState forth = apply(back, s -> s.rollback(AppProtocol.PREVIOUS, by("me", "second"), T1));

    assertThat(app(back).layout()).isEqualTo(ONE);
    assertThat(app(forth).layout()).isEqualTo(TWO);
    assertThat(forth.versions().getFirst().rollbackOf()).isEqualTo(2);
  }

  @Test
  void aRepeatedRequestGoesBackOnce() {
    AppState two = apply(deployed(ONE), s -> publish(s, TWO));
    AppState back = apply(two, s -> s.rollback(AppProtocol.PREVIOUS, by("me", "first"), T1));

    assertThat(back.rollback(AppProtocol.PREVIOUS, by("me", "first"), T1))
        .isEqualTo(Decision.reply(new Published(3, T1, true)));
    assertThat(apply(back, s -> s.rollover(by("me", "over"), T1)).rollover(by("me", "over"), T1))
        .isEqualTo(Decision.reply(new Published(4, T1, true)));
  }

  @Test
  void whatCanNotBeGoneBackToIsSaid() {
    AppState one = deployed(ONE);

    assertThat(one.rollback(7, Deployer.UNKNOWN, T1).reply())
        .isEqualTo(
            new NoVersion(
                "App 'web' has no version v7 to go back to; it has v1 to v1 (the last 50 are kept)."));
    assertThat(one.rollback(AppProtocol.PREVIOUS, Deployer.UNKNOWN, T1).reply())
        .isEqualTo(new NoVersion("App 'web' has no version before v1."));
    assertThat(one.rollback(1, Deployer.UNKNOWN, T1).reply())
        .isEqualTo(new Refused("Version v1 of app 'web' is live already."));
    assertThat(made(Phase.EPHEMERAL).rollback(1, Deployer.UNKNOWN, T1).reply())
        .isInstanceOf(Refused.class);
    assertThat(new Absent().rollover(Deployer.UNKNOWN, T1).reply()).isInstanceOf(Refused.class);
  }

  @Test
  void aRolloverIsTheSameVersionWithNewContainers() {
    AppState over = apply(deployed(ONE), s -> s.rollover(by("me", "over"), T1));

    assertThat(app(over).layout()).isEqualTo(ONE);
    assertThat(app(over).fresh()).isTrue();
    assertThat(app(over).asOf()).isEqualTo(1);
    assertThat(over.versions().getFirst().fresh()).isTrue();
    assertThat(app(apply(over, s -> publish(s, TWO))).fresh()).isFalse();
  }

  @Test
  void onlyTheLastDeployedVersionsAreKept() {
    AppState state =
        apply(made(Phase.EPHEMERAL), s -> s.publish(null, "", TWO, Deployer.UNKNOWN, T0));
    assertThat(state.versions()).isEmpty();
    for (int i = 0; i <= AppProtocol.VERSIONS_KEPT; i++) {
      App.Layout layout = layout(ONE.functions(), "def" + i, "");
      state = apply(state, s -> publish(s, layout));
    }

    assertThat(state.versions()).hasSize(AppProtocol.VERSIONS_KEPT);
    assertThat(state.versions().getLast().number()).isEqualTo(3);
    assertThat(state.rollback(2, Deployer.UNKNOWN, T1).reply()).isInstanceOf(NoVersion.class);
  }

  private static Decision<AppEvent, PublishReply> publish(AppState state, App.Layout layout) {
    return state.publish(Phase.DEPLOYED, "web", layout, Deployer.UNKNOWN, T1);
  }

  private static Deployer by(String name, String request) {
    return new Deployer(name, "1.6.4", new byte[0], request);
  }

  private static AppCreated created(Phase phase) {
    return new AppCreated("main", "hello.py", phase, Map.of(), T0, "me");
  }

  private static AppState made(Phase phase) {
    return apply(new Absent(), s -> s.create(created(phase)));
  }

  private static AppState deployed(App.Layout layout) {
    return apply(
        made(Phase.INITIALIZING),
        s -> s.publish(Phase.DEPLOYED, "web", layout, Deployer.UNKNOWN, T0));
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
