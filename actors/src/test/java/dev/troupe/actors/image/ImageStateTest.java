package dev.troupe.actors.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.image.ImageEvent.BuildFailed;
import dev.troupe.actors.image.ImageEvent.ImageBuilt;
import dev.troupe.actors.image.ImageEvent.ImageDefined;
import dev.troupe.actors.image.ImageEvent.ImageDeleted;
import dev.troupe.actors.image.ImageEvent.ImageRenewed;
import dev.troupe.actors.image.ImageProtocol.Deletion;
import dev.troupe.actors.image.ImageProtocol.Ensured;
import dev.troupe.actors.image.ImageProtocol.ImageFacts;
import dev.troupe.actors.image.ImageProtocol.ImageReply;
import dev.troupe.actors.image.ImageProtocol.Layer;
import dev.troupe.actors.image.ImageProtocol.RenewedBy;
import dev.troupe.actors.image.ImageProtocol.Run;
import dev.troupe.cluster.Decision;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class ImageStateTest {

  private static final Instant T0 = Instant.parse("2026-11-01T12:00:00Z");
  private static final Layer LAYER =
      new Layer(new ImageId("im-1"), null, new byte[] {1}, "2025.06", null, false);
  private static final ImageFacts FACTS = new ImageFacts("3.13", "/root", "glibc", "2025.06");
  private static final Run RUN = new Run("im-1-1", T0, T0.plusSeconds(1));
  private static final ImageState UNDEFINED = new ImageState.Undefined();
  private static final ImageState UNBUILT = UNDEFINED.apply(new ImageDefined(LAYER, T0));
  private static final ImageState BUILT = UNBUILT.apply(new ImageBuilt(FACTS, RUN, T0));
  private static final ImageState FAILED = UNBUILT.apply(new BuildFailed("no pip", RUN, T0));

  @Test
  void isRecordedOnce() {
    assertThat(UNDEFINED.ensure(LAYER, T0).events()).containsExactly(new ImageDefined(LAYER, T0));
    assertThat(UNBUILT.ensure(LAYER, T0).events()).isEmpty();
  }

  @Test
  void isBuiltUnlessItIs() {
    Decision<ImageEvent, Ensured> build = Decision.reply(new ImageReply.Building());

    assertThat(UNBUILT.ensure(LAYER, T0)).isEqualTo(build);
    assertThat(FAILED.ensure(LAYER, T0)).isEqualTo(build);
    assertThat(BUILT.ensure(LAYER, T0)).isEqualTo(Decision.reply(new ImageReply.Built(FACTS)));
  }

  @Test
  void saysHowItStands() {
    assertThat(UNDEFINED.view(false)).isEqualTo(new ImageReply.Unknown());
    assertThat(UNBUILT.view(false)).isEqualTo(new ImageReply.Building());
    assertThat(BUILT.view(false)).isEqualTo(new ImageReply.Built(FACTS));
    assertThat(BUILT.view(true)).isEqualTo(new ImageReply.Building());
    assertThat(FAILED.view(false)).isEqualTo(new ImageReply.Failed("no pip"));
    assertThat(FAILED.view(true)).isEqualTo(new ImageReply.Building());
  }

  @Test
  void onlyWhatIsDefinedHasALayer() {
    assertThat(FAILED.defined()).isEqualTo(LAYER);
    assertThat(BUILT.defined()).isEqualTo(LAYER);
    assertThatThrownBy(UNDEFINED::defined).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void remembersItsLastBuild() {
    assertThat(UNBUILT.lastRun()).isNull();
    assertThat(BUILT.lastRun()).isEqualTo(RUN);
    assertThat(FAILED.lastRun()).isEqualTo(RUN);
  }

  @Test
  void isNotDeletedWhileItIsBuilt() {
    assertThat(UNDEFINED.delete(false, T0).reply()).isEqualTo(Deletion.UNKNOWN);
    assertThat(UNBUILT.delete(false, T0)).isEqualTo(Decision.reply(Deletion.BUILDING));
    assertThat(BUILT.delete(true, T0)).isEqualTo(Decision.reply(Deletion.BUILDING));
    assertThat(FAILED.delete(false, T0).events()).containsExactly(new ImageDeleted(T0));
  }

  @Test
  void whatIsDeletedIsUnknownAndKeepsItsLayerUntilItIsMadeKnownAgain() {
    ImageState deleted = BUILT.apply(new ImageDeleted(T0));

    assertThat(deleted.view(false)).isEqualTo(new ImageReply.Unknown());
    assertThat(deleted.defined()).isEqualTo(LAYER);
    assertThat(deleted.delete(false, T0)).isEqualTo(Decision.reply(Deletion.DELETED));
    assertThat(deleted.ensure(LAYER, T0).events()).containsExactly(new ImageDefined(LAYER, T0));
  }

  @Test
  void whatIsRenewedIsBuiltAndDeletedAsBefore() {
    ImageId by = new ImageId("im-2");
    ImageState renewed = UNBUILT.apply(new ImageRenewed(by, T0));

    assertThat(renewed.ensure(LAYER, T0)).isEqualTo(Decision.reply(new RenewedBy(by)));
    assertThat(renewed.view(false)).isEqualTo(new ImageReply.Building());
    ImageState built = renewed.apply(new ImageBuilt(FACTS, RUN, T0));
    assertThat(built).isEqualTo(new ImageState.Renewed(BUILT, by));
    assertThat(built.view(false)).isEqualTo(new ImageReply.Built(FACTS));
    assertThat(built.delete(false, T0).events()).containsExactly(new ImageDeleted(T0));
    assertThat(UNDEFINED.apply(new ImageRenewed(by, T0)).view(false))
        .isEqualTo(new ImageReply.Unknown());
  }
}
