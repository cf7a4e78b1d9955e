package dev.troupe.actors.function;

import static dev.troupe.actors.function.Samples.T0;
import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.calllog.CallRow.Invocation;
import dev.troupe.actors.calllog.OutputNumber;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.InputId;
import java.util.List;
import org.junit.jupiter.api.Test;

class CallTest {

  private static final CallId ID = Samples.call(Samples.function("f"), "c");

  private static OutputRow output(int index, long number) {
    return new OutputRow(
        InputId.of(ID, index),
        new OutputNumber(7, number),
        Status.SUCCESS,
        Samples.payload("output " + index),
        "",
        1,
        "",
        null,
        T0,
        null);
  }

  private static Call call(Invocation invocation, int inputs) {
    Call call = Call.fresh(Samples.map(ID, invocation));
    for (int i = 0; i < inputs; i++) {
      assertThat(call.learn(i)).isTrue();
    }
    return call;
  }

  private static List<Integer> indexes(List<Call.Output> outputs) {
    return outputs.stream().map(output -> output.row().input().index()).toList();
  }

  @Test
  void anIndexComesOnce() {
    Call call = call(Invocation.SYNC, 2);

    assertThat(call.learn(1)).isFalse();
    assertThat(call.known()).isEqualTo(2);
    call.unlearn(1);
    assertThat(call.learn(1)).isTrue();
  }

  @Test
  void anOpenCallIsNeverComplete() {
    Call call = call(Invocation.SYNC, 1);
    call.finish(output(0, 1), true);
    assertThat(call.unfinished()).isZero();
    assertThat(call.complete()).isFalse();

    call.total(2);
    assertThat(call.unfinished()).isOne();
    call.total(1);
    assertThat(call.complete()).isTrue();
  }

  @Test
  void aTotalThatIsTooSmallWaitsForWhatCame() {
    Call call = call(Invocation.SYNC, 3);
    call.total(1);
    call.finish(output(0, 1), true);

    assertThat(call.complete()).isFalse();
    assertThat(call.unfinished()).isEqualTo(2);
  }

  @Test
  void aCancelledCallWaitsForWhatCameAlone() {
    Call call = call(Invocation.SYNC, 1);
    call.total(5);
    call.cancel();
    assertThat(call.complete()).isFalse();

    call.finish(output(0, 1), true);

    assertThat(call.complete()).isTrue();
    assertThat(call.unfinished()).isZero();
  }

  @Test
  void aSingleReaderMayHaveWhatIsNotDurableAndManyReadersMayNot() {
    for (Invocation invocation : Invocation.values()) {
      Call call = call(invocation, 1);
      Call.Output output = call.finish(output(0, 1), true);

      boolean early = invocation != Invocation.ASYNC;
      assertThat(call.readableOf(0, 0, 9)).hasSize(early ? 1 : 0);
      assertThat(call.readableAfter(OutputNumber.START, 9)).hasSize(early ? 1 : 0);
      assertThat(call.outstanding()).isEqualTo(early ? 0 : 1);
      call.committed(output);
      assertThat(call.readableOf(0, 0, 9)).hasSize(1);
      assertThat(call.outstanding()).isZero();
    }
  }

  @Test
  void nobodyHasAnOutputWhoseInputMayBeRefused() {
    Call call = call(Invocation.SYNC, 1);
    Call.Output output = call.finish(output(0, 1), false);
    assertThat(call.readableOf(0, 0, 9)).isEmpty();

    call.takeBack(output);
    call.unlearn(0);

    assertThat(call.known()).isZero();
    assertThat(call.finishedCount()).isZero();
    call.committed(output);
    assertThat(call.readableOf(0, 0, 9)).isEmpty();
    assertThat(call.unfinished()).isZero();
  }

  @Test
  void aCursorNeverPassesAnOutputThatMayNotBeReadYet() {
    Call call = call(Invocation.ASYNC, 3);
    Call.Output first = call.finish(output(2, 1), true);
    Call.Output second = call.finish(output(0, 2), true);
    call.committed(second);
    assertThat(call.readableAfter(OutputNumber.START, 9)).isEmpty();

    call.committed(first);

    assertThat(indexes(call.readableAfter(OutputNumber.START, 9))).containsExactly(2, 0);
    assertThat(indexes(call.readableAfter(new OutputNumber(7, 1), 9))).containsExactly(0);
    assertThat(indexes(call.readableAfter(OutputNumber.START, 1))).containsExactly(2);
  }

  @Test
  void durableOutputsAreLeftToTheLogUpToTheFirstThatIsNot() {
    Call call = call(Invocation.SYNC, 3);
    call.committed(call.finish(output(0, 1), true));
    call.finish(output(1, 2), true);
    call.committed(call.finish(output(2, 3), true));
    long atHand = call.bytesAtHand();

    long freed = call.forgetDurable();

    assertThat(freed).isPositive();
    assertThat(call.bytesAtHand()).isEqualTo(atHand - freed);
    assertThat(call.forgottenUpTo()).isEqualTo(new OutputNumber(7, 1));
    assertThat(indexes(call.readableAfter(call.forgottenUpTo(), 9))).containsExactly(1, 2);
    assertThat(call.finishedCount()).isEqualTo(3);
  }

  @Test
  void aLoadedCallLeavesTheOutputsOfEarlierOwnersToTheLog() {
    Call call = Call.loaded(Samples.map(ID, Invocation.ASYNC), 5, 2, 7);

    assertThat(call.unfinished()).isEqualTo(3);
    assertThat(call.forgottenUpTo()).isEqualTo(new OutputNumber(7, 0));
    assertThat(call.wasLoaded()).isTrue();
  }

  @Test
  void aCallIsSettledOnceAllOfItIsInTheLog() {
    Call call = call(Invocation.SYNC, 1);
    call.total(1);
    Call.Output output = call.finish(output(0, 1), true);
    assertThat(call.settled()).isFalse();
    call.committed(output);
    assertThat(call.settled()).isFalse();

    call.committed();

    assertThat(call.settled()).isTrue();
  }

  @Test
  void indexesMayLieAnywhere() {
    IndexSet set = new IndexSet();
    for (int index : new int[] {0, 63, 64, 511, 512, 1 << 20, Integer.MAX_VALUE}) {
      assertThat(set.add(index)).as("%d", index).isTrue();
      assertThat(set.add(index)).as("%d", index).isFalse();
      set.remove(index);
      assertThat(set.add(index)).as("%d", index).isTrue();
    }
    set.remove(77_777);
  }
}
