package dev.troupe.gateway.service;

import dev.troupe.actors.app.AppProtocol.AppObject;
import dev.troupe.actors.app.AppProtocol.AppView;
import dev.troupe.actors.app.AppProtocol.Attribute;
import dev.troupe.actors.app.AppProtocol.Phase;
import dev.troupe.actors.directory.Directory;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.protocol.modal.AppDisconnectReason;
import dev.troupe.protocol.modal.AppHandleMetadata;
import dev.troupe.protocol.modal.AppLayout;
import dev.troupe.protocol.modal.AppLifecycle;
import dev.troupe.protocol.modal.AppListResponse.AppListItem;
import dev.troupe.protocol.modal.AppState;
import dev.troupe.protocol.modal.AppStopSource;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Apps in the client's words. */
public final class AppViews {

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,64}");
  private static final Pattern LIKE_AN_ID = Pattern.compile("ap-[A-Za-z0-9]{22}");

  private AppViews() {}

  /** An app's state on the wire. */
  static AppState state(Phase phase) {
    return switch (phase) {
      case INITIALIZING -> AppState.APP_STATE_INITIALIZING;
      case EPHEMERAL -> AppState.APP_STATE_EPHEMERAL;
      case DETACHED -> AppState.APP_STATE_DETACHED;
      case DEPLOYED -> AppState.APP_STATE_DEPLOYED;
      case STOPPING -> AppState.APP_STATE_STOPPING;
      case STOPPED -> AppState.APP_STATE_STOPPED;
    };
  }

  /** The phase a client asks for; null where it asks for none that a client may set. */
  static @Nullable Phase phase(AppState state) {
    return switch (state) {
      case APP_STATE_EPHEMERAL -> Phase.EPHEMERAL;
      case APP_STATE_DETACHED -> Phase.DETACHED;
      case APP_STATE_DEPLOYED -> Phase.DEPLOYED;
      case APP_STATE_INITIALIZING -> Phase.INITIALIZING;
      case APP_STATE_UNSPECIFIED,
          APP_STATE_STOPPING,
          APP_STATE_STOPPED,
          APP_STATE_DISABLED,
          APP_STATE_DETACHED_DISCONNECTED,
          APP_STATE_DERIVED,
          UNRECOGNIZED ->
          null;
    };
  }

  /** Lets a name pass under which an app can be found again. */
  static void requireName(String name) {
    if (!NAME.matcher(name).matches() || LIKE_AN_ID.matcher(name).matches()) {
      throw RpcFailure.invalid(
          "'%.80s' can't be the name of an app: use up to 64 letters, digits, dots, dashes and"
                  .formatted(name)
              + " underscores, and nothing that looks like an app's id.");
    }
  }

  /** Where an app is in its life. */
  static AppLifecycle lifecycle(AppView app) {
    AppLifecycle.Builder lifecycle =
        AppLifecycle.newBuilder()
            .setAppState(state(app.phase()))
            .setCreatedAt(Outputs.seconds(app.createdAt()))
            .setCreatedBy(app.credits().createdBy())
            .setDeployedBy(app.credits().deployedBy())
            .setStoppedBy(app.credits().stoppedBy())
            .setVersion(app.version());
    if (app.deployedAt() != null) {
      lifecycle.setDeployedAt(Outputs.seconds(app.deployedAt()));
    }
    if (app.stoppedAt() != null) {
      lifecycle.setStoppedAt(Outputs.seconds(app.stoppedAt()));
    }
    return lifecycle.build();
  }

  /** What a client must know of an app to use it, in the environment of this name. */
  static AppHandleMetadata handle(AppView app, String environment) {
    return AppHandleMetadata.newBuilder()
        .setDescription(title(app))
        .setAppId(app.app().value())
        .setEnvironmentName(environment)
        .setLifecycle(lifecycle(app))
        .putAllFunctions(app.functions())
        .build();
  }

  /** What an app is called in listings. */
  static String title(AppView app) {
    return app.name().isEmpty() ? app.description() : app.name();
  }

  /** The live functions and classes of an app; what else it has registered is no part of it. */
  public static AppLayout layout(AppView app) {
    AppLayout.Builder layout =
        AppLayout.newBuilder().putAllFunctionIds(app.functions()).putAllClassIds(app.classes());
    Map<String, AppObject> objects =
        app.objects().stream()
            .collect(Collectors.toMap(AppObject::id, object -> object, (_, later) -> later));
    for (Map<String, String> ids : java.util.List.of(app.functions(), app.classes())) {
      for (String id : ids.values()) {
        AppObject object = objects.get(id);
        if (object != null) {
          layout.addObjects(Handles.object(id, object.handleMetadata()));
        }
      }
    }
    return layout.build();
  }

  /** A line of a listing of the environment of this name. */
  static AppListItem item(Directory.Entry entry, String environment) {
    Map<String, String> attributes = entry.attributes();
    String description = attributes.getOrDefault(Attribute.DESCRIPTION, "");
    AppListItem.Builder item =
        AppListItem.newBuilder()
            .setAppId(entry.id())
            .setDescription(description.isEmpty() ? entry.name() : description)
            .setName(entry.name())
            .setState(listedState(attributes.getOrDefault(Attribute.PHASE, "")))
            .setCreatedAt(Outputs.seconds(entry.createdAt()))
            .setStoppedAt(listedTime(attributes.get(Attribute.STOPPED_AT)));
    item.setNRunningTasks(listedNumber(attributes.get(Attribute.CONTAINERS)));
    item.setMetadata(
        AppHandleMetadata.newBuilder()
            .setAppId(entry.id())
            .setDescription(item.getDescription())
            .setEnvironmentName(environment)
            .setLifecycle(
                AppLifecycle.newBuilder()
                    .setAppState(item.getState())
                    .setCreatedAt(item.getCreatedAt())
                    .setDeployedAt(listedTime(attributes.get(Attribute.DEPLOYED_AT)))
                    .setStoppedAt(item.getStoppedAt())
                    .setCreatedBy(attributes.getOrDefault(Attribute.CREATED_BY, ""))
                    .setDeployedBy(attributes.getOrDefault(Attribute.DEPLOYED_BY, ""))
                    .setStoppedBy(attributes.getOrDefault(Attribute.STOPPED_BY, ""))
                    .setVersion(listedNumber(attributes.get(Attribute.VERSION)))));
    return item.build();
  }

  /** Whether an app that is listed may have containers. */
  static boolean isAlive(Directory.Entry entry) {
    return listedState(entry.attributes().getOrDefault(Attribute.PHASE, ""))
        != AppState.APP_STATE_STOPPED;
  }

  /** Why a client leaves, in words. */
  static String reason(AppDisconnectReason reason, String exception) {
    String words =
        switch (reason) {
          case APP_DISCONNECT_REASON_LOCAL_EXCEPTION -> "its client ended with an exception";
          case APP_DISCONNECT_REASON_KEYBOARD_INTERRUPT -> "its client was interrupted";
          case APP_DISCONNECT_REASON_ENTRYPOINT_COMPLETED -> "its entrypoint is done";
          case APP_DISCONNECT_REASON_DEPLOYMENT_EXCEPTION -> "its deployment failed";
          case APP_DISCONNECT_REASON_REMOTE_EXCEPTION -> "a call ended with an exception";
          case APP_DISCONNECT_REASON_UNSPECIFIED, UNRECOGNIZED -> "its client left";
        };
    return exception.isEmpty() ? words : "%s: %.1000s".formatted(words, exception);
  }

  /** Who stops an app, in words. */
  static String source(AppStopSource source) {
    return switch (source) {
      case APP_STOP_SOURCE_CLI -> "the command line";
      case APP_STOP_SOURCE_PYTHON_CLIENT -> "a program";
      case APP_STOP_SOURCE_WEB -> "the dashboard";
      case APP_STOP_SOURCE_UNSPECIFIED, UNRECOGNIZED -> "a client";
    };
  }

  private static AppState listedState(String phase) {
    for (Phase known : Phase.values()) {
      if (known.name().equals(phase)) {
        return state(known);
      }
    }
    return AppState.APP_STATE_UNSPECIFIED;
  }

  /** A time as listings keep it; 0 where it is not there. */
  static double listedTime(@Nullable String iso) {
    try {
      return iso == null ? 0 : Outputs.seconds(Instant.parse(iso));
    } catch (DateTimeParseException unreadable) {
      return 0;
    }
  }

  private static int listedNumber(@Nullable String digits) {
    try {
      return digits == null ? 0 : Integer.parseInt(digits);
    } catch (NumberFormatException unreadable) {
      return 0;
    }
  }
}
