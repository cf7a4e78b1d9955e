package dev.troupe.persistence.calllog;

import static dev.troupe.persistence.calllog.Rows.F;
import static dev.troupe.persistence.calllog.Rows.G;
import static dev.troupe.persistence.calllog.Rows.T0;
import static dev.troupe.persistence.calllog.Rows.blob;
import static dev.troupe.persistence.calllog.Rows.call;
import static dev.troupe.persistence.calllog.Rows.get;
import static dev.troupe.persistence.calllog.Rows.mark;
import static dev.troupe.persistence.calllog.Rows.newCall;
import static dev.troupe.persistence.calllog.Rows.newInput;
import static dev.troupe.persistence.calllog.Rows.output;
import static dev.troupe.persistence.calllog.Rows.waiting;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.blob.Payload;
import dev.troupe.actors.calllog.CallLog.CallSummary;
import dev.troupe.actors.calllog.CallLog.Loaded;
import dev.troupe.actors.calllog.CallLog.Written;
import dev.troupe.actors.calllog.InputRow;
import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.actors.calllog.OutputNumber;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.InputId;
import dev.troupe.persistence.store.BlockingReads;
import dev.troupe.persistence.store.Database;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a call log on any database must do. */
abstract class CallLogContract {

  private static final Instant LONG_AGO = Instant.EPOCH;

  private Path directory;
  private Database database;
  private BlockingReads reads;
  private JdbcCallLog log;
  private long epoch;

  abstract Database open(Path directory);

  abstract JdbcCallLog log(Database database, BlockingReads reads, Path directory);

  @BeforeEach
  void openLog(@TempDir Path directory) {
    this.directory = directory;
    database = open(directory);
    reads = new BlockingReads();
    log = log(database, reads, directory);
    epoch = get(log.claim(F));
  }

  @AfterEach
  void closeLog() {
    log.close();
    reads.close();
    database.close();
  }

  private void reopen() {
    closeLog();
    database = open(directory);
    reads = new BlockingReads();
    log = log(database, reads, directory);
  }

  private Written write(LogWrite... changes) {
    return get(log.write(F, epoch, List.of(changes)));
  }

  private void done(LogWrite... changes) {
    assertThat(write(changes)).isEqualTo(new Written.Done());
  }

  private Loaded load() {
    return get(log.load(F, LONG_AGO, 1000));
  }

  private static List<Integer> indexes(List<InputRow> rows) {
    return rows.stream().map(row -> row.input().index()).toList();
  }

  @Test
  void aClaimRaisesTheEpochAndSurvives() {
    assertThat(epoch).isEqualTo(1);
    assertThat(get(log.claim(F))).isEqualTo(2);
    assertThat(get(log.claim(G))).isEqualTo(1);

    reopen();

    assertThat(get(log.claim(F))).isEqualTo(3);
  }

  @Test
  void claimsThatMeetEachGetAnEpochOfTheirOwn() {
    var claims = IntStream.range(0, 40).mapToObj(_ -> log.claim(F)).toList();

    assertThat(claims.stream().map(Rows::get)).doesNotHaveDuplicates().hasSize(40);
  }

  @Test
  void aFunctionNobodyKnowsLoadsEmpty() {
    assertThat(get(log.load(G, LONG_AGO, 10)))
        .isEqualTo(new Loaded(List.of(), List.of(), List.of(), 0));
    assertThat(get(log.waitingAfter(G, 0, 10))).isEmpty();
    assertThat(get(log.call(call(G, "c")))).isEmpty();
    assertThat(get(log.outputsAfter(call(G, "c"), OutputNumber.START, 10))).isEmpty();
    assertThat(get(log.outputsOf(call(G, "c"), 0, 10))).isEmpty();
  }

  @Test
  void whatWasWrittenIsReadBackWholeAfterARestart() {
    CallId c = call(F, "c");
    Payload payload = new Payload(null, blob("stored"), blob("attached"));
    InputRow leased =
        new InputRow(InputId.of(c, 1), 8, "method", payload, 2, 1, mark(5), T0.plusSeconds(1));
    done(newCall(c, 2), newInput(c, 0, 7), new LogWrite.NewInput(leased));

    reopen();
    get(log.claim(F));

    Loaded loaded = load();
    assertThat(loaded.calls()).containsExactly(new CallSummary(newCall(c, 2).row(), 2, 0));
    assertThat(loaded.marked()).containsExactly(leased);
    assertThat(loaded.waiting())
        .usingRecursiveFieldByFieldElementComparator()
        .containsExactly(waiting(c, 0, 7));
    assertThat(loaded.lastPosition()).isEqualTo(8);
  }

  @Test
  void anotherEpochIsFencedAndWritesNothing() {
    CallId c = call(F, "c");

    assertThat(get(log.write(F, epoch + 1, List.of(newCall(c, 1)))))
        .isEqualTo(new Written.Fenced());
    assertThat(get(log.write(F, epoch - 1, List.of(newCall(c, 1)))))
        .isEqualTo(new Written.Fenced());
    assertThat(get(log.write(G, 1, List.of(newCall(call(G, "c"), 1)))))
        .as("never claimed")
        .isEqualTo(new Written.Fenced());

    assertThat(get(log.call(c))).isEmpty();
  }

  @Test
  void aRepeatedCallOrInputIsADuplicateAndItsWriteIsDroppedWhole() {
    CallId c = call(F, "c");
    CallId d = call(F, "d");
    done(newCall(c, -1), newInput(c, 0, 1));

    assertThat(write(newCall(c, -1))).isEqualTo(new Written.Duplicate());
    assertThat(write(newCall(d, 1), newInput(c, 0, 2))).isEqualTo(new Written.Duplicate());
    assertThat(write(newInput(c, 1, 2), newInput(c, 1, 3))).isEqualTo(new Written.Duplicate());

    assertThat(get(log.call(d))).isEmpty();
    assertThat(indexes(load().waiting())).containsExactly(0);
  }

  @Test
  void aFinishedInputIsADuplicateToo() {
    CallId c = call(F, "c");
    done(newCall(c, 1), newInput(c, 0, 1));
    done(new LogWrite.Finished(output(c, 0, 1)));

    assertThat(write(newInput(c, 0, 9))).isEqualTo(new Written.Duplicate());
  }

  @Test
  void aChangeOfAnotherFunctionFailsItsWriterOnly() {
    CallId foreign = call(G, "c");
    var bad = log.write(F, epoch, List.of(newCall(foreign, 1)));
    var good = log.write(F, epoch, List.of(newCall(call(F, "c"), 1)));

    assertThat(get(bad)).isInstanceOf(Written.Failed.class);
    assertThat(get(good)).isEqualTo(new Written.Done());
  }

  @Test
  void theMailboxIsPagedByPosition() {
    CallId c = call(F, "c");
    List<LogWrite> changes = new ArrayList<>(List.of(newCall(c, -1)));
    for (int i = 0; i < 25; i++) {
      changes.add(newInput(c, i, 100 - i));
    }
    done(changes.toArray(LogWrite[]::new));

    Loaded loaded = get(log.load(F, LONG_AGO, 10));
    assertThat(indexes(loaded.waiting())).containsExactly(24, 23, 22, 21, 20, 19, 18, 17, 16, 15);
    assertThat(loaded.lastPosition()).isEqualTo(100);
    assertThat(indexes(get(log.waitingAfter(F, loaded.waiting().getLast().position(), 3))))
        .containsExactly(14, 13, 12);
    assertThat(get(log.waitingAfter(F, 100, 3))).isEmpty();
  }

  @Test
  void aLeaseMarksAndASpentRunFreesWithItsCounts() {
    CallId c = call(F, "c");
    done(newCall(c, 1), newInput(c, 0, 1));

    done(new LogWrite.Leased(InputId.of(c, 0), mark(1)));
    assertThat(load().marked()).extracting(InputRow::lease).containsExactly(mark(1));
    assertThat(load().waiting()).isEmpty();

    done(new LogWrite.Spent(InputId.of(c, 0), 1, 2));
    assertThat(load().marked()).isEmpty();
    InputRow free = load().waiting().getFirst();
    assertThat(List.of(free.attempts(), free.lost())).containsExactly(1, 2);
    assertThat(free.position()).isEqualTo(1);
    assertThat(free.lease()).isNull();
  }

  @Test
  void anOutputEndsItsInputAndTheFirstOneStands() {
    CallId c = call(F, "c");
    done(newCall(c, 1), newInput(c, 0, 1), new LogWrite.Leased(InputId.of(c, 0), mark(1)));
    OutputRow first = output(c, 0, 1);
    done(new LogWrite.Finished(first));
    done(new LogWrite.Finished(output(c, 0, 2)));
    done(
        new LogWrite.Leased(InputId.of(c, 0), mark(2)), new LogWrite.Spent(InputId.of(c, 0), 9, 9));

    assertThat(get(log.outputsOf(c, 0, 0)))
        .usingRecursiveFieldByFieldElementComparator()
        .containsExactly(first);
    Loaded loaded = load();
    assertThat(loaded.marked()).isEmpty();
    assertThat(loaded.waiting()).isEmpty();
    assertThat(loaded.calls()).containsExactly(new CallSummary(newCall(c, 1).row(), 1, 1));
  }

  @Test
  void anOutputOfThePlatformHasNoResult() {
    CallId c = call(F, "c");
    OutputRow ended =
        new OutputRow(
            InputId.of(c, 0), new OutputNumber(3, 1), 4, null, "timed out", 0, "", null, T0, null);
    done(newCall(c, 1), newInput(c, 0, 1));
    done(new LogWrite.Finished(ended));

    assertThat(get(log.outputsOf(c, 0, 0))).containsExactly(ended);
  }

  @Test
  void outputsAreGivenInTheOrderOfTheirNumbersWhateverTheIndex() {
    CallId c = call(F, "c");
    done(newCall(c, 3), newInput(c, 0, 1), newInput(c, 1, 2), newInput(c, 2, 3));
    done(new LogWrite.Finished(numbered(c, 2, new OutputNumber(1, 1))));
    done(new LogWrite.Finished(numbered(c, 0, new OutputNumber(1, 2))));
    done(new LogWrite.Finished(numbered(c, 1, new OutputNumber(2, 1))));

    assertThat(after(c, OutputNumber.START, 10)).containsExactly(2, 0, 1);
    assertThat(after(c, OutputNumber.START, 2)).containsExactly(2, 0);
    assertThat(after(c, new OutputNumber(1, 1), 10)).containsExactly(0, 1);
    assertThat(after(c, new OutputNumber(1, 99), 10)).containsExactly(1);
    assertThat(after(c, new OutputNumber(2, 1), 10)).isEmpty();
    assertThat(get(log.outputsOf(c, 0, 1)).stream().map(row -> row.input().index()))
        .containsExactly(0, 1);
  }

  private static OutputRow numbered(CallId call, int index, OutputNumber number) {
    OutputRow row = output(call, index, 0);
    return new OutputRow(row.input(), number, 1, row.result(), "", 4, row.task(), T0, T0, null);
  }

  private List<Integer> after(CallId call, OutputNumber number, int limit) {
    return get(log.outputsAfter(call, number, limit)).stream()
        .map(row -> row.input().index())
        .toList();
  }

  @Test
  void totalAndCancelAreKept() {
    CallId c = call(F, "c");
    done(newCall(c, -1));
    done(new LogWrite.Total(c, 5));
    done(new LogWrite.Cancelled(c));

    CallSummary summary = get(log.call(c)).orElseThrow();
    assertThat(summary.row().total()).isEqualTo(5);
    assertThat(summary.row().cancelled()).isTrue();
  }

  @Test
  void changesOfOneWriteComeOneAfterTheOther() {
    CallId c = call(F, "c");
    InputId i = InputId.of(c, 0);
    done(
        newCall(c, -1),
        new LogWrite.Total(c, 2),
        newInput(c, 0, 1),
        new LogWrite.Leased(i, mark(1)),
        new LogWrite.Spent(i, 1, 0),
        new LogWrite.Leased(i, mark(2)),
        newInput(c, 1, 2),
        new LogWrite.Finished(output(c, 1, 1)),
        new LogWrite.Cleared(List.of(InputId.of(c, 1)), T0.plusSeconds(5)));

    InputRow leased = load().marked().getFirst();
    assertThat(leased.lease()).isEqualTo(mark(2));
    assertThat(leased.attempts()).isEqualTo(1);
    assertThat(load().calls()).containsExactly(new CallSummary(newCall(c, 2).row(), 2, 1));
    assertThat(get(log.outputsOf(c, 1, 1)).getFirst().clearedAt()).isEqualTo(T0.plusSeconds(5));
  }

  @Test
  void loadGivesUnfinishedAndRecentCallsOnly() {
    CallId old = call(F, "old and done");
    CallId oldOpen = call(F, "old, may get more");
    CallId oldWaiting = call(F, "old and waiting");
    CallId recent = call(F, "recent");
    done(newCall(old, 1), newInput(old, 0, 1), newCall(oldOpen, -1));
    done(newCall(oldWaiting, 1), newInput(oldWaiting, 0, 2));
    done(newCall(recent, 1, T0.plusSeconds(10)), newInput(recent, 0, 3));
    done(new LogWrite.Finished(output(old, 0, 1)), new LogWrite.Finished(output(recent, 0, 1)));

    Loaded loaded = get(log.load(F, T0.plusSeconds(10), 10));

    assertThat(loaded.calls().stream().map(summary -> summary.row().call()))
        .containsExactlyInAnyOrder(oldOpen, oldWaiting, recent);
    assertThat(loaded.lastPosition()).isEqualTo(2);
  }

  @Test
  void functionsWithAnUnfinishedInputAreFound() {
    long g = get(log.claim(G));
    FunctionId idle = Rows.function("idle");
    get(log.claim(idle));
    CallId c = call(F, "c");
    CallId d = call(G, "d");
    done(newCall(c, 1), newInput(c, 0, 1));
    get(
        log.write(
            G,
            g,
            List.of(
                newCall(d, 1), newInput(d, 0, 1), new LogWrite.Leased(InputId.of(d, 0), mark(1)))));

    assertThat(get(log.unfinishedFunctions())).containsExactlyInAnyOrder(F, G);

    done(new LogWrite.Finished(output(c, 0, 1)));
    assertThat(get(log.outputsOf(c, 0, 0))).as("a reader waits for the tables").hasSize(1);
    assertThat(get(log.unfinishedFunctions())).containsExactly(G);
  }

  @Test
  void aClearedResultIsGivenAgainUntilItIsSwept() {
    CallId c = call(F, "c");
    done(newCall(c, 2), newInput(c, 0, 1), newInput(c, 1, 2));
    done(new LogWrite.Finished(output(c, 0, 1)), new LogWrite.Finished(output(c, 1, 2)));
    done(new LogWrite.Cleared(List.of(InputId.of(c, 0)), T0));

    get(log.sweep(T0, LONG_AGO));
    assertThat(after(c, OutputNumber.START, 9)).as("not older than the limit").contains(0);

    get(log.sweep(T0.plusSeconds(1), LONG_AGO));
    assertThat(after(c, OutputNumber.START, 9)).containsExactly(1);
    assertThat(get(log.call(c)).orElseThrow())
        .as("what was swept still counts")
        .isEqualTo(new CallSummary(newCall(c, 2).row(), 2, 2));

    done(new LogWrite.Cleared(List.of(InputId.of(c, 1)), T0));
    get(log.sweep(T0.plusSeconds(1), LONG_AGO));
    assertThat(get(log.call(c))).as("nothing of it is left to ask for").isEmpty();
  }

  @Test
  void aResultThatWasTakenBeforeItWasWrittenIsSweptToo() {
    CallId c = call(F, "c");
    OutputRow row = output(c, 0, 1);
    done(newCall(c, 1), newInput(c, 0, 1));
    done(
        new LogWrite.Finished(
            new OutputRow(
                row.input(), row.number(), 1, row.result(), "", 4, row.task(), T0, T0, T0)));

    assertThat(get(log.outputsOf(c, 0, 0)).getFirst().clearedAt()).isEqualTo(T0);
    get(log.sweep(T0.plusSeconds(1), LONG_AGO));
    assertThat(get(log.call(c))).isEmpty();
  }

  @Test
  void finishedCallsAreSweptByAgeAndUnfinishedOnesStay() {
    Instant limit = T0.plus(Duration.ofDays(7));
    CallId old = call(F, "old");
    CallId late = call(F, "finished late");
    CallId pending = call(F, "pending");
    CallId abandoned = call(F, "never closed, nothing pending");
    Payload result = Payload.of(new byte[1], null);
    done(newCall(old, 1), newInput(old, 0, 1), newCall(late, 1), newInput(late, 0, 2));
    done(newCall(pending, 1), newInput(pending, 0, 3), newCall(abandoned, -1));
    done(new LogWrite.Finished(output(old, 0, 1, result, limit.minusMillis(1))));
    done(new LogWrite.Finished(output(late, 0, 1, result, limit)));

    get(log.sweep(LONG_AGO, limit));

    assertThat(load().calls().stream().map(summary -> summary.row().call()))
        .containsExactlyInAnyOrder(late, pending);
    assertThat(get(log.outputsOf(old, 0, 0))).isEmpty();
  }

  @Test
  void aSweepFinishesBigCallsAndManyOfThem() {
    CallId big = call(F, "big");
    List<LogWrite> changes = new ArrayList<>(List.of(newCall(big, 700)));
    for (int i = 0; i < 700; i++) {
      changes.add(newInput(big, i, i + 1));
      changes.add(new LogWrite.Finished(output(big, i, i + 1)));
    }
    for (int i = 0; i < 300; i++) {
      CallId small = call(F, "small " + i);
      changes.add(newCall(small, 1));
      changes.add(newInput(small, 0, 1000 + i));
      changes.add(new LogWrite.Finished(output(small, 0, 1)));
    }
    done(changes.toArray(LogWrite[]::new));

    get(log.sweep(LONG_AGO, T0.plusSeconds(1)));

    assertThat(load()).isEqualTo(new Loaded(List.of(), List.of(), List.of(), 0));
  }

  @Test
  void blobsBelongToTheirRowsAndAreGivenUpWithThem() {
    CallId c = call(F, "c");
    Payload in = new Payload(null, blob("in"), blob("in, attached"));
    Payload out = new Payload("r".getBytes(UTF_8), null, blob("out, attached"));
    done(newCall(c, 1), new LogWrite.NewInput(waiting(c, 0, 1, in)));

    var all = List.of(blob("in"), blob("in, attached"), blob("out, attached"), blob("orphan"));
    assertThat(get(log.owned(all))).containsExactlyInAnyOrder(blob("in"), blob("in, attached"));
    assertThat(get(log.sweep(LONG_AGO, LONG_AGO))).isEmpty();

    done(new LogWrite.Finished(output(c, 0, 1, out, T0)));
    assertThat(get(log.sweep(LONG_AGO, LONG_AGO)))
        .as("the payload of an input that ended")
        .containsExactlyInAnyOrder(blob("in"), blob("in, attached"));
    assertThat(get(log.owned(all))).containsExactly(blob("out, attached"));

    done(new LogWrite.Cleared(List.of(InputId.of(c, 0)), T0));
    assertThat(get(log.sweep(T0.plusSeconds(1), LONG_AGO))).containsExactly(blob("out, attached"));
    assertThat(get(log.owned(all))).isEmpty();
  }

  @Test
  void aBlobOfTwoRowsIsKeptUntilBothAreGone() {
    CallId c = call(F, "c");
    CallId d = call(F, "d");
    Payload shared = new Payload(new byte[0], null, blob("shared"));
    done(newCall(c, 1), new LogWrite.NewInput(waiting(c, 0, 1, shared)));
    done(newCall(d, 1), new LogWrite.NewInput(waiting(d, 0, 2, shared)));

    done(new LogWrite.Finished(output(c, 0, 1)));
    assertThat(get(log.sweep(LONG_AGO, LONG_AGO))).isEmpty();

    done(new LogWrite.Finished(output(d, 0, 1)));
    assertThat(get(log.sweep(LONG_AGO, LONG_AGO))).containsExactly(blob("shared"));
  }

  @Test
  void writesOfManyFunctionsShareGroups() {
    int functions = 150;
    List<FunctionId> all =
        IntStream.range(0, functions).mapToObj(i -> Rows.function("many " + i)).toList();
    var epochs = all.stream().map(log::claim).toList();
    epochs.forEach(Rows::get);
    var writes =
        all.stream()
            .map(
                f ->
                    log.write(
                        f, 1, List.of(newCall(call(f, "c"), 1), newInput(call(f, "c"), 0, 1))))
            .toList();

    assertThat(writes.stream().map(Rows::get)).containsOnly(new Written.Done());
    assertThat(get(log.unfinishedFunctions())).hasSize(functions);
  }
}
