package dev.troupe.persistence.calllog;

import static dev.troupe.persistence.calllog.Rows.F;
import static dev.troupe.persistence.calllog.Rows.G;
import static dev.troupe.persistence.calllog.Rows.T0;
import static dev.troupe.persistence.calllog.Rows.call;
import static dev.troupe.persistence.calllog.Rows.mark;
import static dev.troupe.persistence.calllog.Rows.newCall;
import static dev.troupe.persistence.calllog.Rows.newInput;
import static dev.troupe.persistence.calllog.Rows.output;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.InputId;
import dev.troupe.persistence.calllog.MergedChanges.InputChange;
import dev.troupe.persistence.calllog.MergedChanges.Touched;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class MergedChangesTest {

  private final CallId call = call(F, "c");
  private final InputId input = InputId.of(call, 0);
  private final MergedChanges merged = new MergedChanges(1, F);
  private final List<Touched> touched = new ArrayList<>();

  private void add(LogWrite... changes) {
    touched.add(merged.add(List.of(changes)));
  }

  private InputChange only() {
    List<InputChange> all = touched.stream().flatMap(part -> part.inputs.stream()).toList();
    assertThat(all).hasSize(1);
    return all.getFirst();
  }

  @Test
  void anInputLeasedInTheGroupItCameWithIsWrittenOnce() {
    add(newInput(call, 0, 1));
    add(new LogWrite.Leased(input, mark(1)));

    assertThat(only().insert).isNotNull();
    assertThat(only().lease).isEqualTo(mark(1));
  }

  @Test
  void theLastLeaseAndTheLastCountsStand() {
    add(new LogWrite.Leased(input, mark(1)), new LogWrite.Spent(input, 1, 0));
    assertThat(only().lease).as("a spent run frees").isNull();

    add(new LogWrite.Leased(input, mark(2)), new LogWrite.Spent(input, 1, 1));
    add(new LogWrite.Leased(input, mark(3)));

    assertThat(only().lease).isEqualTo(mark(3));
    assertThat(only().spent).isEqualTo(new LogWrite.Spent(input, 1, 1));
  }

  @Test
  void theFirstOutputEndsAllElse() {
    add(new LogWrite.Leased(input, mark(1)), new LogWrite.Finished(output(call, 0, 1)));
    add(new LogWrite.Finished(output(call, 0, 2)), new LogWrite.Leased(input, mark(2)));
    add(new LogWrite.Spent(input, 5, 5));

    assertThat(only().output).extracting(row -> row.number().number()).isEqualTo(1L);
    assertThat(only().lease).isNull();
    assertThat(only().spent).isNull();
  }

  @Test
  void aClearFollowsTheOutput() {
    add(new LogWrite.Finished(output(call, 0, 1)), new LogWrite.Cleared(List.of(input), T0));

    assertThat(only().output).isNotNull();
    assertThat(only().clearedAt).isEqualTo(T0);
  }

  @Test
  void ofAnInputThatNeverEndedNothingIsCleared() {
    add(newInput(call, 0, 1), new LogWrite.Cleared(List.of(input), T0));

    assertThat(only().clearedAt).isNull();
  }

  @Test
  void aLaterRowMergesIntoWhatWasNamedFirst() {
    add(newInput(call, 0, 1));
    add(new LogWrite.Finished(output(call, 0, 1)));

    assertThat(touched.get(0).inputs).hasSize(1);
    assertThat(touched.get(1).inputs).isEmpty();
    assertThat(only().output).isNotNull();
  }

  @Test
  void whatWasWrittenIsForgotten() {
    add(newCall(call, -1), newInput(call, 0, 1));
    assertThat(merged.bringsCall(call)).isTrue();
    assertThat(merged.bringsInput(input)).isTrue();

    merged.forget(touched.getFirst());
    assertThat(merged.bringsCall(call)).isFalse();
    assertThat(merged.bringsInput(input)).isFalse();

    add(new LogWrite.Finished(output(call, 0, 1)));
    assertThat(touched.getLast().inputs.getFirst().insert).isNull();
    assertThat(merged.bringsInput(input)).as("it changes, and is not new").isFalse();
  }

  @Test
  void aNewInputDoesNotMergeIntoWhatWasSaidOfOneThatNeverCame() {
    add(new LogWrite.Leased(input, mark(1)));
    add(newInput(call, 0, 7));
    merged.forget(touched.getFirst());

    assertThat(merged.bringsInput(input)).isTrue();
    assertThat(touched.getLast().inputs.getFirst().lease).isNull();
  }

  @Test
  void totalAndCancelGoWithTheirNewCall() {
    add(newCall(call, -1), new LogWrite.Total(call, 3), new LogWrite.Cancelled(call));

    assertThat(touched.getFirst().calls).hasSize(1);
    assertThat(touched.getFirst().calls.getFirst().total).isEqualTo(3);
    assertThat(touched.getFirst().calls.getFirst().cancelled).isTrue();
  }

  @Test
  void idsOfAnotherFunctionAreRefused() {
    assertThatThrownBy(() -> add(newInput(call(G, "c"), 0, 1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("does not belong to function " + F);
  }
}
