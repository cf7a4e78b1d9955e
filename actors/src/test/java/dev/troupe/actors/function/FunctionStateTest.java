package dev.troupe.actors.function;

import static dev.troupe.actors.function.Samples.T0;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.actors.app.AppProtocol;
import dev.troupe.actors.function.FunctionEvent.DefinitionRecorded;
import dev.troupe.actors.function.FunctionEvent.FunctionStopped;
import dev.troupe.actors.function.FunctionEvent.VersionPublished;
import dev.troupe.actors.function.FunctionProtocol.Defined;
import dev.troupe.actors.function.FunctionProtocol.Description;
import dev.troupe.actors.function.FunctionProtocol.Publish;
import dev.troupe.actors.function.FunctionProtocol.Published;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.cluster.Decision;
import java.util.Objects;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.Test;

class FunctionStateTest {

  @SuppressWarnings("NullAway") // a state answers nobody
  private static final ActorRef<Published> ANYONE = null;

  private static final FunctionId F = Samples.function("f");
  private static final FunctionDefinition ONE = new Samples.Definition(F).version("1").make();
  private static final FunctionDefinition TWO = new Samples.Definition(F).version("2").make();
  private static final FunctionState DEFINED =
      FunctionState.EMPTY.apply(new DefinitionRecorded(ONE, T0));
  private static final FunctionState LIVE =
      DEFINED.apply(new VersionPublished(1, ONE.definitionId(), false, T0));
  private static final FunctionState STOPPED = LIVE.apply(new FunctionStopped("over", T0));

  @Test
  void aDefinitionIsRecordedOnceAndARepeatIsAnsweredAlike() {
    Defined defined = new Defined(ONE.definitionId());

    assertThat(FunctionState.EMPTY.define(ONE, T0))
        .isEqualTo(Decision.record(new DefinitionRecorded(ONE, T0), defined));
    assertThat(DEFINED.define(ONE, T0)).isEqualTo(Decision.reply(defined));
    assertThat(DEFINED.define(TWO, T0).events()).hasSize(1);
  }

  @Test
  void aDefinitionIsInForceOnceItIsPublished() {
    FunctionState redefined = LIVE.apply(new DefinitionRecorded(TWO, T0));
    assertThat(redefined.published()).isEqualTo(ONE);

    Decision<FunctionEvent, Published> decision = redefined.publish(publication(2), T0);

    assertThat(decision.events())
        .containsExactly(new VersionPublished(2, TWO.definitionId(), false, T0));
    assertThat(redefined.apply(decision.events().getFirst()).published()).isEqualTo(TWO);
  }

  @Test
  void aRepeatedPublicationIsNoEvent() {
    assertThat(LIVE.publish(publication(1), T0)).isEqualTo(Decision.reply(new Published(F)));
    assertThat(LIVE.publish(publication(2), T0).events()).hasSize(1);
  }

  @Test
  void nothingIsPublishedBeforeItIsDefined() {
    assertThatThrownBy(() -> FunctionState.EMPTY.publish(publication(1), T0))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aStopIsRecordedOnceAndTheNextPublicationEndsIt() {
    assertThat(LIVE.stop("over", T0).events()).containsExactly(new FunctionStopped("over", T0));
    assertThat(STOPPED.stop("over again", T0).events()).isEmpty();
    assertThat(STOPPED.publish(publication(1), T0).events()).hasSize(1);
    assertThat(STOPPED.apply(new VersionPublished(1, ONE.definitionId(), false, T0)))
        .isEqualTo(LIVE);
  }

  @Test
  void itSaysWhyItCannotBeCalled() {
    assertThat(FunctionState.EMPTY.refusal()).isEqualTo("There is no such function.");
    assertThat(DEFINED.refusal()).isEqualTo("Function 'f' of app 'my-app' is not published yet.");
    assertThat(LIVE.refusal()).isNull();
    assertThat(STOPPED.refusal()).isEqualTo("Function 'f' of app 'my-app' can't be called: over");
  }

  @Test
  void itDescribesItself() {
    assertThat(FunctionState.EMPTY.describe()).isEqualTo(new Description.Unknown());
    assertThat(DEFINED.describe()).isEqualTo(new Description.Known(ONE, null, false));
    assertThat(STOPPED.describe()).isEqualTo(new Description.Known(ONE, ONE, true));
  }

  @Test
  void theDefinitionOfAnEarlierVersionComesBackIntoForce() {
    FunctionState second =
        LIVE.apply(new DefinitionRecorded(TWO, T0))
            .apply(new VersionPublished(2, TWO.definitionId(), false, T0));

    Decision<FunctionEvent, Published> back = second.publish(new Publish(3, 1, false, ANYONE), T0);
    FunctionState third = second.apply(back.events().getFirst());

    assertThat(back.events())
        .containsExactly(new VersionPublished(3, ONE.definitionId(), false, T0));
    assertThat(third.published()).isEqualTo(ONE);
    assertThat(third.latest()).isEqualTo(TWO);
    assertThat(third.publish(new Publish(3, 1, false, ANYONE), T0).events()).isEmpty();
    assertThat(third.apply(new VersionPublished(4, TWO.definitionId(), false, T0)).published())
        .isEqualTo(TWO);
  }

  @Test
  void aFreshPublicationIsTheSameDefinitionUnderAnotherId() {
    Publish over = new Publish(2, 1, true, ANYONE);
    FunctionState fresh = LIVE.apply(LIVE.publish(over, T0).events().getFirst());
    FunctionDefinition published = Objects.requireNonNull(fresh.published());

    assertThat(published.definitionId()).isNotEqualTo(ONE.definitionId());
    assertThat(published.definitionSha256()).isEqualTo(ONE.definitionSha256());
    assertThat(fresh.publish(over, T0).events()).isEmpty();
    assertThat(fresh.define(ONE, T0).events()).isEmpty();

    FunctionState again =
        fresh.apply(fresh.publish(new Publish(3, 2, true, ANYONE), T0).events().getFirst());
    assertThat(Objects.requireNonNull(again.published()).definitionId())
        .isEqualTo(ONE.definitionId() + "#3");
  }

  @Test
  void definitionsOfLongAgoAreForgotten() {
    FunctionState state = LIVE;
    for (int version = 2; version <= 2 * AppProtocol.VERSIONS_KEPT; version++) {
      state = state.apply(new VersionPublished(version, ONE.definitionId(), false, T0));
    }

    assertThat(state.earlier()).hasSize(AppProtocol.VERSIONS_KEPT);
  }

  private static Publish publication(int version) {
    return new Publish(version, 0, false, ANYONE);
  }
}
