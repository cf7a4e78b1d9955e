package dev.troupe.actors.function;

import static dev.troupe.actors.function.Samples.T0;
import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.calllog.CallRow.Invocation;
import dev.troupe.actors.calllog.LeaseToken;
import dev.troupe.actors.function.FunctionProtocol.Lease;
import dev.troupe.actors.function.FunctionProtocol.LeaseReply;
import dev.troupe.actors.function.FunctionProtocol.LeasedInput;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.InputId;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.junit.jupiter.api.Test;

/** Containers, and the questions they ask. */
class PollsTest {

  private static final FunctionId F = Samples.function("f");

  private final Polls polls = new Polls();
  private final TestInbox<LeaseReply> inbox = TestInbox.create();

  private static Container container(String name, Instant idleSince) {
    Container container =
        new Container(Samples.task(name), Samples.definition(F), T0.minusSeconds(999));
    container.reach(Container.Phase.SERVING, idleSince);
    return container;
  }

  private Lease lease(Container container, String key) {
    return new Lease(container.task(), key, 1, Duration.ofSeconds(5), inbox.getRef());
  }

  private static LeasedInput item(int index, String method) {
    return new LeasedInput(
        InputId.of(Samples.call(F, "c"), index),
        new LeaseToken(1, index),
        Invocation.SYNC,
        method,
        Samples.payload("x"),
        0);
  }

  @Test
  void theOneThatWasBusyLastComesFirst() {
    Container cold = container("cold", T0.minusSeconds(60));
    Container warm = container("warm", T0);
    Container busy = container("busy", T0.minusSeconds(99));
    busy.hold(item(0, "").input());
    List.of(cold, warm).forEach(it -> polls.hold(it, lease(it, "k"), T0));
    assertThat(Objects.requireNonNull(polls.first()).container()).isSameAs(warm);

    polls.hold(busy, lease(busy, "k"), T0);

    assertThat(Objects.requireNonNull(polls.first()).container()).isSameAs(busy);
    polls.drop(busy.task());
    polls.drop(warm.task());
    assertThat(Objects.requireNonNull(polls.first()).container()).isSameAs(cold);
    polls.drop(cold.task());
    assertThat(polls.first()).isNull();
  }

  @Test
  void aNewQuestionAnswersTheOneBefore() {
    Container it = container("it", T0);
    polls.hold(it, lease(it, "first"), T0);
    polls.hold(it, lease(it, "second"), T0);

    inbox.expectMessage(new LeaseReply.Nothing());
    assertThat(inbox.hasMessages()).isFalse();
    assertThat(Objects.requireNonNull(polls.of(it.task())).lease().pollKey()).isEqualTo("second");
  }

  @Test
  void aQuestionIsAnsweredOnceItsPatienceIsOver() {
    Container it = container("it", T0);
    polls.hold(it, lease(it, "k"), T0);
    polls.tick(T0.plusMillis(4_999));
    assertThat(inbox.hasMessages()).isFalse();

    polls.tick(T0.plusSeconds(5));

    inbox.expectMessage(new LeaseReply.Nothing());
    assertThat(polls.answer(it.task(), new LeaseReply.Nothing())).isFalse();
    assertThat(polls.first()).isNull();
  }

  @Test
  void aRepeatGetsTheSameAsFarAsItIsStillHeld() {
    Container it = container("it", T0);
    it.hold(item(0, "").input());
    it.hold(item(1, "").input());
    it.answered("k", List.of(item(0, ""), item(1, "")));
    assertThat(it.answerTo("k")).hasSize(2);
    assertThat(it.answerTo("other")).isNull();

    it.release(item(0, "").input(), T0);

    assertThat(it.answerTo("k")).hasSize(1);
    assertThat(it.answerTo("")).isNull();
  }

  @Test
  void whatABrokenAnswerHeldGoesToTheNextQuestionOnce() {
    Container it = container("it", T0);
    List<LeasedInput> items = List.of(item(0, "a"), item(1, "a"), item(2, "b"));
    items.forEach(item -> it.hold(item.input()));
    it.answered("k", items);
    it.broke("another");
    assertThat(it.takeUndelivered(9)).isEmpty();

    it.broke("k");
    it.broke("k");

    assertThat(it.takeUndelivered(1)).containsExactly(items.get(0));
    assertThat(it.takeUndelivered(9)).containsExactly(items.get(1));
    assertThat(it.takeUndelivered(9)).containsExactly(items.get(2));
    assertThat(it.takeUndelivered(9)).isEmpty();
  }

  @Test
  void phasesOnlyGoForward() {
    Container it = new Container(Samples.task("it"), Samples.definition(F), T0);

    assertThat(it.reach(Container.Phase.PLACED, T0)).isTrue();
    assertThat(it.reach(Container.Phase.WAITING, T0)).isFalse();
    assertThat(it.reach(Container.Phase.SERVING, T0.plusSeconds(9))).isTrue();
    assertThat(it.startedAt()).isEqualTo(T0.plusSeconds(9));
    assertThat(it.idleSince()).isEqualTo(T0.plusSeconds(9));
    assertThat(it.reach(Container.Phase.LEAVING, T0)).isTrue();
    assertThat(it.reach(Container.Phase.SERVING, T0)).isFalse();
  }
}
