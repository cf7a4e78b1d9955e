package dev.troupe.persistence.calllog;

import static dev.troupe.persistence.calllog.Rows.F;
import static dev.troupe.persistence.calllog.Rows.G;
import static dev.troupe.persistence.calllog.Rows.call;
import static dev.troupe.persistence.calllog.Rows.get;
import static dev.troupe.persistence.calllog.Rows.newCall;
import static dev.troupe.persistence.calllog.Rows.newInput;
import static dev.troupe.persistence.calllog.Rows.output;
import static dev.troupe.persistence.calllog.Rows.waiting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.actors.blob.Payload;
import dev.troupe.actors.calllog.CallLog.Written;
import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.persistence.store.Database;
import dev.troupe.persistence.store.Database.Address;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The committer where commits are held up, refused, broken, or the database is away. */
class GroupCommitterTest {

  private static final CommitQueue.Limits LIMITS =
      new CommitQueue.Limits(20_000, 1 << 20, 1000, new CommitQueue.Pace(1_000_000, 1000, 0));
  private static final Backlog.Limits LATE =
      new Backlog.Limits(Duration.ofMinutes(1).toNanos(), 1 << 20, 100);

  private Database database;
  private Committer committer;

  /** A new database. */
  Address address(Path directory) {
    return Address.h2(directory.resolve("calls"), 4 << 20);
  }

  @BeforeEach
  void open(@TempDir Path directory) {
    FaultyDriver.reset();
    Address real = address(directory);
    Address address = new Address(FaultyDriver.url(real.url()), real.user(), real.password());
    database = Database.open(address, "calls", 4, Duration.ofSeconds(10));
    committer = committer();
  }

  @AfterEach
  void close() {
    FaultyDriver.reset();
    committer.close();
    database.close();
  }

  private Committer committer() {
    return committer(LATE);
  }

  private Committer committer(Backlog.Limits settling) {
    return GroupCommitter.start(
        database, LIMITS, settling, new Outage(Duration.ofMillis(1), Duration.ofMillis(20)));
  }

  private CompletionStage<Written> write(FunctionId function, long epoch, LogWrite... changes) {
    return committer.write(function, epoch, List.of(changes));
  }

  private boolean known(FunctionId function, String name) throws Exception {
    get(committer.settled(function));
    return new CallLogReader(database.pool()).call(call(function, name)).isPresent();
  }

  /** A commit that waits for the test, and tells that it does. */
  private static final class Gate implements FaultyDriver.Commit {
    final CountDownLatch reached = new CountDownLatch(1);
    final CountDownLatch open = new CountDownLatch(1);
    final AtomicInteger commits = new AtomicInteger();

    @Override
    public void on(Connection connection) throws java.sql.SQLException {
      reached.countDown();
      try {
        if (!open.await(30, TimeUnit.SECONDS)) {
          throw new AssertionError("the gate stayed shut");
        }
      } catch (InterruptedException interrupted) {
        throw new AssertionError(interrupted);
      }
      commits.incrementAndGet();
      connection.commit();
    }

    void awaitReached() throws InterruptedException {
      assertThat(reached.await(30, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Test
  void whatArrivesDuringACommitIsOneGroupAndAcknowledgedAfterIt() throws Exception {
    get(committer.claim(F));
    Gate gate = new Gate();
    FaultyDriver.onCommit(gate);
    var first = write(F, 1, newCall(call(F, "first"), 1));
    gate.awaitReached();

    List<CompletionStage<Written>> rest = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      rest.add(write(F, 1, newCall(call(F, "rest " + i), 1)));
    }
    assertThat(first.toCompletableFuture().isDone()).as("not durable, not told").isFalse();
    gate.open.countDown();

    assertThat(get(first)).isEqualTo(new Written.Done());
    assertThat(rest.stream().map(Rows::get)).containsOnly(new Written.Done());
    assertThat(gate.commits.get()).isEqualTo(2);
  }

  @Test
  void aWriteThatIsRefusedFailsAloneInItsGroup() throws Exception {
    get(committer.claim(F));
    get(write(F, 1, newCall(call(F, "taken"), 1)));
    Gate gate = new Gate();
    FaultyDriver.onCommit(gate);
    var blocker = write(F, 1, newCall(call(F, "blocker"), 1));
    gate.awaitReached();

    List<CompletionStage<Written>> group = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      String name = i == 5 ? "taken" : "call " + i;
      group.add(
          i == 11
              ? write(F, 1, newCall(call(F, "c"), 1), newInput(call(F, "c"), 0, 1), tooLong())
              : write(F, 1, newCall(call(F, name), 1)));
    }
    gate.open.countDown();

    assertThat(get(blocker)).isEqualTo(new Written.Done());
    for (int i = 0; i < 16; i++) {
      Written result = get(group.get(i));
      switch (i) {
        case 5 -> assertThat(result).isEqualTo(new Written.Duplicate());
        case 11 -> assertThat(result).isInstanceOf(Written.Failed.class);
        default -> assertThat(result).as("writer " + i).isEqualTo(new Written.Done());
      }
    }
    assertThat(known(F, "c")).as("of a failed write nothing stays").isFalse();
  }

  /** An output whose task is longer than a row takes. */
  private static LogWrite tooLong() {
    OutputRow row = output(call(F, "c"), 0, 1);
    return new LogWrite.Finished(
        new OutputRow(
            row.input(), row.number(), 1, null, "", 0, "t".repeat(100_001), null, Rows.T0, null));
  }

  @Test
  void tooManyWaitingBytesAreOverloaded() throws Exception {
    get(committer.claim(F));
    Gate gate = new Gate();
    FaultyDriver.onCommit(gate);
    var first = write(F, 1, newCall(call(F, "c"), -1));
    gate.awaitReached();

    Payload big = Payload.of(new byte[9_000], null);
    var second = write(F, 1, new LogWrite.NewInput(waiting(call(F, "c"), 0, 1, big)));
    var third = write(F, 1, new LogWrite.NewInput(waiting(call(F, "c"), 1, 2, big)));
    var fourth = write(F, 1, new LogWrite.NewInput(waiting(call(F, "c"), 2, 3, big)));
    assertThat(get(fourth)).isEqualTo(new Written.Overloaded());

    gate.open.countDown();
    assertThat(List.of(get(first), get(second), get(third))).containsOnly(new Written.Done());
    assertThat(get(write(F, 1, new LogWrite.NewInput(waiting(call(F, "c"), 2, 3, big)))))
        .isEqualTo(new Written.Done());
  }

  @Test
  void aStoreThatIsAwayIsWaitedFor() throws Exception {
    get(committer.claim(F));
    CountDownLatch failedTwice = new CountDownLatch(2);
    FaultyDriver.onCommit(
        _ -> {
          failedTwice.countDown();
          throw FaultyDriver.broken();
        });

    var write = write(F, 1, newCall(call(F, "c"), 1));
    var claim = committer.claim(G);
    assertThat(failedTwice.await(30, TimeUnit.SECONDS)).isTrue();
    assertThat(write.toCompletableFuture().isDone()).isFalse();
    FaultyDriver.reset();

    assertThat(get(write)).isEqualTo(new Written.Done());
    assertThat(get(claim)).isEqualTo(1);
  }

  @Test
  void aCommitThatHappenedThoughItsConnectionBrokeIsNotDoneAgain() throws Exception {
    get(committer.claim(F));
    AtomicInteger commits = new AtomicInteger();
    FaultyDriver.onCommit(
        connection -> {
          connection.commit();
          if (commits.incrementAndGet() == 1) {
            throw FaultyDriver.broken();
          }
        });

    assertThat(get(write(F, 1, newCall(call(F, "c"), 1), newInput(call(F, "c"), 0, 1))))
        .as("not a duplicate of itself")
        .isEqualTo(new Written.Done());
    assertThat(known(F, "c")).isTrue();
  }

  @Test
  void aCommitThatDidNotHappenIsDoneAgain() throws Exception {
    get(committer.claim(F));
    AtomicInteger attempts = new AtomicInteger();
    FaultyDriver.onCommit(
        connection -> {
          if (attempts.incrementAndGet() == 1) {
            connection.rollback();
            throw FaultyDriver.broken();
          }
          connection.commit();
        });

    assertThat(get(write(F, 1, newCall(call(F, "c"), 1)))).isEqualTo(new Written.Done());
    assertThat(known(F, "c")).isTrue();
  }

  @Test
  void closingWhileTheStoreIsAwayTellsEveryWriter() throws Exception {
    get(committer.claim(F));
    CountDownLatch failed = new CountDownLatch(1);
    FaultyDriver.onCommit(
        _ -> {
          failed.countDown();
          throw FaultyDriver.broken();
        });
    var first = write(F, 1, newCall(call(F, "c"), 1));
    assertThat(failed.await(30, TimeUnit.SECONDS)).isTrue();
    var second = write(F, 1, newCall(call(F, "d"), 1));
    var claim = committer.claim(G);

    committer.close();

    assertThat(get(first)).isInstanceOf(Written.Failed.class);
    assertThat(get(second)).isInstanceOf(Written.Failed.class);
    assertThatThrownBy(() -> claim.toCompletableFuture().get(30, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class)
        .hasMessageContaining("away when the server stopped");
    assertThat(get(write(F, 1, newCall(call(F, "e"), 1))))
        .isEqualTo(new Written.Failed("the store is closed"));
  }

  @Test
  void closingCommitsWhatWaits() throws Exception {
    get(committer.claim(F));
    Gate gate = new Gate();
    FaultyDriver.onCommit(gate);
    var first = write(F, 1, newCall(call(F, "c"), 1));
    gate.awaitReached();
    var second = write(F, 1, newCall(call(F, "d"), 1));
    Thread closing = Thread.ofVirtual().start(committer::close);
    gate.open.countDown();
    closing.join();

    assertThat(List.of(get(first), get(second))).containsOnly(new Written.Done());
  }

  /**
   * The schedule that a conditional insert loses: the old owner has looked at its epoch and
   * written, but not committed, when a new owner on another process claims and loads.
   */
  @Test
  void aNewOwnerLoadsOnlyAfterTheOldOnesCommit() throws Exception {
    get(committer.claim(F));
    Gate gate = new Gate();
    FaultyDriver.onCommit(gate);
    var old = write(F, 1, newCall(call(F, "old"), 1), newInput(call(F, "old"), 0, 1));
    gate.awaitReached();

    try (Committer other = committer()) {
      var claim = other.claim(F).toCompletableFuture();
      assertThatThrownBy(() -> claim.get(300, TimeUnit.MILLISECONDS))
          .as("the claim waits for the lock")
          .isInstanceOf(TimeoutException.class);

      gate.open.countDown();
      assertThat(get(old)).isEqualTo(new Written.Done());
      assertThat(get(claim)).isEqualTo(2);
    }

    assertThat(new CallLogReader(database.pool()).load(F, Instant.EPOCH, 10).waiting()).hasSize(1);
  }

  @Test
  void anOldOwnersWriteNeverCommitsAfterTheNewOnesClaim() throws Exception {
    get(committer.claim(F));
    get(committer.claim(G));
    Gate gate = new Gate();
    try (Committer other = committer()) {
      FaultyDriver.onCommit(gate);
      var claim = other.claim(F);
      gate.awaitReached();

      var late = write(F, 1, newCall(call(F, "late"), 1)).toCompletableFuture();
      var unrelated = write(G, 1, newCall(call(G, "fine"), 1));
      assertThatThrownBy(() -> late.get(300, TimeUnit.MILLISECONDS))
          .as("the write waits for the lock")
          .isInstanceOf(TimeoutException.class);

      gate.open.countDown();
      assertThat(get(claim)).isEqualTo(2);
      assertThat(get(late)).isEqualTo(new Written.Fenced());
      assertThat(get(unrelated)).isEqualTo(new Written.Done());
    }
    assertThat(known(F, "late")).isFalse();
  }

  @Test
  void twoProcessesThatClaimANewFunctionAtOnceGetAnEpochEach() {
    try (Committer other = committer()) {
      for (int i = 0; i < 20; i++) {
        FunctionId function = Rows.function("new " + i);
        var one = committer.claim(function);
        var two = other.claim(function);
        assertThat(List.of(get(one), get(two))).containsExactlyInAnyOrder(1L, 2L);
      }
    }
  }

  // ---- the write-ahead log

  @Test
  void whatIsOnlyInTheWriteAheadLogIsLoadedByTheNextOwner() throws Exception {
    get(committer.claim(F));
    get(write(F, 1, newCall(call(F, "c"), 2), newInput(call(F, "c"), 0, 1)));
    get(
        write(
            F, 1, newInput(call(F, "c"), 1, 2), new LogWrite.Finished(output(call(F, "c"), 0, 1))));
    CallLogReader reader = new CallLogReader(database.pool());
    assertThat(reader.load(F, Instant.EPOCH, 10).waiting()).as("not in the tables").isEmpty();
    assertThat(reader.unfinishedFunctions()).as("found all the same").containsExactly(F);

    try (Committer other = committer()) {
      assertThat(get(other.claim(F))).isEqualTo(2);
      assertThat(reader.load(F, Instant.EPOCH, 10).waiting()).hasSize(1);
      assertThat(reader.outputsOf(call(F, "c"), 0, 1)).hasSize(1);

      // The former owner's process still has them in mind, and must not bring them again.
      assertThat(get(write(F, 1, newInput(call(F, "c"), 2, 3)))).isEqualTo(new Written.Fenced());
      get(committer.settled(F));
      assertThat(get(other.write(F, 2, List.of(newInput(call(F, "c"), 2, 3)))))
          .isEqualTo(new Written.Done());
    }
    assertThat(reader.load(F, Instant.EPOCH, 10).waiting()).hasSize(2);
    assertThat(reader.unfinishedFunctions()).containsExactly(F);
  }

  @Test
  void changesComeToTheTablesByThemselves() throws Exception {
    try (Committer quick = committer(new Backlog.Limits(1_000_000, 1 << 20, 100))) {
      get(quick.claim(F));
      get(quick.write(F, 1, List.of(newCall(call(F, "c"), 1), newInput(call(F, "c"), 0, 1))));
      CallLogReader reader = new CallLogReader(database.pool());
      long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
      while (reader.load(F, Instant.EPOCH, 10).waiting().isEmpty()) {
        assertThat(System.nanoTime()).isLessThan(end);
        Thread.sleep(1);
      }
    }
  }

  @Test
  void aCleanEndLeavesNothingInTheWriteAheadLog() throws Exception {
    get(committer.claim(F));
    get(write(F, 1, newCall(call(F, "c"), 1), newInput(call(F, "c"), 0, 1)));

    committer.close();

    assertThat(new CallLogReader(database.pool()).load(F, Instant.EPOCH, 10).waiting()).hasSize(1);
  }

  @Test
  void aStoreThatGoesAwayWhileChangesComeToTheTablesLosesNone() throws Exception {
    get(committer.claim(F));
    get(write(F, 1, newCall(call(F, "c"), 1), newInput(call(F, "c"), 0, 1)));
    AtomicInteger commits = new AtomicInteger();
    FaultyDriver.onCommit(
        connection -> {
          switch (commits.getAndIncrement()) {
            case 0 -> {
              connection.rollback();
              throw FaultyDriver.broken();
            }
            case 1 -> {
              connection.commit();
              throw FaultyDriver.broken();
            }
            default -> connection.commit();
          }
        });

    get(committer.settled(F));

    CallLogReader reader = new CallLogReader(database.pool());
    assertThat(reader.load(F, Instant.EPOCH, 10).waiting()).hasSize(1);
    assertThat(get(write(F, 1, newCall(call(F, "c"), 1)))).isEqualTo(new Written.Duplicate());
  }

  @Test
  void aFunctionWhoseRowsTheTablesRefuseFailsAloneAndLoud() throws Exception {
    get(committer.claim(F));
    get(committer.claim(G));
    get(write(F, 1, newCall(call(F, "c"), 1), newInput(call(F, "c"), 0, 1)));
    get(write(G, 1, newCall(call(G, "c"), 1), newInput(call(G, "c"), 0, 1)));
    try (Connection connection = database.pool().getConnection();
        var statement = connection.createStatement()) {
      // As a bug would: the row is there already.
      statement.execute(
          "INSERT INTO function_call SELECT id, '%s', 1, 1, 1, FALSE, FALSE, 0, 0"
                  .formatted(call(F, "c").value().substring(25))
              + " FROM function_owner WHERE function = '%s'".formatted(F.value()));
    }

    assertThatThrownBy(() -> committer.settled(F).toCompletableFuture().get(30, TimeUnit.SECONDS))
        .hasMessageContaining("the store refuses changes of " + F);
    assertThat(get(write(F, 1, newInput(call(F, "c"), 1, 2)))).isInstanceOf(Written.Failed.class);

    get(committer.settled(G));
    assertThat(new CallLogReader(database.pool()).load(G, Instant.EPOCH, 10).waiting()).hasSize(1);
    assertThat(get(write(G, 1, newInput(call(G, "c"), 1, 2)))).isEqualTo(new Written.Done());
  }
}
