package dev.troupe.actors.node;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.function.FunctionProtocol;
import dev.troupe.actors.function.FunctionProtocol.ContainerEnded;
import dev.troupe.actors.function.FunctionProtocol.ContainersOn;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.node.NodeProtocol.Attribute;
import dev.troupe.actors.node.NodeProtocol.Build;
import dev.troupe.actors.node.NodeProtocol.Capacity;
import dev.troupe.actors.node.NodeProtocol.Command;
import dev.troupe.actors.node.NodeProtocol.Condition;
import dev.troupe.actors.node.NodeProtocol.Connected;
import dev.troupe.actors.node.NodeProtocol.Describe;
import dev.troupe.actors.node.NodeProtocol.Disconnected;
import dev.troupe.actors.node.NodeProtocol.Grant;
import dev.troupe.actors.node.NodeProtocol.GrantReply;
import dev.troupe.actors.node.NodeProtocol.GrantReply.Granted;
import dev.troupe.actors.node.NodeProtocol.GrantReply.Refused;
import dev.troupe.actors.node.NodeProtocol.Launch;
import dev.troupe.actors.node.NodeProtocol.MachineView;
import dev.troupe.actors.node.NodeProtocol.Order;
import dev.troupe.actors.node.NodeProtocol.Placed;
import dev.troupe.actors.node.NodeProtocol.Share;
import dev.troupe.actors.node.NodeProtocol.TaskReport;
import dev.troupe.actors.placement.MachineAdvert;
import dev.troupe.actors.testing.Definitions;
import dev.troupe.actors.testing.InMemoryDirectory;
import dev.troupe.actors.testing.ManualSystem;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.testkit.typed.javadsl.FishingOutcomes;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding.Passivate;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding.ShardCommand;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class NodeActorTest {

  private static final ManualSystem SYSTEM = new ManualSystem();
  private static final Duration SHORT = Duration.ofMillis(100);
  private static final MachineId M = new MachineId("m1");
  private static final FunctionId F = new FunctionId("fu-1");
  private static final TaskId A = new TaskId("ta-A");
  private static final Share SHARE = new Share(1_000, 100, List.of("H100"));
  private static final Capacity CAPACITY = new Capacity(2_000, 1_000, List.of("H100", "H100"));

  private final InMemoryDirectory directory = new InMemoryDirectory();
  private final TestProbe<FunctionProtocol.Command> functions = SYSTEM.kit().createTestProbe();
  private final TestProbe<MachineAdvert> adverts = SYSTEM.kit().createTestProbe();
  private final TestProbe<Order> link = SYSTEM.kit().createTestProbe();
  private final TestProbe<GrantReply> asker = SYSTEM.kit().createTestProbe();
  private final TestProbe<MachineView> viewer = SYSTEM.kit().createTestProbe();
  private final TestProbe<ShardCommand> shard = SYSTEM.kit().createTestProbe();
  private final ActorRef<Command> machine =
      SYSTEM
          .kit()
          .spawn(
              NodeActor.create(
                  M,
                  shard.ref(),
                  new NodeActor.World(
                      directory,
                      _ -> functions.ref(),
                      advert -> adverts.ref().tell(advert),
                      SYSTEM.clock())));

  @AfterAll
  static void stop() {
    SYSTEM.close();
  }

  @Test
  void aGrantIsAnsweredOrderedAndAdvertised() {
    connect("l1", link.ref());
    assertThat(adverts.receiveMessage().free()).isEqualTo(CAPACITY);

    machine.tell(new Grant(launch(), asker.ref()));

    asker.expectMessage(new Granted(A, M));
    assertThat(link.expectMessageClass(Order.StartTask.class).launch().task()).isEqualTo(A);
    adverts.expectNoMessage(SHORT);
    SYSTEM.pass(Duration.ofMillis(100));
    assertThat(adverts.receiveMessage().free())
        .isEqualTo(new Capacity(1_000, 900, List.of("H100")));
  }

  @Test
  void isAdvertisedAgainEveryFiveSeconds() {
    connect("l1", link.ref());
    adverts.receiveMessage();
    view();

    SYSTEM.pass(Duration.ofSeconds(5));

    adverts.receiveMessage();
  }

  @Test
  void aLinkWhoseActorEndsIsLost() {
    ActorRef<Order> fragile = SYSTEM.kit().spawn(Behaviors.ignore());
    connect("l1", fragile);
    machine.tell(new NodeProtocol.TaskChanged("l1", report(true)));
    assertThat(view().tasks()).hasSize(1);

    SYSTEM.kit().stop(fragile);
    viewer.awaitAssert(
        () -> {
          assertThat(view().linked()).isFalse();
          return null;
        });
    machine.tell(new Grant(launch("ta-B"), asker.ref()));
    asker.expectMessageClass(Refused.class);
    SYSTEM.pass(Duration.ofSeconds(10));

    functions.fishForMessage(
        Duration.ofSeconds(3),
        word ->
            word instanceof ContainerEnded
                ? FishingOutcomes.complete()
                : FishingOutcomes.continueAndIgnore());
  }

  @Test
  void aNewLinkOfTheSameAgentKeepsItsContainers() {
    connect("l1", link.ref());
    machine.tell(new NodeProtocol.TaskChanged("l1", report(true)));
    machine.tell(new Disconnected("l1", "the network", Duration.ZERO));
    assertThat(view().linked()).isFalse();
    TestProbe<Order> second = SYSTEM.kit().createTestProbe();

    machine.tell(connected("l2", second.ref(), report(true)));

    assertThat(view().tasks()).extracting(Placed::report).containsExactly(report(true));
    functions.fishForMessage(
        Duration.ofSeconds(3),
        word ->
            word.equals(new ContainersOn(M, List.of(A)))
                ? FishingOutcomes.complete()
                : FishingOutcomes.continueAndIgnore());
  }

  @Test
  void aBuildGoesToTheAgent() {
    connect("l1", link.ref());

    machine.tell(new Build("b1", new ImageId("im-1"), List.of()));

    link.expectMessage(new Order.BuildImage("b1", new ImageId("im-1"), List.of()));
  }

  @Test
  void itsEntryIsAddedToWhatItsEnrolmentWrote() {
    directory.put(
        new Entry(
            Kind.MACHINE, "", "m1", "m1", SYSTEM.clock().instant(), Map.of("token", "secret")));

    connect("l1", link.ref());

    viewer.awaitAssert(
        () -> {
          assertThat(
                  directory
                      .byId(Kind.MACHINE, "m1")
                      .toCompletableFuture()
                      .join()
                      .orElseThrow()
                      .attributes())
              .containsEntry("token", "secret")
              .containsEntry(Attribute.CPU_MILLIS, "2000")
              .containsEntry(Attribute.GPUS, "H100,H100");
          return null;
        });
  }

  @Test
  void aMachineThatIsAwayForLongIsForgotten() {
    connect("l1", link.ref());
    machine.tell(new Disconnected("l1", "gone", Duration.ZERO));
    assertThat(view().linked()).isFalse();

    SYSTEM.pass(Duration.ofMinutes(10));

    shard.expectMessage(new Passivate<>(machine));
  }

  @Test
  void aMachineThatIsDrainedGrantsNothingNewAndIsToldUntilItsAgentSaysSo() {
    TestProbe<NodeProtocol.DrainReply> drainer = SYSTEM.kit().createTestProbe();
    connect("l1", link.ref());
    machine.tell(new Grant(launch(), asker.ref()));
    asker.expectMessageClass(GrantReply.Granted.class);
    link.expectMessageClass(Order.StartTask.class);

    machine.tell(new NodeProtocol.Drain(drainer.ref()));

    drainer.expectMessage(NodeProtocol.DrainReply.DRAINING);
    link.expectMessageClass(Order.Drain.class);
    machine.tell(new Grant(launch("ta-0000000000000000000009"), asker.ref()));
    asker.expectMessageClass(GrantReply.Refused.class);
    machine.tell(new Grant(launch(), asker.ref()));
    asker.expectMessageClass(GrantReply.Granted.class);
    SYSTEM.pass(Duration.ofSeconds(1));
    link.fishForMessage(
        Duration.ofSeconds(3),
        order ->
            order instanceof Order.Drain
                ? org.apache.pekko.actor.testkit.typed.javadsl.FishingOutcomes.complete()
                : org.apache.pekko.actor.testkit.typed.javadsl.FishingOutcomes.continueAndIgnore());
    assertThat(view().draining()).isTrue();
  }

  @Test
  void aMachineIsRemovedOnceItsAgentIsAwayAndItsFunctionsAreTold() {
    TestProbe<NodeProtocol.RemoveReply> remover = SYSTEM.kit().createTestProbe();
    connect("l1", link.ref());
    machine.tell(new Grant(launch(), asker.ref()));
    asker.expectMessageClass(GrantReply.Granted.class);
    machine.tell(new NodeProtocol.Remove(remover.ref()));
    remover.expectMessage(NodeProtocol.RemoveReply.LINKED);

    machine.tell(new Disconnected("l1", "gone", Duration.ZERO));
    machine.tell(new NodeProtocol.Remove(remover.ref()));

    remover.expectMessage(NodeProtocol.RemoveReply.REMOVED);
    assertThat(view().tasks()).isEmpty();
  }

  private void connect(String linkId, ActorRef<Order> at) {
    machine.tell(connected(linkId, at));
  }

  private static Connected connected(String linkId, ActorRef<Order> at, TaskReport... reports) {
    return new Connected(
        linkId,
        CAPACITY,
        Map.of(),
        "http://agent",
        List.of(reports),
        List.of(),
        List.of(),
        Condition.UNKNOWN,
        at);
  }

  private MachineView view() {
    machine.tell(new Describe(viewer.ref()));
    return viewer.receiveMessage();
  }

  private static Launch launch() {
    return launch(A.value());
  }

  private static Launch launch(String task) {
    return new Launch(
        new TaskId(task), Definitions.of(F, Definitions.resources(1_000, 100)), SHARE);
  }

  private static TaskReport report(boolean running) {
    return new TaskReport(A, F, new AppId("ap-0000000000000000000001"), running, null, SHARE);
  }
}
