package dev.troupe.persistence.calllog;

import static dev.troupe.persistence.calllog.Rows.F;
import static dev.troupe.persistence.calllog.Rows.G;
import static dev.troupe.persistence.calllog.Rows.call;
import static dev.troupe.persistence.calllog.Rows.newCall;
import static dev.troupe.persistence.calllog.Rows.newInput;
import static dev.troupe.persistence.calllog.Rows.output;
import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.calllog.LogWrite;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.InputId;
import dev.troupe.persistence.calllog.Backlog.Entry;
import dev.troupe.persistence.calllog.GroupRows.Added;
import dev.troupe.persistence.calllog.LogSession.Owner;
import java.util.List;
import org.junit.jupiter.api.Test;

class BacklogTest {

  private static final CallId CALL = call(F, "c");
  private static final CallId OTHER = call(G, "c");

  private final Backlog backlog = new Backlog(new Backlog.Limits(100, 1000, 3));
  private long rows;

  private void add(FunctionId function, long at, long bytes, LogWrite... changes) {
    backlog.add(new Added(new Owner(1, 1), function, ++rows, List.of(changes), bytes), at);
  }

  private List<Long> slice(long now) {
    return numbers(backlog.slice(now));
  }

  private static List<Long> numbers(List<Entry> entries) {
    return entries.stream().map(entry -> entry.row).toList();
  }

  @Test
  void enoughRowsGoAfterTheDelayAndFewAfterTwice() {
    assertThat(backlog.due()).isEmpty();
    add(F, 10, 1, newCall(CALL, -1));
    add(G, 20, 1, newCall(OTHER, -1));
    assertThat(backlog.due()).hasValue(210);
    assertThat(slice(209)).as("two are few").isEmpty();
    assertThat(slice(210)).containsExactly(1L, 2L);

    add(F, 30, 1, newInput(CALL, 0, 1));
    assertThat(slice(129)).isEmpty();
    assertThat(slice(130)).containsExactly(1L, 2L, 3L);
  }

  @Test
  void aSliceIsBoundedAndARowStaysWhole() {
    add(F, 0, 1, newCall(CALL, -1), newInput(CALL, 0, 1));
    add(F, 0, 1, newInput(CALL, 1, 2), newInput(CALL, 2, 3));
    add(F, 0, 1, newInput(CALL, 3, 4));

    assertThat(slice(1000)).containsExactly(1L, 2L);
    backlog.settled(backlog.slice(1000));
    assertThat(slice(1000)).containsExactly(3L);
  }

  @Test
  void tooManyBytesAreDueAtOnceUntilFewEnoughAreLeft() {
    add(F, 0, 600, newInput(CALL, 0, 1));
    add(F, 0, 600, newInput(CALL, 1, 2));
    add(F, 0, 300, newInput(CALL, 2, 3));

    assertThat(backlog.due()).hasValue(0);
    assertThat(slice(1)).containsExactly(1L);
  }

  @Test
  void whatALaterRowSaysGoesWithTheFirst() {
    add(F, 0, 1, newInput(CALL, 0, 1));
    add(F, 90, 1, new LogWrite.Finished(output(CALL, 0, 1)));

    List<Entry> first = backlog.slice(201).subList(0, 1);

    assertThat(numbers(first)).containsExactly(1L);
    assertThat(first.getFirst().touched.inputs.getFirst().output).isNotNull();
    assertThat(backlog.of(F).getLast().touched.size()).isZero();
  }

  @Test
  void settledRowsAreForgotten() {
    add(F, 0, 1, newCall(CALL, -1), newInput(CALL, 0, 1));
    assertThat(backlog.bringsCall(F, CALL)).isTrue();
    assertThat(backlog.bringsInput(F, InputId.of(CALL, 0))).isTrue();

    backlog.settled(backlog.of(F));

    assertThat(backlog.has(F)).isFalse();
    assertThat(backlog.bringsCall(F, CALL)).isFalse();
    assertThat(backlog.bringsInput(F, InputId.of(CALL, 0))).isFalse();
    assertThat(backlog.due()).isEmpty();
  }

  @Test
  void aDroppedFunctionLeavesTheOthers() {
    add(F, 0, 1, newInput(CALL, 0, 1));
    add(G, 0, 1, newInput(OTHER, 0, 1));

    backlog.drop(F);

    assertThat(slice(1000)).containsExactly(2L);
    assertThat(backlog.has(F)).isFalse();
  }

  @Test
  void aRefusedFunctionStaysAndHoldsNobodyUp() {
    add(F, 0, 900, newInput(CALL, 0, 1));
    add(G, 5, 1, newInput(OTHER, 0, 1));

    backlog.refuse(F, new IllegalStateException("refused"));

    assertThat(backlog.due()).hasValue(205);
    assertThat(slice(1000)).containsExactly(2L);
    assertThat(backlog.refusal(F)).hasMessage("refused");
    assertThat(backlog.refusal(G)).isNull();
    assertThat(backlog.of(F)).hasSize(1);
  }
}
