package dev.troupe.persistence.calllog;

import static dev.troupe.persistence.calllog.Rows.F;
import static dev.troupe.persistence.calllog.Rows.call;
import static dev.troupe.persistence.calllog.Rows.get;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.calllog.CallLog.Written;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.id.CallId;
import dev.troupe.persistence.Persistence;
import dev.troupe.persistence.PersistenceSettings;
import dev.troupe.persistence.Postgres;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A server killed with SIGKILL, again and again, has lost nothing that it acknowledged; nor has its
 * database.
 */
class KillTest {

  private static final int KILLS = 3;
  private static final int OUTPUTS_BEFORE_KILL = 1500;
  private static final int DATABASE_KILLS = 3;
  private static final int INPUTS = 4000;

  private static @Nullable Postgres durable;

  private static Postgres durable() {
    Postgres running = durable;
    if (running == null) {
      running = Postgres.own(true);
      durable = running;
    }
    return running;
  }

  @AfterAll
  static void close() {
    if (durable != null) {
      durable.close();
    }
  }

  @Test
  void whatWasAcknowledgedSurvivesSigkill(@TempDir Path directory) throws Exception {
    nothingIsLost(KILLS, Rows.settings(), directory);
  }

  @Test
  void whatWasAcknowledgedSurvivesSigkillOnPostgres(@TempDir Path directory) throws Exception {
    nothingIsLost(1, durable().settings(), directory);
  }

  /** The writers wait while the database is away, killed with all that it was doing. */
  @Test
  void whatWasAcknowledgedSurvivesSigkillOfPostgresAndWritersGoOn(@TempDir Path directory)
      throws Exception {
    Postgres server = durable();
    try (Persistence persistence = Persistence.start(server.settings(), directory)) {
      var log = persistence.callLog();
      long epoch = get(log.claim(F));
      CallId call = call(F, "c");
      get(log.write(F, epoch, List.of(Rows.newCall(call, -1))));
      Set<Integer> acknowledged = ConcurrentHashMap.newKeySet();
      Semaphore window = new Semaphore(40);
      for (int i = 0; i < INPUTS; i++) {
        if (i % (INPUTS / (DATABASE_KILLS + 1)) == INPUTS / (2 * DATABASE_KILLS)) {
          server.kill();
          server.start();
        }
        assertThat(window.tryAcquire(30, TimeUnit.SECONDS)).as("writers go on").isTrue();
        int index = i;
        log.write(F, epoch, List.of(Rows.newInput(call, index, index)))
            .whenComplete(
                (written, _) -> {
                  if (written instanceof Written.Done) {
                    acknowledged.add(index);
                  }
                  window.release();
                });
      }
      assertThat(window.tryAcquire(40, 30, TimeUnit.SECONDS)).isTrue();

      assertThat(acknowledged).as("none was refused, or told twice").hasSize(INPUTS);
      assertThat(get(log.load(F, Instant.EPOCH, 2 * INPUTS)).waiting()).hasSize(INPUTS);
      assertThat(persistence.lost().toCompletableFuture()).isNotDone();
    }
  }

  private static void nothingIsLost(int kills, PersistenceSettings settings, Path directory)
      throws Exception {
    long lastEpoch = 0;
    for (int kill = 0; kill < kills; kill++) {
      String run = "run" + kill;
      List<String> acknowledged = runAndKill(settings, directory, run);
      long epoch = Long.parseLong(only(acknowledged, "epoch ").getFirst());
      assertThat(epoch).as("no epoch is given twice").isGreaterThan(lastEpoch);
      lastEpoch = epoch;
      check(settings, directory, run, acknowledged);
    }
  }

  private static List<String> runAndKill(PersistenceSettings settings, Path directory, String run)
      throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty(
                    "surefire.real.class.path", System.getProperty("java.class.path")),
                DoomedWriter.class.getName(),
                directory.toString(),
                run));
    if (!settings.url().isEmpty()) {
      command.add(settings.url());
    }
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    List<String> lines = new ArrayList<>();
    try (BufferedReader output = process.inputReader(UTF_8)) {
      int outputs = 0;
      for (String line = output.readLine(); line != null; line = output.readLine()) {
        lines.add(line);
        if (line.startsWith("output ") && ++outputs == OUTPUTS_BEFORE_KILL) {
          process.destroyForcibly();
        }
      }
    } catch (IOException closedByTheKill) {
      // What was read before it is what was acknowledged.
    }
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(only(lines, "output ")).hasSizeGreaterThanOrEqualTo(OUTPUTS_BEFORE_KILL);
    // The last line may have been cut off.
    return lines.subList(0, lines.size() - 1);
  }

  private static void check(
      PersistenceSettings settings, Path directory, String run, List<String> acknowledged)
      throws IOException {
    try (Persistence persistence = Persistence.start(settings, directory)) {
      get(persistence.callLog().claim(F));
      Set<Integer> found =
          get(persistence.callLog().outputsOf(call(F, run), 0, Integer.MAX_VALUE)).stream()
              .map(OutputRow::input)
              .map(input -> input.index())
              .collect(Collectors.toSet());
      assertThat(found)
          .containsAll(only(acknowledged, "output ").stream().map(Integer::valueOf).toList());

      List<String> names = only(acknowledged, "name ");
      assertThat(names).isNotEmpty();
      for (String name : names) {
        assertThat(get(persistence.directory().find(Kind.APP, "main", name))).isPresent();
      }
      List<String> blobs = only(acknowledged, "blob ");
      for (String name : blobs) {
        try (var bytes = persistence.blobs().openPayload(Rows.blob(name), 0)) {
          assertThat(bytes.readAllBytes()).isEqualTo(name.repeat(999).getBytes(UTF_8));
        }
      }
    }
  }

  private static List<String> only(List<String> lines, String prefix) {
    return lines.stream()
        .filter(line -> line.startsWith(prefix))
        .map(line -> line.substring(prefix.length()))
        .toList();
  }
}
