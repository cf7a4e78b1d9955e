package dev.troupe.actors.imagename;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.imagename.ImageNameEvent.ImagePublished;
import dev.troupe.actors.imagename.ImageNameProtocol.Current;
import dev.troupe.actors.imagename.ImageNameProtocol.Deleted;
import dev.troupe.actors.imagename.ImageNameProtocol.History;
import dev.troupe.actors.imagename.ImageNameProtocol.Published;
import dev.troupe.actors.imagename.ImageNameProtocol.Revision;
import dev.troupe.cluster.Decision;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class ImageNameStateTest {

  private static final Instant T0 = Instant.parse("2026-11-01T12:00:00Z");

  private ImageNameState state = new ImageNameState.Unused();

  @Test
  void anUnusedNameStandsForNothing() {
    assertThat(state.current()).isEqualTo(new Current(null));
    assertThat(state.history(Long.MAX_VALUE, 10).revisions()).isEmpty();
    assertThat(state.delete(T0)).isEqualTo(Decision.reply(new Deleted(false)));
  }

  @Test
  void aNameStandsForWhatWasPublishedLast() {
    Revision first = publish(1);
    Revision second = publish(2);

    assertThat(first.number()).isEqualTo(1);
    assertThat(second.number()).isEqualTo(2);
    assertThat(state.current().revision()).isEqualTo(second);
    assertThat(state.history(Long.MAX_VALUE, 10))
        .isEqualTo(new History(List.of(second, first), false));
    assertThat(((ImageNameState.Used) state).createdAt()).isEqualTo(first.at());
  }

  @Test
  void aRepeatIsAnsweredAsTheFirstWasAndChangesNothing() {
    Revision first = publish(1);
    publish(2);

    Decision<ImageNameEvent, Published> repeat = state.publish(published(1, T0.plusSeconds(99)));

    assertThat(repeat).isEqualTo(Decision.reply(new Published(first)));
  }

  @Test
  void aHistoryComesInPagesThatStayInPlaceWhileMoreIsPublished() {
    for (int i = 1; i <= 5; i++) {
      publish(i);
    }

    History first = state.history(Long.MAX_VALUE, 2);
    publish(6);
    History second = state.history(first.revisions().getLast().number(), 2);
    History last = state.history(second.revisions().getLast().number(), 2);

    assertThat(first.revisions()).extracting(Revision::number).containsExactly(5L, 4L);
    assertThat(second.revisions()).extracting(Revision::number).containsExactly(3L, 2L);
    assertThat(last.revisions()).extracting(Revision::number).containsExactly(1L);
    assertThat(first.more()).isTrue();
    assertThat(second.more()).isTrue();
    assertThat(last.more()).isFalse();
  }

  @Test
  void theOldestOfManyRevisionsGo() {
    int count = ImageNameProtocol.REVISIONS_LIMIT + 3;
    for (int i = 1; i <= count; i++) {
      publish(i);
    }

    History all = state.history(Long.MAX_VALUE, 2 * count);

    assertThat(all.revisions()).hasSize(ImageNameProtocol.REVISIONS_LIMIT);
    assertThat(all.revisions().getFirst().number()).isEqualTo(count);
    assertThat(all.revisions().getLast().number()).isEqualTo(4);
  }

  @Test
  void aDeletedNameHasNoHistoryWhenItIsUsedAgain() {
    publish(1);
    publish(2);

    Decision<ImageNameEvent, Deleted> deletion = state.delete(T0.plusSeconds(9));
    state = state.apply(deletion.events().getFirst());

    assertThat(deletion.reply().wasThere()).isTrue();
    assertThat(state.current().revision()).isNull();
    assertThat(publish(3).number()).isEqualTo(1);
  }

  private Revision publish(int number) {
    Decision<ImageNameEvent, Published> decision =
        state.publish(published(number, T0.plusSeconds(number)));
    for (ImageNameEvent event : decision.events()) {
      state = state.apply(event);
    }
    return decision.reply().revision();
  }

  private static ImagePublished published(int number, Instant at) {
    return new ImagePublished(
        "main", "tools:latest", new ImageId("im-" + number), "ir-" + number, "ak-1", at);
  }
}
