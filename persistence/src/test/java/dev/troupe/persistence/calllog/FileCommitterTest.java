package dev.troupe.persistence.calllog;

import static dev.troupe.persistence.calllog.Rows.F;
import static dev.troupe.persistence.calllog.Rows.G;
import static dev.troupe.persistence.calllog.Rows.T0;
import static dev.troupe.persistence.calllog.Rows.blob;
import static dev.troupe.persistence.calllog.Rows.call;
import static dev.troupe.persistence.calllog.Rows.get;
import static dev.troupe.persistence.calllog.Rows.newCall;
import static dev.troupe.persistence.calllog.Rows.newInput;
import static dev.troupe.persistence.calllog.Rows.output;
import static dev.troupe.persistence.calllog.Rows.waiting;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.actors.blob.Payload;
import dev.troupe.actors.calllog.CallLog.Written;
import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.InputId;
import dev.troupe.persistence.StartRefused;
import dev.troupe.persistence.store.Database;
import dev.troupe.persistence.store.Database.Address;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The committer of a store of one process: its fence, its kills, and tables that are away. */
class FileCommitterTest {

  private static final CommitQueue.Limits LIMITS =
      new CommitQueue.Limits(1 << 20, 1 << 20, 1000, new CommitQueue.Pace(1_000_000, 1000, 0));
  private static final Backlog.Limits LATE =
      new Backlog.Limits(Duration.ofMinutes(1).toNanos(), 1 << 20, 100);
  private static final int SEGMENT = 4096;
  private static final CallId C = call(F, "c");
  private static final Written FENCED = new Written.Fenced();

  private Path files;
  private Database database;
  private CallLogReader reader;
  private Committer committer;

  @BeforeEach
  void open(@TempDir Path directory) throws Exception {
    FaultyDriver.reset();
    files = directory.resolve("log");
    String h2 = Address.h2(directory.resolve("calls"), 4 << 20).url();
    Address address = new Address(FaultyDriver.url(h2), "sa", "");
    database = Database.open(address, "calls", 4, Duration.ofSeconds(10));
    reader = new CallLogReader(database.pool());
    committer = committer(LATE);
  }

  @AfterEach
  void close() {
    FaultyDriver.reset();
    committer.close();
    database.close();
  }

  private Committer committer(Backlog.Limits settling) throws IOException, SQLException {
    Transactions transactions = new Transactions(database, outage());
    return FileCommitter.start(
        database,
        LogRecovery.recover(files, SEGMENT, database, transactions),
        LIMITS,
        settling,
        transactions,
        outage());
  }

  private static Outage outage() {
    return new Outage(Duration.ofMillis(1), Duration.ofMillis(20));
  }

  /** What a start after a kill does, while the killed process's files are as they were. */
  private void recover() throws IOException, SQLException {
    try (Transactions transactions = new Transactions(database, outage());
        LogFiles recovered = LogRecovery.recover(files, SEGMENT, database, transactions)) {
      assertThat(recovered.next()).isPositive();
    }
  }

  private CompletionStage<Written> write(FunctionId function, long epoch, LogWrite... changes) {
    return committer.write(function, epoch, List.of(changes));
  }

  private void done(LogWrite... changes) {
    assertThat(get(write(F, 1, changes))).isEqualTo(new Written.Done());
  }

  private int waitingInputs() throws SQLException {
    return reader.load(F, Instant.EPOCH, 1000).waiting().size();
  }

  private List<String> logFiles() throws IOException {
    try (var entries = Files.list(files)) {
      return entries.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void aCommitTouchesNoTable_AndIsThereForReadersOfIts() throws Exception {
    get(committer.claim(F));
    FaultyDriver.onCommit(
        _ -> {
          throw new AssertionError("a commit of the database");
        });
    done(newCall(C, 1), newInput(C, 0, 1));
    FaultyDriver.reset();
    assertThat(waitingInputs()).isZero();

    get(committer.settled(F));

    assertThat(waitingInputs()).isEqualTo(1);
  }

  @Test
  void fromItsClaimOnNobodyElseWrites_AndTheClaimantLoadsWhatWasAcknowledged() throws Exception {
    get(committer.claim(F));
    done(newCall(C, 2), newInput(C, 0, 1));
    CountDownLatch reached = new CountDownLatch(1);
    CountDownLatch open = new CountDownLatch(1);
    FaultyDriver.onCommit(
        connection -> {
          reached.countDown();
          await(open);
          connection.commit();
        });

    var claim = committer.claim(F).toCompletableFuture();
    await(reached);
    assertThat(get(write(F, 1, newInput(C, 1, 2)))).isEqualTo(new Written.Fenced());
    assertThatThrownBy(() -> claim.get(100, TimeUnit.MILLISECONDS))
        .isInstanceOf(TimeoutException.class);
    open.countDown();

    assertThat(get(claim)).isEqualTo(2);
    assertThat(waitingInputs()).isEqualTo(1);
    assertThat(get(write(F, 2, newInput(C, 1, 2)))).isEqualTo(new Written.Done());
  }

  @Test
  void aClaimThatWasOvertakenOwnsNothing() throws Exception {
    CountDownLatch reached = new CountDownLatch(1);
    List<CountDownLatch> gates = List.of(new CountDownLatch(1), new CountDownLatch(1));
    AtomicInteger commits = new AtomicInteger();
    FaultyDriver.onCommit(
        connection -> {
          reached.countDown();
          await(gates.get(Math.min(1, commits.getAndIncrement())));
          connection.commit();
        });
    var first = committer.claim(F);
    await(reached);
    var second = committer.claim(F);
    assertThat(get(write(F, 1, newCall(C, 1)))).as("taken: the second").isEqualTo(FENCED);
    gates.getFirst().countDown();
    assertThat(get(first)).isEqualTo(1);

    assertThat(get(write(F, 1, newCall(C, 1)))).isEqualTo(FENCED);
    gates.getLast().countDown();

    assertThat(get(second)).isEqualTo(2);
    assertThat(get(write(F, 2, newCall(C, 1)))).isEqualTo(new Written.Done());
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException interrupted) {
      throw new AssertionError(interrupted);
    }
  }

  @Test
  void anIdIsTakenInTheFile_OnItsWay_AndInTheTables() throws Exception {
    get(committer.claim(F));
    done(newCall(C, 2), newInput(C, 0, 1));
    assertThat(get(write(F, 1, newCall(C, 1)))).isEqualTo(new Written.Duplicate());
    CountDownLatch open = new CountDownLatch(1);
    CountDownLatch reached = new CountDownLatch(1);
    FaultyDriver.onCommit(
        connection -> {
          reached.countDown();
          await(open);
          connection.commit();
        });
    var settled = committer.settled(F);
    await(reached);
    // On their way: a change of the same input begins anew, and the id is taken all the same.
    done(new LogWrite.Finished(output(C, 0, 1)), new LogWrite.Total(C, 2));
    assertThat(get(write(F, 1, newInput(C, 0, 1)))).isEqualTo(new Written.Duplicate());
    assertThat(get(write(F, 1, newCall(C, 1)))).isEqualTo(new Written.Duplicate());
    open.countDown();
    get(settled);
    assertThat(get(write(F, 1, newInput(C, 0, 1)))).isEqualTo(new Written.Duplicate());
    done(newInput(C, 1, 2));
    get(committer.settled(F));

    assertThat(get(write(F, 1, newInput(C, 1, 2)))).isEqualTo(new Written.Duplicate());
    assertThat(reader.outputsOf(C, 0, 5)).hasSize(1);
    assertThat(waitingInputs()).isEqualTo(1);
  }

  @Test
  void whatAKilledProcessLeftComesToTheTables_Once() throws Exception {
    get(committer.claim(F));
    done(newCall(C, 3), newInput(C, 0, 1), newInput(C, 1, 2));
    get(committer.settled(F));
    done(new LogWrite.Finished(output(C, 0, 1)), newInput(C, 2, 3));

    recover();
    recover();

    assertThat(reader.outputsOf(C, 0, 5)).hasSize(1);
    assertThat(waitingInputs()).isEqualTo(2);
    assertThat(reader.call(C).orElseThrow().known()).isEqualTo(3);
    assertThat(logFiles()).isEmpty();
  }

  @Test
  void whatWasSettledAndForgottenDoesNotComeBackAfterAKill() throws Exception {
    get(committer.claim(F));
    InputId input = InputId.of(C, 0);
    done(newCall(C, 1), newInput(C, 0, 1));
    done(new LogWrite.Finished(output(C, 0, 1)), new LogWrite.Cleared(List.of(input), T0));
    get(committer.settled(F));
    assertThat(new CallLogSweep(database, 1000).sweep(T0.plusSeconds(60), Instant.EPOCH)).isEmpty();
    assertThat(reader.call(C)).isEmpty();
    assertThat(logFiles()).as("the frames are still there").isNotEmpty();

    recover();

    assertThat(reader.call(C)).isEmpty();
    assertThat(waitingInputs()).isZero();
  }

  @Test
  void changesThatMergedIntoEarlierOnesAreWrittenAgainAfterAKill() throws Exception {
    get(committer.claim(F));
    Payload payload = Payload.of("small".getBytes(UTF_8), blob("p"));
    done(newCall(C, 1), new LogWrite.NewInput(waiting(C, 0, 1, payload)));
    done(new LogWrite.Finished(output(C, 0, 1, Payload.of("r".getBytes(UTF_8), blob("r")), T0)));
    // As if only the first frame had been settled: its rows hold what the second says.
    get(committer.settled(F));
    try (Connection connection = database.pool().getConnection();
        var statement = connection.createStatement()) {
      statement.execute("UPDATE function_owner SET settled = settled - 1");
    }

    recover();

    assertThat(reader.outputsOf(C, 0, 5)).hasSize(1);
    assertThat(reader.owned(List.of(blob("p"), blob("r"), blob("x"))))
        .containsExactly(blob("p"), blob("r"));
  }

  @Test
  void aLogOfOtherTablesIsRefused() throws Exception {
    get(committer.claim(F));
    done(newCall(C, 1));
    try (Connection connection = database.pool().getConnection();
        var statement = connection.createStatement()) {
      statement.execute("DELETE FROM function_owner");
    }

    assertThatThrownBy(this::recover)
        .isInstanceOf(StartRefused.class)
        .hasMessageContaining("not of one data directory");
  }

  @Test
  void whileTheTablesAreAwayCommitsGoOn_UntilTooMuchIsOnItsWay() throws Exception {
    committer.close();
    committer = committer(new Backlog.Limits(1_000_000, 2_000, 100));
    get(committer.claim(F));
    FaultyDriver.onCommit(
        _ -> {
          throw FaultyDriver.broken();
        });
    done(newCall(C, -1));
    CompletionStage<Written> last = write(F, 1, newInput(C, 0, 1));
    int index = 0;
    for (long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        last.toCompletableFuture().completeOnTimeout(null, 200, TimeUnit.MILLISECONDS).join()
            != null; ) {
      assertThat(System.nanoTime()).as("it goes on for ever").isLessThan(end);
      index++;
      last = write(F, 1, newInput(C, index, index + 1)).thenApply(done -> done);
    }
    assertThat(index).as("many were committed meanwhile").isGreaterThan(20);

    FaultyDriver.reset();

    get(committer.settled(F));
    get(write(F, 1, new LogWrite.Total(C, index + 1)));
    get(committer.settled(F));
    assertThat(waitingInputs()).isEqualTo(index + 1);
  }

  @Test
  void filesThatNothingNeedsGo() throws Exception {
    committer.close();
    committer = committer(new Backlog.Limits(1_000_000, 1 << 20, 100));
    get(committer.claim(F));
    done(newCall(C, -1));
    for (int i = 0; i < 200; i++) {
      done(newInput(C, i, i + 1));
    }
    for (long end = System.nanoTime() + Duration.ofSeconds(30).toNanos(); logFiles().size() > 1; ) {
      assertThat(System.nanoTime()).as("files stay: " + logFiles()).isLessThan(end);
      done(new LogWrite.Total(C, -1));
    }

    get(committer.settled(F));
    assertThat(reader.load(F, Instant.EPOCH, 1000).waiting()).hasSize(200);
  }

  @Test
  void aCleanEndBringsEverythingToTheTables_AndLeavesNoFile() throws Exception {
    get(committer.claim(F));
    get(committer.claim(G));
    done(newCall(C, 1), newInput(C, 0, 1));
    for (int i = 0; i < 300; i++) {
      get(write(G, 1, newCall(call(G, "c" + i), 1)));
    }

    committer.close();

    assertThat(waitingInputs()).isEqualTo(1);
    assertThat(reader.call(call(G, "c299"))).isPresent();
    assertThat(logFiles()).isEmpty();
    assertThat(get(write(F, 1, newCall(call(F, "late"), 1))))
        .isEqualTo(new Written.Failed("the store is closed"));
  }

  @Test
  void closingWhileTheTablesAreAwayLosesNothing() throws Exception {
    get(committer.claim(F));
    done(newCall(C, 1), newInput(C, 0, 1));
    FaultyDriver.onCommit(
        _ -> {
          throw FaultyDriver.broken();
        });
    var read = committer.settled(F);

    committer.close();

    assertThatThrownBy(() -> read.toCompletableFuture().get(30, TimeUnit.SECONDS))
        .hasMessageContaining("away when the server stopped");
    FaultyDriver.reset();
    committer = committer(LATE);
    assertThat(waitingInputs()).isEqualTo(1);
    assertThat(get(committer.claim(F))).isEqualTo(2);
  }

  @Test
  void aFunctionWhoseRowsTheTablesRefuseFailsAloneAndLoud() throws Exception {
    get(committer.claim(F));
    get(committer.claim(G));
    done(newCall(C, 1), newInput(C, 0, 1));
    get(write(G, 1, newCall(call(G, "c"), 1), newInput(call(G, "c"), 0, 1)));
    try (Connection connection = database.pool().getConnection();
        var statement = connection.createStatement()) {
      // As a bug would: the row is there already.
      statement.execute(
          "INSERT INTO function_call SELECT id, '%s', 1, 1, 1, FALSE, FALSE, 0, 0"
                  .formatted(C.value().substring(25))
              + " FROM function_owner WHERE function = '%s'".formatted(F.value()));
    }

    assertThatThrownBy(() -> get(committer.settled()))
        .hasMessageContaining("the store refuses changes of " + F);
    assertThat(get(write(F, 1, newInput(C, 1, 2)))).isInstanceOf(Written.Failed.class);
    assertThatThrownBy(() -> get(committer.claim(F))).hasMessageContaining("the store refuses");

    get(committer.settled(G));
    assertThat(reader.load(G, Instant.EPOCH, 10).waiting()).hasSize(1);
    assertThat(get(write(G, 1, newInput(call(G, "c"), 1, 2)))).isEqualTo(new Written.Done());
  }
}
