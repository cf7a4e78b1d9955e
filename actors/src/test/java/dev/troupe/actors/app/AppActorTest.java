package dev.troupe.actors.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.app.AppProtocol.AppReply;
import dev.troupe.actors.app.AppProtocol.AppReply.Ended;
import dev.troupe.actors.app.AppProtocol.AppReply.NoApp;
import dev.troupe.actors.app.AppProtocol.AppReply.Ok;
import dev.troupe.actors.app.AppProtocol.Attribute;
import dev.troupe.actors.app.AppProtocol.Busy;
import dev.troupe.actors.app.AppProtocol.Command;
import dev.troupe.actors.app.AppProtocol.Create;
import dev.troupe.actors.app.AppProtocol.Deployer;
import dev.troupe.actors.app.AppProtocol.Describe;
import dev.troupe.actors.app.AppProtocol.Disconnect;
import dev.troupe.actors.app.AppProtocol.Follow;
import dev.troupe.actors.app.AppProtocol.Heartbeat;
import dev.troupe.actors.app.AppProtocol.Item;
import dev.troupe.actors.app.AppProtocol.News;
import dev.troupe.actors.app.AppProtocol.Phase;
import dev.troupe.actors.app.AppProtocol.Publish;
import dev.troupe.actors.app.AppProtocol.PublishReply;
import dev.troupe.actors.app.AppProtocol.PublishReply.NoVersion;
import dev.troupe.actors.app.AppProtocol.PublishReply.Published;
import dev.troupe.actors.app.AppProtocol.PublishReply.Refused;
import dev.troupe.actors.app.AppProtocol.Rollback;
import dev.troupe.actors.app.AppProtocol.StopApp;
import dev.troupe.actors.app.AppProtocol.Tell;
import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.function.FunctionProtocol;
import dev.troupe.actors.function.FunctionProtocol.Stop;
import dev.troupe.actors.function.FunctionProtocol.Stopped;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.testing.InMemoryDirectory;
import dev.troupe.actors.testing.ManualSystem;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding.Passivate;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding.ShardCommand;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class AppActorTest {

  private static final ManualSystem SYSTEM = new ManualSystem();
  private static final Duration SHORT = Duration.ofMillis(100);
  private static final FunctionId F = new FunctionId("fu-1");
  private static final FunctionId G = new FunctionId("fu-2");

  private final InMemoryDirectory directory = new InMemoryDirectory();
  private final TestProbe<FunctionProtocol.Command> functions = SYSTEM.kit().createTestProbe();
  private final TestProbe<ShardCommand> shard = SYSTEM.kit().createTestProbe();
  private final TestProbe<AppReply> client = SYSTEM.kit().createTestProbe();
  private final TestProbe<PublishReply> publisher = SYSTEM.kit().createTestProbe();
  private final TestProbe<News> follower = SYSTEM.kit().createTestProbe();

  @AfterAll
  static void stop() {
    SYSTEM.close();
  }

  @Test
  void anUnknownAppSaysSo() {
    ActorRef<Command> app = spawn("ap-unknown");

    app.tell(new Describe(client.ref()));

    client.expectMessage(new NoApp(new AppId("ap-unknown")));
  }

  @Test
  void isListedAndKeptAwakeWhenItsMakingIsAnswered() {
    create("ap-made", Phase.EPHEMERAL);

    assertThat(listed("ap-made"))
        .containsEntry(Attribute.PHASE, "EPHEMERAL")
        .containsEntry(Attribute.DESCRIPTION, "hello.py")
        .containsEntry(Attribute.VERSION, "0");
    assertThat(isAwake("ap-made")).isTrue();
  }

  @Test
  void aVersionIsAnsweredOnceFunctionsAndDirectoryHaveIt() {
    ActorRef<Command> app = create("ap-rollout", Phase.INITIALIZING);

    app.tell(publish(Phase.DEPLOYED, "rollout", Map.of("f", "fu-1", "g", "fu-2")));

    FunctionProtocol.Publish first = expectPublish(1);
    FunctionProtocol.Publish second = expectPublish(1);
    first.replyTo().tell(new FunctionProtocol.Published(F));
    publisher.expectNoMessage(SHORT);
    second.replyTo().tell(new FunctionProtocol.Published(G));
    assertThat(publisher.expectMessageClass(Published.class).changed()).isTrue();
    assertThat(find("rollout"))
        .hasValueSatisfying(at -> assertThat(at.id()).isEqualTo("ap-rollout"));
    assertThat(isAwake("ap-rollout")).isFalse();
  }

  @Test
  void aFunctionThatDoesNotConfirmIsToldAgain() {
    ActorRef<Command> app = create("ap-restated", Phase.INITIALIZING);
    app.tell(publish(Phase.DEPLOYED, "restated", Map.of("f", "fu-1")));
    expectPublish(1);

    SYSTEM.pass(Duration.ofSeconds(2));

    expectPublish(1).replyTo().tell(new FunctionProtocol.Published(F));
    publisher.expectMessageClass(Published.class);
  }

  @Test
  void theSameVersionAgainIsNoChangeAndFunctionsHearNothing() {
    ActorRef<Command> app = deploy("ap-same", "same", Map.of("f", "fu-1"));

    app.tell(publish(Phase.DEPLOYED, "same", Map.of("f", "fu-1")));

    Published again = publisher.expectMessageClass(Published.class);
    assertThat(again.changed()).isFalse();
    assertThat(again.version()).isEqualTo(1);
    functions.expectNoMessage(SHORT);
  }

  @Test
  void aRepeatOfAVersionOnItsWayIsAnsweredWithIt() {
    ActorRef<Command> app = create("ap-repeat", Phase.INITIALIZING);
    app.tell(publish(Phase.DEPLOYED, "repeat", Map.of("f", "fu-1")));
    app.tell(publish(Phase.DEPLOYED, "repeat", Map.of("f", "fu-1")));

    expectPublish(1).replyTo().tell(new FunctionProtocol.Published(F));

    assertThat(publisher.expectMessageClass(Published.class).changed()).isTrue();
    assertThat(publisher.expectMessageClass(Published.class).changed()).isTrue();
  }

  @Test
  void anotherVersionWaitsForTheOneOnItsWay() {
    ActorRef<Command> app = create("ap-queue", Phase.INITIALIZING);
    app.tell(publish(Phase.DEPLOYED, "queue", Map.of("f", "fu-1")));
    app.tell(publish(Phase.DEPLOYED, "queue", Map.of("g", "fu-2")));

    expectPublish(1).replyTo().tell(new FunctionProtocol.Published(F));

    assertThat(publisher.expectMessageClass(Published.class).version()).isEqualTo(1);
    expectPublish(2).replyTo().tell(new FunctionProtocol.Published(G));
    assertThat(publisher.expectMessageClass(Published.class).version()).isEqualTo(2);
  }

  @Test
  void functionsDroppedFromTheLayoutAreStopped() {
    ActorRef<Command> app = deploy("ap-dropped", "dropped", Map.of("f", "fu-1"));

    app.tell(publish(Phase.DEPLOYED, "dropped", Map.of("g", "fu-2")));

    expectPublish(2).replyTo().tell(new FunctionProtocol.Published(G));
    expectStop();
    publisher.expectMessageClass(Published.class);
    SYSTEM.pass(Duration.ofSeconds(2));
    expectStop().replyTo().tell(new Stopped(F));
    SYSTEM.pass(Duration.ofSeconds(2));
    functions.expectNoMessage(SHORT);
  }

  @Test
  void aDeployTakesTheNameOverAndTheEarlierAppStaysReachable() {
    ActorRef<Command> old = deploy("ap-old", "shared", Map.of("f", "fu-1"));
    deploy("ap-new", "shared", Map.of("g", "fu-2"));

    old.tell(new StopApp("cli", "somebody", client.ref()));
    assertThat(client.expectMessageClass(Ok.class).app().app()).isEqualTo(new AppId("ap-old"));

    assertThat(find("shared")).hasValueSatisfying(at -> assertThat(at.id()).isEqualTo("ap-new"));
  }

  @Test
  void anEndStopsEveryFunctionUntilNoneIsLeft() {
    ActorRef<Command> app = deploy("ap-end", "end", Map.of("f", "fu-1", "g", "fu-2"));
    app.tell(new Follow(follower.ref(), 0));

    app.tell(new StopApp("cli", "somebody", client.ref()));

    assertThat(client.expectMessageClass(Ok.class).app().phase()).isEqualTo(Phase.STOPPING);
    assertThat(listed("ap-end")).containsEntry(Attribute.PHASE, "STOPPING");
    assertThat(isAwake("ap-end")).isTrue();
    expectStop().replyTo().tell(new Stopped(F));
    expectStop();
    follower.expectNoMessage(SHORT);
    SYSTEM.pass(Duration.ofSeconds(2));
    expectStop().replyTo().tell(new Stopped(G));
    assertThat(follower.receiveMessage().item()).isEqualTo(new Item.Done());
    assertThat(listed("ap-end")).containsEntry(Attribute.PHASE, "STOPPED");
    assertThat(isAwake("ap-end")).isFalse();
    app.tell(new Heartbeat(client.ref()));
    client.expectMessageClass(Ended.class);
  }

  @Test
  void anAppWithoutFunctionsEndsAtOnce() {
    ActorRef<Command> app = create("ap-empty", Phase.EPHEMERAL);
    app.tell(new Follow(follower.ref(), 0));

    app.tell(new Disconnect("ENTRYPOINT_COMPLETED", client.ref()));

    client.expectMessageClass(Ok.class);
    assertThat(follower.receiveMessage().item()).isEqualTo(new Item.Done());
  }

  @Test
  void anEndRefusesAVersionOnItsWay() {
    ActorRef<Command> app = create("ap-cut", Phase.INITIALIZING);
    app.tell(publish(Phase.DEPLOYED, "cut", Map.of("f", "fu-1")));
    expectPublish(1);

    app.tell(new StopApp("cli", "somebody", client.ref()));

    publisher.expectMessage(new Refused("the app has ended: stopped by cli"));
  }

  @Test
  void endsWhenItsClientFallsSilentAlsoAfterARestart() {
    ActorRef<Command> app = create("ap-silent", Phase.EPHEMERAL);
    SYSTEM.pass(Duration.ofSeconds(44));
    SYSTEM.kit().stop(app);

    ActorRef<Command> restarted = spawn("ap-silent");
    assertThat(phase(restarted)).isEqualTo(Phase.EPHEMERAL);
    SYSTEM.pass(Duration.ofSeconds(43));
    assertThat(phase(restarted)).isEqualTo(Phase.EPHEMERAL);
    SYSTEM.pass(Duration.ofSeconds(3));

    client.awaitAssert(
        () -> {
          assertThat(phase(restarted)).isEqualTo(Phase.STOPPED);
          return null;
        });
  }

  @Test
  void heartbeatsKeepIt() {
    ActorRef<Command> app = create("ap-alive", Phase.EPHEMERAL);
    for (int i = 0; i < 4; i++) {
      SYSTEM.pass(Duration.ofSeconds(15));
      app.tell(new Heartbeat(client.ref()));
      client.expectMessageClass(Ok.class);
    }

    assertThat(phase(app)).isEqualTo(Phase.EPHEMERAL);
  }

  @Test
  void aDetachedAppEndsOnceItsClientLeftAndItsCallsAreDone() {
    ActorRef<Command> app = create("ap-detached", Phase.DETACHED);
    app.tell(new Busy(F, 1, 1));
    app.tell(new Disconnect("KEYBOARD_INTERRUPT", client.ref()));
    client.expectMessageClass(Ok.class);
    SYSTEM.pass(Duration.ofSeconds(60));
    assertThat(phase(app)).isEqualTo(Phase.DETACHED);

    app.tell(new Busy(F, 0, 0));
    assertThat(phase(app)).isEqualTo(Phase.DETACHED);
    SYSTEM.pass(Duration.ofSeconds(4));

    client.awaitAssert(
        () -> {
          assertThat(phase(app)).isEqualTo(Phase.STOPPED);
          return null;
        });
  }

  @Test
  void anEndThatWasCutOffGoesOnAfterARestart() {
    ActorRef<Command> app = deploy("ap-ending", "ending", Map.of("f", "fu-1"));
    app.tell(new StopApp("cli", "somebody", client.ref()));
    client.expectMessageClass(Ok.class);
    expectStop();
    SYSTEM.kit().stop(app);

    ActorRef<Command> restarted = spawn("ap-ending");
    restarted.tell(new Follow(follower.ref(), 0));
    expectStop().replyTo().tell(new Stopped(F));

    assertThat(follower.receiveMessage().item()).isEqualTo(new Item.Done());
  }

  @Test
  void aRolloutThatWasCutOffGoesOnAfterARestart() {
    ActorRef<Command> app = create("ap-cutoff", Phase.INITIALIZING);
    app.tell(publish(Phase.DEPLOYED, "cutoff", Map.of("f", "fu-1")));
    expectPublish(1);
    SYSTEM.kit().stop(app);

    ActorRef<Command> restarted = spawn("ap-cutoff");
    restarted.tell(publish(Phase.DEPLOYED, "cutoff", Map.of("f", "fu-1")));
    expectPublish(1).replyTo().tell(new FunctionProtocol.Published(F));

    publisher.expectMessageClass(Published.class);
    assertThat(find("cutoff")).isPresent();
  }

  @Test
  void aRestartOfWhatIsSettledTellsNobody() {
    ActorRef<Command> app = deploy("ap-settled", "settled", Map.of("f", "fu-1"));
    SYSTEM.kit().stop(app);

    assertThat(phase(spawn("ap-settled"))).isEqualTo(Phase.DEPLOYED);

    functions.expectNoMessage(SHORT);
  }

  @Test
  void aDirectoryThatIsAwayDelaysTheAnswerOnly() {
    directory.failNext(1);
    ActorRef<Command> app = spawn("ap-away");
    app.tell(new Create("main", "hello.py", Phase.EPHEMERAL, Map.of(), "somebody", client.ref()));
    client.expectNoMessage(SHORT);

    SYSTEM.pass(Duration.ofSeconds(1));

    client.expectMessageClass(Ok.class);
    assertThat(isAwake("ap-away")).isTrue();
  }

  @Test
  void followersAreToldWhatTheyMissedAndWhatComes() {
    ActorRef<Command> app = create("ap-news", Phase.EPHEMERAL);
    Item early = new Item.LogsOn(new MachineId("m1"));
    Item late = new Item.Notice(F, "waiting for 1×H100");
    app.tell(new Tell(early));

    app.tell(new Follow(follower.ref(), 0));
    News first = follower.receiveMessage();
    app.tell(new Tell(late));
    News second = follower.receiveMessage();
    app.tell(new Follow(follower.ref(), second.number()));

    assertThat(first.item()).isEqualTo(early);
    assertThat(second.item()).isEqualTo(late);
    assertThat(second.number()).isEqualTo(first.number() + 1);
    follower.expectNoMessage(SHORT);
  }

  @Test
  void aFollowerThatDoesNotRenewIsForgotten() {
    ActorRef<Command> app = create("ap-forgotten", Phase.DETACHED);
    app.tell(new Busy(F, 1, 0));
    app.tell(new Follow(follower.ref(), 0));
    assertThat(phase(app)).isEqualTo(Phase.DETACHED);
    SYSTEM.pass(Duration.ofSeconds(16));

    app.tell(new Tell(new Item.LogsOn(new MachineId("m1"))));

    follower.expectNoMessage(SHORT);
  }

  @Test
  void listingsCountItsContainers() {
    ActorRef<Command> app = deploy("ap-count", "count", Map.of("f", "fu-1"));
    app.tell(new Busy(F, 7, 3));
    app.tell(new Describe(client.ref()));
    assertThat(client.expectMessageClass(Ok.class).app().containers()).isEqualTo(3);

    SYSTEM.pass(Duration.ofSeconds(2));

    client.awaitAssert(
        () -> {
          assertThat(listed("ap-count")).containsEntry(Attribute.CONTAINERS, "3");
          return null;
        });
  }

  @Test
  void aDeployedAppRestsOnceIdleAndUnfollowed() {
    ActorRef<Command> app = deploy("ap-idle", "idle", Map.of("f", "fu-1"));
    for (int i = 0; i < 10; i++) {
      app.tell(new Follow(follower.ref(), 0));
      SYSTEM.pass(Duration.ofSeconds(14));
    }
    assertThat(phase(app)).isEqualTo(Phase.DEPLOYED);
    shard.expectNoMessage(SHORT);

    SYSTEM.pass(Duration.ofSeconds(122));

    shard.expectMessage(new Passivate<>(app));
  }

  @Test
  void theWakerPokesAppsThatMustBeAwake() {
    create("ap-poked", Phase.EPHEMERAL);
    deploy("ap-resting", "resting", Map.of("f", "fu-1"));
    TestProbe<Command> poked = SYSTEM.kit().createTestProbe();
    TestProbe<Command> left = SYSTEM.kit().createTestProbe();

    SYSTEM
        .kit()
        .spawn(
            AppWaker.create(
                directory, id -> id.value().equals("ap-poked") ? poked.ref() : left.ref()));
    SYSTEM.pass(Duration.ofMillis(10));

    poked.expectMessage(new AppActor.Wake());
    SYSTEM.pass(Duration.ofSeconds(30));
    poked.expectMessage(new AppActor.Wake());
    left.expectNoMessage(SHORT);
  }

  @Test
  void goingBackIsTakenUpByFunctionsBeforeItIsAnswered() {
    ActorRef<Command> app = deploy("ap-back", "back", Map.of("f", F.value()));
    app.tell(publish(Phase.DEPLOYED, "back", Map.of("g", F.value())));
    expectPublish(2).replyTo().tell(new FunctionProtocol.Published(F));
    publisher.expectMessageClass(Published.class);

    app.tell(new Rollback(1, Deployer.UNKNOWN, publisher.ref()));

    FunctionProtocol.Publish back = expectPublish(3);
    assertThat(back.asOf()).isEqualTo(1);
    publisher.expectNoMessage(SHORT);
    back.replyTo().tell(new FunctionProtocol.Published(F));
    assertThat(publisher.expectMessageClass(Published.class).version()).isEqualTo(3);
    app.tell(new Describe(client.ref()));
    assertThat(client.expectMessageClass(Ok.class).app().functions()).containsOnlyKeys("f");
  }

  @Test
  void aVersionThatIsNotThereIsRefusedAtOnce() {
    ActorRef<Command> app = deploy("ap-none", "none", Map.of("f", F.value()));

    app.tell(new Rollback(9, Deployer.UNKNOWN, publisher.ref()));

    assertThat(publisher.expectMessageClass(NoVersion.class).why()).contains("no version v9");
  }

  private ActorRef<Command> spawn(String id) {
    return SYSTEM
        .kit()
        .spawn(
            AppActor.create(
                new AppId(id),
                shard.ref(),
                new AppActor.World(directory, _ -> functions.ref(), SYSTEM.clock())));
  }

  private ActorRef<Command> create(String id, Phase phase) {
    ActorRef<Command> app = spawn(id);
    app.tell(new Create("main", "hello.py", phase, Map.of(), "somebody", client.ref()));
    assertThat(client.expectMessageClass(Ok.class).app().phase()).isEqualTo(phase);
    return app;
  }

  private ActorRef<Command> deploy(String id, String name, Map<String, String> layout) {
    ActorRef<Command> app = create(id, Phase.INITIALIZING);
    app.tell(publish(Phase.DEPLOYED, name, layout));
    for (String _ : List.copyOf(layout.values())) {
      expectPublish(1).replyTo().tell(new FunctionProtocol.Published(F));
    }
    publisher.expectMessageClass(Published.class);
    return app;
  }

  private Publish publish(Phase phase, String name, Map<String, String> layout) {
    return new Publish(
        phase, name, layout, Map.of(), Map.of(), "", Map.of(), Deployer.UNKNOWN, publisher.ref());
  }

  private FunctionProtocol.Publish expectPublish(int version) {
    FunctionProtocol.Publish publish = functions.expectMessageClass(FunctionProtocol.Publish.class);
    assertThat(publish.appVersion()).isEqualTo(version);
    return publish;
  }

  private Stop expectStop() {
    return functions.expectMessageClass(Stop.class);
  }

  private Phase phase(ActorRef<Command> app) {
    app.tell(new Describe(client.ref()));
    return client.expectMessageClass(Ok.class).app().phase();
  }

  private Optional<Entry> find(String name) {
    return directory.find(Kind.APP, "main", name).toCompletableFuture().join();
  }

  private Map<String, String> listed(String id) {
    return directory.byId(Kind.APP, id).toCompletableFuture().join().orElseThrow().attributes();
  }

  private boolean isAwake(String id) {
    return directory.byId(Kind.LIVE_APP, id).toCompletableFuture().join().isPresent();
  }
}
