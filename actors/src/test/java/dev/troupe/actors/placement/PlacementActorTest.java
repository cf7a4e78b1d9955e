package dev.troupe.actors.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.function.FunctionDefinition;
import dev.troupe.actors.function.FunctionProtocol;
import dev.troupe.actors.function.FunctionProtocol.Placed;
import dev.troupe.actors.function.FunctionProtocol.Waits;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.node.NodeProtocol;
import dev.troupe.actors.node.NodeProtocol.Capacity;
import dev.troupe.actors.node.NodeProtocol.Grant;
import dev.troupe.actors.node.NodeProtocol.GrantReply.Granted;
import dev.troupe.actors.placement.PlacementProtocol.Command;
import dev.troupe.actors.placement.PlacementProtocol.Want;
import dev.troupe.actors.placement.PlacementProtocol.Withdraw;
import dev.troupe.actors.testing.Definitions;
import dev.troupe.actors.testing.ManualBoard;
import dev.troupe.actors.testing.ManualSystem;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding.Passivate;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding.ShardCommand;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class PlacementActorTest {

  private static final ManualSystem SYSTEM = new ManualSystem();
  private static final FunctionId F = new FunctionId("fu-F");
  private static final TaskId A = new TaskId("ta-A");
  private static final MachineId M = new MachineId("m1");
  private static final Capacity CAPACITY = new Capacity(2_000, 1_000, List.of());

  private final ManualBoard board = new ManualBoard();
  private final TestProbe<FunctionProtocol.Command> functions = SYSTEM.kit().createTestProbe();
  private final TestProbe<NodeProtocol.Command> machines = SYSTEM.kit().createTestProbe();
  private final TestProbe<ShardCommand> shard = SYSTEM.kit().createTestProbe();

  @AfterAll
  static void stop() {
    SYSTEM.close();
  }

  @Test
  void aWishIsPlacedOnAMachineOfTheBoard() {
    board.link("m1", CAPACITY);
    ActorRef<Command> pool = spawn();

    want(pool);

    Grant grant = machines.expectMessageClass(Grant.class);
    assertThat(grant.launch().task()).isEqualTo(A);
    assertThat(grant.launch().share().cpuMillis()).isEqualTo(1_000);
    grant.replyTo().tell(new Granted(A, M));
    functions.expectMessage(new Placed(A, M, grant.launch().share()));
  }

  @Test
  void aWishWaitsAndIsPlacedOnceAMachineIsAdvertised() {
    ActorRef<Command> pool = spawn();
    want(pool);
    functions.expectMessage(new Waits(A, 1, "waiting for a machine: none is connected"));

    board.link("m1", CAPACITY);

    machines.awaitAssert(
        () -> {
          SYSTEM.pass(Duration.ofMillis(10));
          return machines.expectMessageClass(Grant.class, Duration.ofMillis(100));
        });
  }

  @Test
  void aWishThatIsWithdrawnIsNotPlaced() {
    ActorRef<Command> pool = spawn();
    want(pool);
    functions.expectMessageClass(Waits.class);

    pool.tell(new Withdraw(A));
    board.link("m1", CAPACITY);
    SYSTEM.pass(Duration.ofSeconds(1));

    machines.expectNoMessage(Duration.ofMillis(100));
  }

  @Test
  void restsOnceNobodyWaits() {
    ActorRef<Command> pool = spawn();
    want(pool);
    functions.expectMessageClass(Waits.class);

    SYSTEM.pass(Duration.ofMinutes(2));

    shard.expectMessage(new Passivate<>(pool));
  }

  @Test
  void theBoardShowsWhatIsAdvertisedForAsLongAsItIs() {
    Boards shown = Boards.start(SYSTEM.kit().system(), SYSTEM.clock());
    AtomicLong revision = new AtomicLong();

    // Adverts before the board listens are lost: one is made again until any is shown.
    machines.awaitAssert(
        () -> {
          shown.publish(advert(revision.incrementAndGet()));
          assertThat(shown.machines()).isNotEmpty();
          return null;
        });
    // Once the last is shown none is on its way, to come after the pass of time.
    machines.awaitAssert(
        () -> {
          assertThat(shown.machines()).containsExactly(advert(revision.get()));
          return null;
        });
    SYSTEM.pass(Duration.ofSeconds(16));

    machines.awaitAssert(
        () -> {
          assertThat(shown.machines()).isEmpty();
          return null;
        });
  }

  private static MachineAdvert advert(long revision) {
    return new MachineAdvert(M, revision, true, CAPACITY, CAPACITY, List.of(), Map.of());
  }

  private ActorRef<Command> spawn() {
    return SYSTEM
        .kit()
        .spawn(
            PlacementActor.create(
                shard.ref(),
                new PlacementActor.World(
                    board, _ -> functions.ref(), _ -> machines.ref(), SYSTEM.clock())));
  }

  private void want(ActorRef<Command> pool) {
    FunctionDefinition definition = Definitions.of(F, Definitions.resources(1_000, 100));
    pool.tell(new Want(F, A, definition, SYSTEM.clock().instant()));
    functions.awaitAssert(
        () -> {
          SYSTEM.pass(Duration.ofMillis(10));
          return null;
        });
  }
}
