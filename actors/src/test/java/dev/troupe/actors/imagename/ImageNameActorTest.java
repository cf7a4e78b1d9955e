package dev.troupe.actors.imagename;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.id.ImageNameId;
import dev.troupe.actors.imagename.ImageNameProtocol.Command;
import dev.troupe.actors.imagename.ImageNameProtocol.Current;
import dev.troupe.actors.imagename.ImageNameProtocol.Delete;
import dev.troupe.actors.imagename.ImageNameProtocol.Deleted;
import dev.troupe.actors.imagename.ImageNameProtocol.Publish;
import dev.troupe.actors.imagename.ImageNameProtocol.Published;
import dev.troupe.actors.imagename.ImageNameProtocol.Read;
import dev.troupe.actors.testing.InMemoryDirectory;
import dev.troupe.actors.testing.ManualSystem;
import java.time.Duration;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding.Passivate;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding.ShardCommand;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class ImageNameActorTest {

  private static final ManualSystem SYSTEM = new ManualSystem();

  private final InMemoryDirectory directory = new InMemoryDirectory();
  private final TestProbe<Published> publisher = SYSTEM.kit().createTestProbe();
  private final TestProbe<Current> reader = SYSTEM.kit().createTestProbe();
  private final TestProbe<Deleted> deleter = SYSTEM.kit().createTestProbe();
  private final TestProbe<ShardCommand> shard = SYSTEM.kit().createTestProbe();

  @AfterAll
  static void stop() {
    SYSTEM.close();
  }

  @Test
  void isListedWithItsNewestImageWhenAPublicationIsAnswered() {
    ActorRef<Command> name = spawn("listed:v1");

    name.tell(publish("listed:v1", 1));
    publisher.expectMessageClass(Published.class);
    name.tell(publish("listed:v1", 2));
    publisher.expectMessageClass(Published.class);

    assertThat(directory.find(Kind.IMAGE_NAME, "main", "listed:v1").toCompletableFuture().join())
        .hasValueSatisfying(
            entry -> {
              assertThat(entry.id()).isEqualTo(ImageNameId.of("main", "listed:v1").value());
              assertThat(entry.attributes())
                  .containsEntry("image", "im-2")
                  .containsEntry("revision", "ir-2")
                  .containsEntry("published-by", "ak-1");
            });
  }

  @Test
  void answersOnlyOnceTheDirectoryHoldsIt() {
    ActorRef<Command> name = spawn("late:v1");
    name.tell(new Read(reader.ref()));
    reader.expectMessageClass(Current.class);

    directory.failNext(1);
    name.tell(publish("late:v1", 1));
    publisher.expectNoMessage(Duration.ofMillis(100));
    SYSTEM.pass(Duration.ofSeconds(1));

    publisher.expectMessageClass(Published.class);
  }

  @Test
  void isGoneFromTheDirectoryWhenItsDeletionIsAnswered() {
    ActorRef<Command> name = spawn("gone:v1");
    name.tell(publish("gone:v1", 1));
    publisher.expectMessageClass(Published.class);

    name.tell(new Delete(deleter.ref()));

    assertThat(deleter.expectMessageClass(Deleted.class).wasThere()).isTrue();
    assertThat(directory.find(Kind.IMAGE_NAME, "main", "gone:v1").toCompletableFuture().join())
        .isEmpty();
    name.tell(new Delete(deleter.ref()));
    assertThat(deleter.expectMessageClass(Deleted.class).wasThere()).isFalse();
  }

  @Test
  void isStillThereAfterARestartAndARepeatMakesNoSecondRevision() {
    ActorRef<Command> name = spawn("again:v1");
    name.tell(publish("again:v1", 1));
    Published first = publisher.expectMessageClass(Published.class);
    SYSTEM.kit().stop(name);

    ActorRef<Command> restarted = spawn("again:v1");
    SYSTEM.pass(Duration.ofSeconds(5));
    restarted.tell(publish("again:v1", 1));

    assertThat(publisher.expectMessageClass(Published.class)).isEqualTo(first);
    restarted.tell(new Read(reader.ref()));
    assertThat(reader.expectMessageClass(Current.class).revision()).isEqualTo(first.revision());
  }

  @Test
  void asksToLeaveOnceIdle() {
    ActorRef<Command> name = spawn("idle:v1");
    name.tell(new Read(reader.ref()));
    reader.expectMessageClass(Current.class);

    SYSTEM.pass(Duration.ofMinutes(2));

    shard.expectMessage(new Passivate<>(name));
  }

  private ActorRef<Command> spawn(String name) {
    return SYSTEM
        .kit()
        .spawn(
            ImageNameActor.create(
                ImageNameId.of("main", name),
                shard.ref(),
                new ImageNameActor.World(directory, SYSTEM.clock())));
  }

  private Publish publish(String name, int number) {
    return new Publish(
        "main", name, new ImageId("im-" + number), "ir-" + number, "ak-1", publisher.ref());
  }
}
