package dev.troupe.gateway.service;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.app.AppProtocol;
import dev.troupe.actors.app.AppProtocol.AppObject;
import dev.troupe.actors.app.AppProtocol.AppView;
import dev.troupe.actors.app.AppProtocol.Attribute;
import dev.troupe.actors.app.AppProtocol.Phase;
import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.protocol.modal.AppLayout;
import dev.troupe.protocol.modal.AppListResponse.AppListItem;
import dev.troupe.protocol.modal.AppState;
import dev.troupe.protocol.modal.FunctionHandleMetadata;
import dev.troupe.protocol.modal.Object;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AppViewsTest {

  private static final Instant MADE = Instant.parse("2026-11-01T12:00:00Z");

  @Test
  void laysOutWhatIsLiveAndNothingElse() {
    AppLayout layout =
        AppViews.layout(
            app(
                Map.of("f", "fu-1", "C.*", "fu-2"),
                Map.of("C", "cs-1"),
                List.of(object("fu-1"), object("fu-2"), object("fu-variant"), object("cs-1"))));

    assertThat(layout.getFunctionIdsMap()).containsEntry("f", "fu-1");
    assertThat(layout.getClassIdsMap()).containsEntry("C", "cs-1");
    assertThat(layout.getObjectsList())
        .extracting(Object::getObjectId)
        .containsExactlyInAnyOrder("fu-1", "fu-2", "cs-1");
    assertThat(layout.getObjectsList())
        .filteredOn(Object::hasFunctionHandleMetadata)
        .extracting(one -> one.getFunctionHandleMetadata().getFunctionName())
        .containsExactlyInAnyOrder("fu-1", "fu-2");
  }

  @ParameterizedTest
  @EnumSource(
      value = Phase.class,
      names = {"INITIALIZING", "EPHEMERAL", "DETACHED", "DEPLOYED"})
  void readsBackThePhasesThatAClientMaySet(Phase phase) {
    assertThat(AppViews.phase(AppViews.state(phase))).isEqualTo(phase);
  }

  @Test
  void keepsThePhaseWhereAClientNamesNone() {
    assertThat(AppViews.phase(AppState.APP_STATE_UNSPECIFIED)).isNull();
    assertThat(AppViews.phase(AppState.APP_STATE_STOPPED)).isNull();
  }

  @Test
  void listsWhatTheDirectoryHas() {
    AppListItem item =
        AppViews.item(
            new Entry(
                Kind.APP,
                "main",
                "shop",
                "ap-1",
                MADE,
                Map.of(
                    Attribute.PHASE, "STOPPED",
                    Attribute.CONTAINERS, "3",
                    Attribute.VERSION, "2",
                    Attribute.STOPPED_AT, "2026-11-01T13:00:00Z")),
            "main");

    assertThat(item.getDescription()).isEqualTo("shop");
    assertThat(item.getState()).isEqualTo(AppState.APP_STATE_STOPPED);
    assertThat(item.getNRunningTasks()).isEqualTo(3);
    assertThat(item.getStoppedAt() - item.getCreatedAt()).isEqualTo(3_600);
    assertThat(item.getMetadata().getLifecycle().getVersion()).isEqualTo(2);
  }

  @Test
  void listsAnEntryWhoseAttributesItDoesNotKnow() {
    Entry entry =
        new Entry(
            Kind.APP, "main", "", "ap-1", MADE, Map.of(Attribute.PHASE, "?", "version", "many"));

    assertThat(AppViews.item(entry, "main").getState()).isEqualTo(AppState.APP_STATE_UNSPECIFIED);
  }

  private static AppObject object(String id) {
    return new AppObject(
        id,
        id,
        id.startsWith("fu-")
            ? FunctionHandleMetadata.newBuilder().setFunctionName(id).build().toByteArray()
            : new byte[0]);
  }

  private static AppView app(
      Map<String, String> functions, Map<String, String> classes, List<AppObject> objects) {
    return new AppView(
        Harness.APP,
        "main",
        "shop",
        "",
        Phase.DEPLOYED,
        1,
        MADE,
        MADE,
        null,
        functions,
        classes,
        objects,
        Map.of(),
        0,
        AppProtocol.Credits.NONE);
  }
}
