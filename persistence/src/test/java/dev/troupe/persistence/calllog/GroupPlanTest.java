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
import dev.troupe.persistence.calllog.GroupPlan.InputChange;
import java.util.List;
import org.junit.jupiter.api.Test;

class GroupPlanTest {

  private final CallId call = call(F, "c");
  private final InputId input = InputId.of(call, 0);
  private final GroupPlan plan = new GroupPlan();

  private void add(LogWrite... changes) {
    plan.add(1, F, List.of(changes));
  }

  private InputChange only() {
    assertThat(plan.inputs()).hasSize(1);
    return plan.inputs().getFirst();
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
  void aRepeatedInputStaysTwoSoThatTheDatabaseRefusesIt() {
    add(newInput(call, 0, 1));
    add(newInput(call, 0, 2));

    assertThat(plan.inputs()).hasSize(2);
  }

  @Test
  void totalAndCancelGoWithTheirNewCall() {
    add(newCall(call, -1), new LogWrite.Total(call, 3), new LogWrite.Cancelled(call));

    assertThat(plan.calls()).hasSize(1);
    assertThat(plan.calls().getFirst().total).isEqualTo(3);
    assertThat(plan.calls().getFirst().cancelled).isTrue();
  }

  @Test
  void idsOfAnotherFunctionAreRefused() {
    assertThatThrownBy(() -> add(newInput(call(G, "c"), 0, 1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("does not belong to function " + F);
  }
}
