package dev.troupe.actors.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.image.ImageProtocol.BuildNews;
import dev.troupe.actors.image.ImageProtocol.Chain;
import dev.troupe.actors.image.ImageProtocol.Command;
import dev.troupe.actors.image.ImageProtocol.Describe;
import dev.troupe.actors.image.ImageProtocol.Ensure;
import dev.troupe.actors.image.ImageProtocol.Ensured;
import dev.troupe.actors.image.ImageProtocol.GetChain;
import dev.troupe.actors.image.ImageProtocol.ImageFacts;
import dev.troupe.actors.image.ImageProtocol.ImageReply.Building;
import dev.troupe.actors.image.ImageProtocol.ImageReply.Built;
import dev.troupe.actors.image.ImageProtocol.ImageReply.Failed;
import dev.troupe.actors.image.ImageProtocol.ImageReply.Unknown;
import dev.troupe.actors.image.ImageProtocol.Join;
import dev.troupe.actors.image.ImageProtocol.Layer;
import dev.troupe.actors.image.ImageProtocol.Line;
import dev.troupe.actors.image.ImageProtocol.Progress;
import dev.troupe.actors.image.ImageProtocol.Renew;
import dev.troupe.actors.image.ImageProtocol.RenewedBy;
import dev.troupe.actors.node.NodeProtocol;
import dev.troupe.actors.node.NodeProtocol.Build;
import dev.troupe.actors.node.NodeProtocol.Capacity;
import dev.troupe.actors.testing.ManualBoard;
import dev.troupe.actors.testing.ManualSystem;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding.Passivate;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding.ShardCommand;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class ImageActorTest {

  private static final ManualSystem SYSTEM = new ManualSystem();
  private static final Duration SHORT = Duration.ofMillis(100);
  private static final Capacity CAPACITY = new Capacity(2_000, 4L << 30, List.of());
  private static final ImageFacts FACTS = new ImageFacts("3.13", "/root", "glibc", "2025.06");

  private final ManualBoard board = new ManualBoard();
  private final Map<ImageId, ActorRef<Command>> images = new ConcurrentHashMap<>();
  private final TestProbe<NodeProtocol.Command> machines = SYSTEM.kit().createTestProbe();
  private final TestProbe<Ensured> caller = SYSTEM.kit().createTestProbe();
  private final TestProbe<Progress> joiner = SYSTEM.kit().createTestProbe();
  private final TestProbe<Chain> chains = SYSTEM.kit().createTestProbe();
  private final TestProbe<ShardCommand> shard = SYSTEM.kit().createTestProbe();

  @AfterAll
  static void stop() {
    SYSTEM.close();
  }

  @Test
  void anUnknownImageSaysSo() {
    ActorRef<Command> image = spawn("im-unknown");

    image.tell(new Describe(caller.ref().narrow()));
    image.tell(new Join(0, Duration.ofSeconds(5), joiner.ref()));
    image.tell(new GetChain(chains.ref()));

    caller.expectMessage(new Unknown());
    joiner.expectMessage(new Progress(List.of(), 0, new Unknown()));
    chains.expectMessage(new Chain(List.of()));
  }

  @Test
  void isBuiltOnceAndToldToWhoeverAsks() {
    board.link("m1", CAPACITY);
    ActorRef<Command> image = ensure("im-once", null);
    image.tell(new Ensure(layer("im-once", null), caller.ref()));
    caller.expectMessage(new Building());

    Build build = machines.expectMessageClass(Build.class);
    image.tell(built(build));

    image.tell(new Join(Long.MAX_VALUE, Duration.ofSeconds(5), joiner.ref()));
    assertThat(joiner.receiveMessage().end()).isEqualTo(new Built(FACTS));
    image.tell(new Ensure(layer("im-once", null), caller.ref()));
    caller.expectMessage(new Built(FACTS));
    machines.expectNoMessage(SHORT);
  }

  @Test
  void anotherImageStandsForItsDefinitionUntilThatIsOverAndItselfStaysAsItWas() {
    TestProbe<RenewedBy> renewals = SYSTEM.kit().createTestProbe();
    ImageId first = new ImageId("im-first");
    ImageId second = new ImageId("im-second");
    board.link("m1", CAPACITY);
    ActorRef<Command> image = ensure("im-renewed", null);
    image.tell(built(machines.expectMessageClass(Build.class)));
    assertThat(drain(image).end()).isEqualTo(new Built(FACTS));

    image.tell(new Renew(first, null, renewals.ref()));
    renewals.expectMessage(new RenewedBy(first));
    image.tell(new Renew(second, null, renewals.ref()));
    renewals.expectMessage(new RenewedBy(first));
    SYSTEM.kit().stop(image);
    ActorRef<Command> restarted = spawn("im-renewed");
    restarted.tell(new Ensure(layer("im-renewed", null), caller.ref()));
    caller.expectMessage(new RenewedBy(first));
    restarted.tell(new Renew(second, first, renewals.ref()));
    renewals.expectMessage(new RenewedBy(second));

    restarted.tell(new Describe(caller.ref().narrow()));
    caller.expectMessage(new Built(FACTS));
    machines.expectNoMessage(SHORT);
  }

  @Test
  void linesGoToWhoeverJoins() {
    board.link("m1", CAPACITY);
    ActorRef<Command> image = ensure("im-lines", null);
    Build build = machines.expectMessageClass(Build.class);
    image.tell(new Join(0, Duration.ofSeconds(5), joiner.ref()));
    Progress first = joiner.receiveMessage();
    assertThat(texts(first)).containsExactly("building on machine m1\n");

    image.tell(new Join(first.last(), Duration.ofSeconds(5), joiner.ref()));
    joiner.expectNoMessage(SHORT);
    image.tell(lines(build, 1, "a", "b"));
    Progress second = joiner.receiveMessage();
    image.tell(lines(build, 1, "a", "b", "c"));
    image.tell(new Join(second.last(), Duration.ofSeconds(5), joiner.ref()));

    assertThat(texts(second)).containsExactly("a", "b");
    assertThat(texts(joiner.receiveMessage())).containsExactly("c");
  }

  @Test
  void aJoinThatHearsNothingEndsWithItsPatience() {
    board.link("m1", CAPACITY);
    ActorRef<Command> image = ensure("im-patience", null);
    machines.expectMessageClass(Build.class);
    image.tell(new Join(Long.MAX_VALUE, Duration.ofSeconds(5), joiner.ref()));
    joiner.expectNoMessage(SHORT);

    SYSTEM.pass(Duration.ofSeconds(5));

    joiner.expectMessage(new Progress(List.of(), Long.MAX_VALUE, null));
  }

  @Test
  void saysThatItWaitsForAMachineAndTakesTheFirstOne() {
    ActorRef<Command> image = ensure("im-waits", null);
    image.tell(new Join(0, Duration.ofSeconds(5), joiner.ref()));
    assertThat(texts(joiner.receiveMessage()))
        .containsExactly("waiting for a machine: none is connected\n");

    board.link("m1", CAPACITY);
    SYSTEM.pass(Duration.ofMillis(500));

    machines.expectMessageClass(Build.class);
  }

  @Test
  void aBaseIsBuiltFirstAndTheWholeChainIsSent() {
    board.link("m1", CAPACITY);
    ActorRef<Command> base = ensure("im-base1", null);
    Build baseBuild = machines.expectMessageClass(Build.class);
    ActorRef<Command> image = ensure("im-top1", "im-base1");
    machines.expectNoMessage(SHORT);

    base.tell(built(baseBuild));

    Build build = machines.expectMessageClass(Build.class);
    assertThat(build.layers())
        .extracting(at -> at.image().value())
        .containsExactly("im-base1", "im-top1");
    image.tell(new GetChain(chains.ref()));
    assertThat(chains.receiveMessage().layers()).hasSize(2);
  }

  @Test
  void aBaseThatFailsFailsIt() {
    board.link("m1", CAPACITY);
    ActorRef<Command> base = ensure("im-base2", null);
    ActorRef<Command> image = ensure("im-top2", "im-base2");
    Build build = machines.expectMessageClass(Build.class);

    base.tell(new BuildNews(build.build(), List.of(), null, "no pip"));

    assertThat(drain(image).end()).isEqualTo(new Failed("its base image im-base2 failed: no pip"));
  }

  @Test
  void aBaseThatIsNotKnownFailsIt() {
    spawn("im-nobody");
    ActorRef<Command> image = ensure("im-top3", "im-nobody");

    assertThat(drain(image).end())
        .isEqualTo(new Failed("its base image im-nobody is not known here"));
  }

  @Test
  void aFailureKeepsItsLogAndIsBuiltAgainWhenAskedFor() {
    board.link("m1", CAPACITY);
    ActorRef<Command> image = ensure("im-fails", null);
    Build build = machines.expectMessageClass(Build.class);
    image.tell(lines(build, 1, "ERROR: no such package"));
    image.tell(new BuildNews(build.build(), List.of(), null, "RUN pip exited with 1"));

    Progress progress = drain(image);
    assertThat(texts(progress)).contains("ERROR: no such package");
    assertThat(progress.end()).isEqualTo(new Failed("RUN pip exited with 1"));
    image.tell(new Describe(caller.ref().narrow()));
    caller.expectMessage(new Failed("RUN pip exited with 1"));
    image.tell(new Ensure(layer("im-fails", null), caller.ref()));
    caller.expectMessage(new Building());
    assertThat(machines.expectMessageClass(Build.class).build()).isNotEqualTo(build.build());
  }

  @Test
  void aBuildWhoseMachineIsLostIsTriedElsewhereAndGivenUpAfterThree() {
    ActorRef<Command> image = ensure("im-lost", null);
    for (String machine : List.of("m1", "m2", "m3")) {
      board.link(machine, CAPACITY);
      SYSTEM.pass(Duration.ofMillis(500));
      machines.expectMessageClass(Build.class);
      board.unlink(machine);
      SYSTEM.pass(Duration.ofSeconds(15));
      SYSTEM.pass(Duration.ofMillis(500));
      drainMachines();
    }

    assertThat(drain(image).end())
        .isEqualTo(new Failed("the build was lost 3 times, at last since machine m3 is gone"));
  }

  @Test
  void newsOfAnotherBuildIsPassedOver() {
    board.link("m1", CAPACITY);
    ActorRef<Command> image = ensure("im-stale", null);
    machines.expectMessageClass(Build.class);

    image.tell(new BuildNews("im-stale-0-1", List.of(), FACTS, null));

    image.tell(new Describe(caller.ref().narrow()));
    caller.expectMessage(new Building());
  }

  @Test
  void aBuildCutOffByARestartBeginsAgainWithTheNextJoin() {
    board.link("m1", CAPACITY);
    ActorRef<Command> image = ensure("im-restart", null);
    machines.expectMessageClass(Build.class);
    SYSTEM.kit().stop(image);

    ActorRef<Command> restarted = spawn("im-restart");
    machines.expectNoMessage(SHORT);
    restarted.tell(new Join(0, Duration.ofSeconds(5), joiner.ref()));

    restarted.tell(built(machines.expectMessageClass(Build.class)));
    assertThat(drain(restarted).end()).isEqualTo(new Built(FACTS));
  }

  @Test
  void whatIsBuiltIsStillBuiltAfterARestart() {
    board.link("m1", CAPACITY);
    ActorRef<Command> image = ensure("im-kept", null);
    image.tell(built(machines.expectMessageClass(Build.class)));
    drain(image);
    SYSTEM.kit().stop(image);

    spawn("im-kept").tell(new Describe(caller.ref().narrow()));

    caller.expectMessage(new Built(FACTS));
  }

  @Test
  void restsOnceIdleButNotDuringABuild() {
    board.link("m1", CAPACITY);
    ActorRef<Command> image = ensure("im-idle", null);
    Build build = machines.expectMessageClass(Build.class);
    SYSTEM.pass(Duration.ofMinutes(3));
    shard.expectNoMessage(SHORT);

    image.tell(built(build));
    drain(image);
    SYSTEM.pass(Duration.ofMinutes(2));

    shard.expectMessage(new Passivate<>(image));
  }

  private ActorRef<Command> spawn(String id) {
    ActorRef<Command> image =
        SYSTEM
            .kit()
            .spawn(
                ImageActor.create(
                    new ImageId(id),
                    shard.ref(),
                    new ImageActor.World(
                        board,
                        other -> Objects.requireNonNull(images.get(other)),
                        _ -> machines.ref(),
                        SYSTEM.clock())));
    images.put(new ImageId(id), image);
    return image;
  }

  private ActorRef<Command> ensure(String id, @Nullable String base) {
    ActorRef<Command> image = spawn(id);
    image.tell(new Ensure(layer(id, base), caller.ref()));
    caller.expectMessage(new Building());
    return image;
  }

  /** Reads the log to its end. */
  private Progress drain(ActorRef<Command> image) {
    Progress progress = new Progress(List.of(), 0, null);
    List<Line> lines = new ArrayList<>();
    while (progress.end() == null) {
      image.tell(new Join(progress.last(), Duration.ofSeconds(5), joiner.ref()));
      progress = joiner.receiveMessage();
      lines.addAll(progress.lines());
    }
    return new Progress(lines, progress.last(), progress.end());
  }

  private void drainMachines() {
    machines.expectNoMessage(SHORT);
  }

  private static Layer layer(String id, @Nullable String base) {
    return new Layer(
        new ImageId(id),
        base == null ? null : new ImageId(base),
        new byte[] {1},
        "2025.06",
        null,
        false);
  }

  private static BuildNews built(Build build) {
    return new BuildNews(build.build(), List.of(), FACTS, null);
  }

  private static BuildNews lines(Build build, int first, String... texts) {
    List<Line> lines = new ArrayList<>();
    for (int i = 0; i < texts.length; i++) {
      lines.add(new Line(first + i, SYSTEM.clock().instant(), 1, texts[i]));
    }
    return new BuildNews(build.build(), lines, null, null);
  }

  private static List<String> texts(Progress progress) {
    return progress.lines().stream().map(Line::text).toList();
  }
}
