package dev.troupe.actors.secret;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.id.SecretId;
import dev.troupe.actors.secret.SecretProtocol.Command;
import dev.troupe.actors.secret.SecretProtocol.Delete;
import dev.troupe.actors.secret.SecretProtocol.Read;
import dev.troupe.actors.secret.SecretProtocol.SecretReply;
import dev.troupe.actors.secret.SecretProtocol.SecretReply.NoSecret;
import dev.troupe.actors.secret.SecretProtocol.SecretReply.Secret;
import dev.troupe.actors.secret.SecretProtocol.Write;
import dev.troupe.actors.testing.InMemoryDirectory;
import dev.troupe.actors.testing.ManualSystem;
import java.time.Duration;
import java.util.List;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding.Passivate;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding.ShardCommand;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class SecretActorTest {

  private static final ManualSystem SYSTEM = new ManualSystem();

  private final InMemoryDirectory directory = new InMemoryDirectory();
  private final TestProbe<SecretReply> caller = SYSTEM.kit().createTestProbe();
  private final TestProbe<ShardCommand> shard = SYSTEM.kit().createTestProbe();

  @AfterAll
  static void stop() {
    SYSTEM.close();
  }

  @Test
  void isListedByNameWhenAWriteIsAnswered() {
    ActorRef<Command> secret = spawn("st-listed");

    secret.tell(write("aws"));

    caller.expectMessageClass(Secret.class);
    assertThat(directory.find(Kind.SECRET, "main", "aws").toCompletableFuture().join())
        .hasValueSatisfying(
            entry -> {
              assertThat(entry.id()).isEqualTo("st-listed");
              assertThat(entry.attributes()).containsEntry("keys", "KEY,OTHER");
            });
  }

  @Test
  void anUnnamedSecretIsNotListed() {
    spawn("st-unnamed").tell(write(""));

    caller.expectMessageClass(Secret.class);
    assertThat(directory.list(Kind.SECRET, "", 10).toCompletableFuture().join()).isEmpty();
  }

  @Test
  void answersOnlyOnceTheDirectoryHoldsIt() {
    ActorRef<Command> secret = spawn("st-late");
    secret.tell(new Read(caller.ref()));
    caller.expectMessageClass(NoSecret.class);

    directory.failNext(2);
    secret.tell(write("late"));
    caller.expectNoMessage(Duration.ofMillis(100));
    SYSTEM.pass(Duration.ofSeconds(1));
    caller.expectNoMessage(Duration.ofMillis(100));
    SYSTEM.pass(Duration.ofSeconds(1));

    caller.expectMessageClass(Secret.class);
    assertThat(directory.find(Kind.SECRET, "main", "late").toCompletableFuture().join())
        .isPresent();
  }

  @Test
  void deletingFreesTheName() {
    ActorRef<Command> secret = spawn("st-deleted");
    secret.tell(write("gone"));
    caller.expectMessageClass(Secret.class);

    secret.tell(new Delete(caller.ref()));

    caller.expectMessageClass(NoSecret.class);
    assertThat(directory.find(Kind.SECRET, "main", "gone").toCompletableFuture().join()).isEmpty();
  }

  @Test
  void isStillThereAfterARestart() {
    ActorRef<Command> secret = spawn("st-again");
    secret.tell(write("again"));
    caller.expectMessageClass(Secret.class);
    SYSTEM.kit().stop(secret);

    ActorRef<Command> restarted = spawn("st-again");
    restarted.tell(new Read(caller.ref()));

    assertThat(caller.expectMessageClass(Secret.class).name()).isEqualTo("again");
  }

  @Test
  void asksToLeaveOnceIdle() {
    ActorRef<Command> secret = spawn("st-idle");
    secret.tell(new Read(caller.ref()));
    caller.expectMessageClass(NoSecret.class);

    SYSTEM.pass(Duration.ofMinutes(2));

    shard.expectMessage(new Passivate<>(secret));
  }

  private ActorRef<Command> spawn(String id) {
    return SYSTEM
        .kit()
        .spawn(
            SecretActor.create(
                new SecretId(id), shard.ref(), new SecretActor.World(directory, SYSTEM.clock())));
  }

  private Write write(String name) {
    return new Write("main", name, List.of("KEY", "OTHER"), new byte[] {1}, caller.ref());
  }
}
