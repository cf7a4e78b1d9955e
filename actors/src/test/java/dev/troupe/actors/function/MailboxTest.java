package dev.troupe.actors.function;

import static dev.troupe.actors.function.Samples.T0;
import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.blob.Payload;
import dev.troupe.actors.calllog.CallRow.Invocation;
import dev.troupe.actors.calllog.InputRow;
import dev.troupe.actors.calllog.LeaseMark;
import dev.troupe.actors.calllog.LeaseToken;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.function.FunctionProtocol.NewInput;
import dev.troupe.actors.function.Input.Standing;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.InputId;
import dev.troupe.actors.id.TaskId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class MailboxTest {

  private static final FunctionId F = Samples.function("f");
  private static final CallId C = Samples.call(F, "c");
  private static final TaskId TASK = Samples.task("t");

  private final Mailbox mailbox = new Mailbox(3, 100, 8);

  private Call open() {
    return mailbox.open(Samples.map(C, Invocation.ASYNC));
  }

  private List<Input> add(Call call, int first, int last) {
    return IntStream.rangeClosed(first, last)
        .mapToObj(index -> mailbox.add(call, Samples.input(index), T0))
        .map(Objects::requireNonNull)
        .toList();
  }

  private List<Integer> leaseAll() {
    List<Integer> order = new ArrayList<>();
    while (mailbox.hasReady()) {
      mailbox.lease(TASK, 1, T0).forEach(input -> order.add(input.id().index()));
    }
    return order;
  }

  private OutputRow output(Input input) {
    return new OutputRow(
        input.id(),
        mailbox.nextOutput(),
        Status.SUCCESS,
        Samples.payload("result"),
        "",
        1,
        "",
        null,
        T0,
        null);
  }

  private static InputRow row(int index, long position) {
    return new InputRow(InputId.of(C, index), position, "", Samples.payload("x"), 0, 0, null, T0);
  }

  private static InputRow marked(int index, long position) {
    LeaseMark mark = new LeaseMark(new LeaseToken(2, position), TASK, T0);
    return new InputRow(InputId.of(C, index), position, "", Samples.payload("x"), 1, 1, mark, T0);
  }

  @Test
  void inputsGoOutInTheOrderTheyCame() {
    add(open(), 0, 4);

    assertThat(leaseAll()).containsExactly(0, 1, 2, 3, 4);
    assertThat(mailbox.running()).isEqualTo(5);
    assertThat(mailbox.waiting()).isZero();
  }

  @Test
  void anInputThatRunsAgainKeepsItsPlace() {
    add(open(), 0, 3);
    Input first = mailbox.lease(TASK, 1, T0).getFirst();

    mailbox.spend(first, 1, 0);
    assertThat(mailbox.running()).isZero();
    mailbox.again(first, T0, T0);

    assertThat(leaseAll()).containsExactly(0, 1, 2, 3);
    assertThat(first.runs()).isOne();
  }

  @Test
  void aSpentInputWaitsForItsCommitAndThenForItsTime() {
    add(open(), 0, 0);
    Input input = mailbox.lease(TASK, 1, T0).getFirst();
    mailbox.spend(input, 1, 0);
    assertThat(mailbox.hasReady()).isFalse();

    mailbox.again(input, T0.plusSeconds(2), T0);
    mailbox.wake(T0.plusMillis(1_999));
    assertThat(mailbox.hasReady()).isFalse();
    mailbox.wake(T0.plusSeconds(2));

    assertThat(leaseAll()).containsExactly(0);
  }

  @Test
  void aSpentInputThatEndedMeanwhileDoesNotRunAgain() {
    add(open(), 0, 0);
    Input input = mailbox.lease(TASK, 1, T0).getFirst();
    mailbox.spend(input, 1, 0);
    mailbox.finish(input, output(input));

    mailbox.again(input, T0, T0);

    assertThat(mailbox.hasReady()).isFalse();
    assertThat(mailbox.unfinished()).isZero();
  }

  @Test
  void aBatchIsOfOneMethodAndNotTooBig() {
    Call call = open();
    String[] methods = {"a", "b", "a", "a", "b"};
    for (int i = 0; i < methods.length; i++) {
      mailbox.add(call, new NewInput(i, methods[i], Samples.payload("x")), T0);
    }

    assertThat(mailbox.lease(TASK, 2, T0)).extracting(at -> at.id().index()).containsExactly(0, 2);
    assertThat(mailbox.lease(TASK, 9, T0)).extracting(at -> at.id().index()).containsExactly(1, 4);
    assertThat(mailbox.lease(TASK, 9, T0)).extracting(at -> at.id().index()).containsExactly(3);
  }

  @Test
  void aBatchFitsAMessage() {
    Call call = open();
    for (int i = 0; i < 8; i++) {
      mailbox.add(call, new NewInput(i, "", Payload.of(new byte[100_000], null)), T0);
    }

    assertThat(mailbox.lease(TASK, 9, T0)).hasSize(3);
  }

  @Test
  void tokensAreNeverGivenTwice() {
    add(open(), 0, 1);
    Input one = mailbox.lease(TASK, 1, T0).getFirst();
    LeaseToken first = Objects.requireNonNull(one.lease()).token();
    mailbox.spend(one, 0, 1);
    mailbox.again(one, T0, T0);

    LeaseToken second =
        Objects.requireNonNull(mailbox.lease(TASK, 1, T0).getFirst().lease()).token();

    assertThat(first.epoch()).isEqualTo(3);
    assertThat(second.number()).isGreaterThan(first.number());
  }

  @Test
  void aRepeatedIndexIsPassedOver() {
    Call call = open();
    add(call, 0, 0);

    assertThat(mailbox.add(call, Samples.input(0), T0)).isNull();
    assertThat(mailbox.unfinished()).isOne();
  }

  @Test
  void anInputOfALoadedCallRunsOnceItIsKnownToBeNew() {
    Call call = mailbox.adopt(Samples.map(C, Invocation.ASYNC), 2, 1);
    mailbox.adopt(row(0, 5));
    assertThat(mailbox.add(call, Samples.input(0), T0)).as("at hand").isNull();
    Input finishedBefore = Objects.requireNonNull(mailbox.add(call, Samples.input(1), T0));
    Input fresh = Objects.requireNonNull(mailbox.add(call, Samples.input(2), T0));
    assertThat(leaseAll()).containsExactly(0);

    mailbox.withdraw(finishedBefore);
    mailbox.committed(fresh);

    assertThat(leaseAll()).containsExactly(2);
    assertThat(call.known()).isEqualTo(3);
  }

  @Test
  void aRefusedInputLeavesNothingBehindWhateverItHasComeTo() {
    Call call = open();
    List<Input> inputs = add(call, 0, 3);
    Input leased = mailbox.lease(TASK, 1, T0).getFirst();
    Input ended = mailbox.lease(TASK, 1, T0).getFirst();
    mailbox.finish(ended, output(ended));
    Input spent = mailbox.lease(TASK, 1, T0).getFirst();
    mailbox.spend(spent, 1, 0);

    inputs.forEach(mailbox::withdraw);

    assertThat(leased.standing()).isEqualTo(Standing.GONE);
    assertThat(mailbox.unfinished()).isZero();
    assertThat(mailbox.running()).isZero();
    assertThat(mailbox.hasReady()).isFalse();
    assertThat(call.known()).isZero();
    assertThat(call.finishedCount()).isZero();
    assertThat(mailbox.add(call, Samples.input(0), T0)).isNotNull();
  }

  // ---- the tail

  @Test
  void pastTheHeadInputsAreInTheLogAloneAndComeBackInOrder() {
    Call call = open();
    List<Input> all = add(call, 0, 19);
    assertThat(all).extracting(Input::standing).filteredOn(Standing.TAIL::equals).hasSize(12);
    assertThat(mailbox.wantsPage()).isFalse();
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < 7; i++) {
      mailbox.lease(TASK, 1, T0).forEach(input -> order.add(input.id().index()));
    }
    assertThat(mailbox.wantsPage()).isTrue();

    mailbox.page(all.subList(8, 16).stream().map(Input::row).toList());
    order.addAll(leaseAll());
    mailbox.page(all.subList(8, 20).stream().map(Input::row).toList());
    order.addAll(leaseAll());

    assertThat(order).isEqualTo(IntStream.range(0, 20).boxed().toList());
    assertThat(mailbox.tail()).isZero();
  }

  @Test
  void whatIsCommittedLateIsPagedLater() {
    Call call = open();
    List<Input> all = add(call, 0, 11);
    leaseAll();

    mailbox.page(List.of());
    assertThat(mailbox.wantsPage()).isTrue();
    mailbox.page(all.subList(8, 10).stream().map(Input::row).toList());
    assertThat(mailbox.tail()).isEqualTo(2);
    Input late = Objects.requireNonNull(mailbox.add(call, Samples.input(12), T0));
    assertThat(late.standing()).isEqualTo(Standing.TAIL);
    mailbox.page(List.of(all.get(10).row(), all.get(11).row(), late.row()));

    assertThat(leaseAll()).containsExactly(8, 9, 10, 11, 12);
    assertThat(mailbox.tail()).isZero();
  }

  @Test
  void aRefusedInputOfTheTailIsNotWaitedFor() {
    Call call = open();
    List<Input> all = add(call, 0, 11);

    all.subList(8, 12).forEach(mailbox::withdraw);

    assertThat(mailbox.tail()).isZero();
    assertThat(mailbox.wantsPage()).isFalse();
    assertThat(mailbox.unfinished()).isEqualTo(8);
  }

  @Test
  void anInputFoundLeasedBehindTheHeadIsNotPagedAgain() {
    Call call = mailbox.adopt(Samples.map(C, Invocation.ASYNC), 12, 0);
    for (int i = 0; i < 8; i++) {
      mailbox.adopt(row(i, i + 1));
    }
    Input ahead = Objects.requireNonNull(mailbox.adopt(marked(9, 10)));
    mailbox.tail(3, 8);
    assertThat(leaseAll()).hasSize(8);
    mailbox.spend(ahead, 2, 1);
    mailbox.again(ahead, T0, T0);
    assertThat(leaseAll()).containsExactly(9);
    mailbox.finish(ahead, output(ahead));

    // The page was read while the log had it waiting.
    mailbox.page(List.of(row(8, 9), row(9, 10), row(10, 11), row(11, 12)));

    assertThat(leaseAll()).containsExactly(8, 10, 11);
    assertThat(mailbox.tail()).isZero();
    assertThat(call.finishedCount()).isOne();
  }

  @Test
  void inputsOfACallThatIsNotThereAreLeftAlone() {
    assertThat(mailbox.adopt(row(0, 1))).isNull();
    assertThat(mailbox.unfinished()).isZero();
  }

  @Test
  void markedInputsCountAsRunningWithTheirRuns() {
    mailbox.adopt(Samples.map(C, Invocation.ASYNC), 1, 0);

    Input input = Objects.requireNonNull(mailbox.adopt(marked(0, 1)));

    assertThat(mailbox.running()).isOne();
    assertThat(input.runs()).isEqualTo(2);
    assertThat(input.durable()).isTrue();
  }

  // ---- waiting and calls

  @Test
  void itKnowsHowLongTheFirstHasWaited() {
    assertThat(mailbox.longestWait(T0)).isZero();
    Call call = open();
    add(call, 0, 0);
    mailbox.add(call, Samples.input(1), T0.plusSeconds(5));

    Instant later = T0.plusSeconds(9);
    assertThat(mailbox.longestWait(later)).isEqualTo(Duration.ofSeconds(9));
    mailbox.lease(TASK, 1, later);
    assertThat(mailbox.longestWait(later)).isEqualTo(Duration.ofSeconds(4));
  }

  @Test
  void settledCallsFallOutAndOthersNever() {
    Call open = open();
    for (int i = 0; i <= Mailbox.SETTLED_CALLS_KEPT; i++) {
      Call call = mailbox.open(Samples.unary(Samples.call(F, "call " + i), Invocation.ASYNC));
      call.committed();
      Input input = Objects.requireNonNull(mailbox.add(call, Samples.input(0), T0));
      Call.Output output = mailbox.finish(input, output(input));
      mailbox.settle(call);
      call.committed(output);
      mailbox.settle(call);
    }

    assertThat(mailbox.calls()).hasSize(Mailbox.SETTLED_CALLS_KEPT + 1).contains(open);
    assertThat(mailbox.call(Samples.call(F, "call 0"))).isNull();
    assertThat(mailbox.call(Samples.call(F, "call 1"))).isNotNull();
  }
}
