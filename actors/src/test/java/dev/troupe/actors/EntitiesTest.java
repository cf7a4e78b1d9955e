package dev.troupe.actors;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.app.AppProtocol;
import dev.troupe.actors.app.AppProtocol.AppReply;
import dev.troupe.actors.app.AppProtocol.Phase;
import dev.troupe.actors.app.AppProtocol.PublishReply;
import dev.troupe.actors.app.Apps;
import dev.troupe.actors.function.FunctionProtocol;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.id.ImageNameId;
import dev.troupe.actors.id.SecretId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.image.ImageProtocol;
import dev.troupe.actors.image.ImageProtocol.ImageFacts;
import dev.troupe.actors.image.ImageProtocol.ImageReply;
import dev.troupe.actors.image.ImageProtocol.Layer;
import dev.troupe.actors.image.Images;
import dev.troupe.actors.imagename.ImageNameProtocol;
import dev.troupe.actors.imagename.ImageNameProtocol.Published;
import dev.troupe.actors.imagename.ImageNames;
import dev.troupe.actors.node.Machines;
import dev.troupe.actors.node.NodeProtocol;
import dev.troupe.actors.node.NodeProtocol.Capacity;
import dev.troupe.actors.node.NodeProtocol.Connected;
import dev.troupe.actors.node.NodeProtocol.Order;
import dev.troupe.actors.placement.MachineBoard;
import dev.troupe.actors.placement.PlacementProtocol;
import dev.troupe.actors.placement.PlacementProtocol.Want;
import dev.troupe.actors.placement.Pools;
import dev.troupe.actors.secret.SecretProtocol;
import dev.troupe.actors.secret.SecretProtocol.SecretReply;
import dev.troupe.actors.secret.Secrets;
import dev.troupe.actors.testing.Definitions;
import dev.troupe.actors.testing.InMemoryDirectory;
import dev.troupe.actors.testing.TestCluster;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.FishingOutcomes;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.Entity;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Join;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** All entities but functions on one real node: sharding, journal, every message serialized. */
class EntitiesTest {

  private static final ActorTestKit KIT = ActorTestKit.create(TestCluster.oneNode());
  private static final ClusterSharding SHARDING = ClusterSharding.get(KIT.system());
  private static final InMemoryDirectory DIRECTORY = new InMemoryDirectory();
  private static final TestProbe<FunctionProtocol.Command> FUNCTIONS = KIT.createTestProbe();
  private static final MachineBoard BOARD =
      Machines.start(KIT.system(), DIRECTORY, InstantSource.system());
  private static final Duration LONG = Duration.ofSeconds(20);

  @BeforeAll
  static void start() {
    Cluster cluster = Cluster.get(KIT.system());
    cluster.manager().tell(Join.create(cluster.selfMember().address()));
    SHARDING.init(
        Entity.of(
            FunctionProtocol.KEY,
            _ ->
                Behaviors.receiveMessage(
                    message -> {
                      FUNCTIONS.ref().tell(message);
                      return Behaviors.same();
                    })));
    Pools.start(KIT.system(), BOARD, InstantSource.system());
    Images.start(KIT.system(), BOARD, InstantSource.system());
    ImageNames.start(KIT.system(), DIRECTORY, InstantSource.system());
    Secrets.start(KIT.system(), DIRECTORY, InstantSource.system());
    Apps.start(KIT.system(), DIRECTORY, InstantSource.system());
  }

  @AfterAll
  static void stop() {
    KIT.shutdownTestKit();
  }

  @Test
  void aSecretIsWritten() {
    TestProbe<SecretReply> caller = KIT.createTestProbe();

    SHARDING
        .entityRefFor(SecretProtocol.KEY, new SecretId("st-1").value())
        .tell(new SecretProtocol.Write("main", "aws", List.of("K"), new byte[] {1}, caller.ref()));

    assertThat(caller.expectMessageClass(SecretReply.Secret.class, LONG).name()).isEqualTo("aws");
  }

  @Test
  void anImageIsPublished() {
    TestProbe<Published> caller = KIT.createTestProbe();

    SHARDING
        .entityRefFor(ImageNameProtocol.KEY, ImageNameId.of("main", "tools:v1").value())
        .tell(
            new ImageNameProtocol.Publish(
                "main", "tools:v1", new ImageId("im-1"), "ir-1", "ak-1", caller.ref()));

    assertThat(caller.expectMessageClass(Published.class, LONG).revision().number()).isEqualTo(1);
  }

  @Test
  void anAppIsDeployed() {
    TestProbe<AppReply> client = KIT.createTestProbe();
    TestProbe<PublishReply> publisher = KIT.createTestProbe();
    var app = SHARDING.entityRefFor(AppProtocol.KEY, "ap-0000000000000000000001");
    app.tell(new AppProtocol.Create("main", "web", Phase.INITIALIZING, Map.of(), "", client.ref()));
    client.expectMessageClass(AppReply.Ok.class, LONG);

    app.tell(
        new AppProtocol.Publish(
            Phase.DEPLOYED,
            "web",
            Map.of("f", "fu-deployed"),
            Map.of(),
            Map.of(),
            "",
            Map.of(),
            AppProtocol.Deployer.UNKNOWN,
            publisher.ref()));
    fish(FunctionProtocol.Publish.class)
        .replyTo()
        .tell(new FunctionProtocol.Published(new FunctionId("fu-deployed")));

    assertThat(publisher.expectMessageClass(PublishReply.Published.class, LONG).changed()).isTrue();
  }

  @Test
  void aMachineBuildsAnImageAndRunsAContainer() {
    TestProbe<Order> link = KIT.createTestProbe();
    TestProbe<ImageProtocol.Ensured> caller = KIT.createTestProbe();
    var machine = SHARDING.entityRefFor(NodeProtocol.KEY, "m1");
    machine.tell(
        new Connected(
            "l1",
            new Capacity(2_000, 1 << 30, List.of("H100")),
            Map.of(),
            "http://agent",
            List.of(),
            List.of(),
            List.of(),
            NodeProtocol.Condition.UNKNOWN,
            link.ref()));

    ImageId image = new ImageId("im-1");
    var images = SHARDING.entityRefFor(ImageProtocol.KEY, image.value());
    images.tell(
        new ImageProtocol.Ensure(
            new Layer(image, null, new byte[] {1}, "2025.06", null, false), caller.ref()));
    caller.expectMessage(LONG, new ImageReply.Building());
    Order.BuildImage build = fish(link, Order.BuildImage.class);
    ImageFacts facts = new ImageFacts("3.13", "/root", "glibc", "2025.06");
    images.tell(new ImageProtocol.BuildNews(build.build(), List.of(), facts, null));

    FunctionId function = new FunctionId("fu-placed");
    TaskId task = new TaskId("ta-1");
    SHARDING
        .entityRefFor(PlacementProtocol.KEY, PlacementProtocol.CPU_POOL)
        .tell(
            new Want(
                function,
                task,
                Definitions.of(function, Definitions.resources(500, 1 << 20)),
                Instant.now()));
    assertThat(fish(link, Order.StartTask.class).launch().task()).isEqualTo(task);
    assertThat(fish(FunctionProtocol.Placed.class).task()).isEqualTo(task);
  }

  private static <T extends FunctionProtocol.Command> T fish(Class<T> wanted) {
    return wanted.cast(
        FUNCTIONS
            .fishForMessage(
                LONG,
                word ->
                    wanted.isInstance(word)
                        ? FishingOutcomes.complete()
                        : FishingOutcomes.continueAndIgnore())
            .getLast());
  }

  private static <T extends Order> T fish(TestProbe<Order> probe, Class<T> wanted) {
    return wanted.cast(
        probe
            .fishForMessage(
                LONG,
                order ->
                    wanted.isInstance(order)
                        ? FishingOutcomes.complete()
                        : FishingOutcomes.continueAndIgnore())
            .getLast());
  }
}
