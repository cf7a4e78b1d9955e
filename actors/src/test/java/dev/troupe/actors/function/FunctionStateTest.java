package dev.troupe.actors.function;

import static dev.troupe.actors.function.Samples.T0;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.actors.function.FunctionEvent.DefinitionRecorded;
import dev.troupe.actors.function.FunctionEvent.FunctionStopped;
import dev.troupe.actors.function.FunctionEvent.VersionPublished;
import dev.troupe.actors.function.FunctionProtocol.Defined;
import dev.troupe.actors.function.FunctionProtocol.Description;
import dev.troupe.actors.function.FunctionProtocol.Published;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.cluster.Decision;
import org.junit.jupiter.api.Test;

class FunctionStateTest {

  private static final FunctionId F = Samples.function("f");
  private static final FunctionDefinition ONE = new Samples.Definition(F).version("1").make();
  private static final FunctionDefinition TWO = new Samples.Definition(F).version("2").make();
  private static final FunctionState DEFINED =
      FunctionState.EMPTY.apply(new DefinitionRecorded(ONE, T0));
  private static final FunctionState LIVE =
      DEFINED.apply(new VersionPublished(1, ONE.definitionId(), T0));
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

    Decision<FunctionEvent, Published> decision = redefined.publish(2, T0);

    assertThat(decision.events()).containsExactly(new VersionPublished(2, TWO.definitionId(), T0));
    assertThat(redefined.apply(decision.events().getFirst()).published()).isEqualTo(TWO);
  }

  @Test
  void aRepeatedPublicationIsNoEvent() {
    assertThat(LIVE.publish(1, T0)).isEqualTo(Decision.reply(new Published(F)));
    assertThat(LIVE.publish(2, T0).events()).hasSize(1);
  }

  @Test
  void nothingIsPublishedBeforeItIsDefined() {
    assertThatThrownBy(() -> FunctionState.EMPTY.publish(1, T0))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aStopIsRecordedOnceAndTheNextPublicationEndsIt() {
    assertThat(LIVE.stop("over", T0).events()).containsExactly(new FunctionStopped("over", T0));
    assertThat(STOPPED.stop("over again", T0).events()).isEmpty();
    assertThat(STOPPED.publish(1, T0).events()).hasSize(1);
    assertThat(STOPPED.apply(new VersionPublished(1, ONE.definitionId(), T0))).isEqualTo(LIVE);
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
}
