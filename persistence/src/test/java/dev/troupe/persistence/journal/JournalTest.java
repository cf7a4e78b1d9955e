package dev.troupe.persistence.journal;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.troupe.actors.app.AppEvent;
import dev.troupe.persistence.Persistence;
import dev.troupe.persistence.PersistenceSettings;
import dev.troupe.persistence.Postgres;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.javadsl.CommandHandler;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehavior;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Pekko's journal in a data directory, and on PostgreSQL: what was persisted is replayed by the
 * next process.
 */
class JournalTest {

  private static final PersistenceSettings SETTINGS =
      PersistenceSettings.from(ConfigFactory.load().getConfig("troupe"));
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** Persists a reason when told one, and answers with all it knows. */
  private record Tell(String reason, ActorRef<String> replyTo) {}

  private static final class Teller extends EventSourcedBehavior<Tell, AppEvent, List<String>> {

    Teller(String id) {
      super(PersistenceId.of("app", id));
    }

    @Override
    public List<String> emptyState() {
      return List.of();
    }

    @Override
    public CommandHandler<Tell, AppEvent, List<String>> commandHandler() {
      return (_, tell) ->
          Effect()
              .persist(new AppEvent.StopBegun(tell.reason(), Instant.EPOCH, ""))
              .thenReply(tell.replyTo(), state -> String.join(" ", state));
    }

    @Override
    public EventHandler<List<String>, AppEvent> eventHandler() {
      return (state, event) -> {
        List<String> next = new ArrayList<>(state);
        if (event instanceof AppEvent.StopBegun(var reason, _, _)) {
          next.add(reason);
        }
        return List.copyOf(next);
      };
    }
  }

  private static String tell(PersistenceSettings settings, Path data, String reason) {
    try (Persistence persistence = Persistence.start(settings, data)) {
      ActorTestKit kit =
          ActorTestKit.create(
              "journal",
              persistence
                  .journalConfig()
                  .withFallback(ConfigFactory.parseString("pekko.actor.provider = local"))
                  .withFallback(ConfigFactory.load()));
      try {
        TestProbe<String> probe = kit.createTestProbe();
        kit.spawn(new Teller("a")).tell(new Tell(reason, probe.ref()));
        kit.spawn(new Teller("b")).tell(new Tell(reason, kit.<String>createTestProbe().ref()));
        return probe.receiveMessage(PATIENCE);
      } finally {
        kit.shutdownTestKit();
      }
    }
  }

  @Test
  void eventsAreReplayedAfterARestart(@TempDir Path data) {
    eventsAreReplayed(SETTINGS, data);
    assertThat(tell(SETTINGS, data, "three")).isEqualTo("one two three");
  }

  @Test
  void eventsAreReplayedFromPostgres(@TempDir Path data) {
    eventsAreReplayed(Postgres.shared().settings(), data);
  }

  private static void eventsAreReplayed(PersistenceSettings settings, Path data) {
    assertThat(tell(settings, data, "one")).isEqualTo("one");
    assertThat(tell(settings, data, "two")).isEqualTo("one two");
  }

  @Test
  void aCommitIsInTheFileWhenItReturns(@TempDir Path data) throws Exception {
    DurableH2DataSource source = new DurableH2DataSource();
    source.setUrl("jdbc:h2:file:" + data.resolve("x") + ";WRITE_DELAY=60000");
    source.setUser("sa");
    source.setPassword("");
    try (Connection connection = source.getConnection()) {
      connection.setAutoCommit(false);
      try (var statement = connection.createStatement()) {
        statement.execute("CREATE TABLE t (v VARCHAR)");
        statement.execute("INSERT INTO t VALUES ('needle in the file')");
      }
      connection.commit();

      Path written = data.resolve("x.mv.db");
      assertThat(new String(Files.readAllBytes(written), ISO_8859_1))
          .contains("needle in the file");
    }
  }
}
