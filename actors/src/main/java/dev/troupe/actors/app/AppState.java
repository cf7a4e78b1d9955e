package dev.troupe.actors.app;

import dev.troupe.actors.app.AppEvent.AppCreated;
import dev.troupe.actors.app.AppEvent.AppStopped;
import dev.troupe.actors.app.AppEvent.ObjectRegistered;
import dev.troupe.actors.app.AppEvent.StopBegun;
import dev.troupe.actors.app.AppEvent.VersionPublished;
import dev.troupe.actors.app.AppProtocol.AppObject;
import dev.troupe.actors.app.AppProtocol.AppReply;
import dev.troupe.actors.app.AppProtocol.Deployer;
import dev.troupe.actors.app.AppProtocol.Phase;
import dev.troupe.actors.app.AppProtocol.PublishReply;
import dev.troupe.actors.app.AppProtocol.Version;
import dev.troupe.actors.id.AppId;
import dev.troupe.cluster.Decision;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** All that an app remembers, and every decision it takes. */
public sealed interface AppState {

  /** Never made. */
  record Absent() implements AppState {}

  /** Made, and still known when it has ended. */
  record Made(App app) implements AppState {}

  /** How a command ended; the view that goes with the answer is taken when it is told. */
  enum Outcome {
    OK,
    NO_APP,
    ENDED
  }

  /** Makes it; a repeat changes nothing. */
  default Decision<AppEvent, Outcome> create(AppCreated created) {
    return switch (this) {
      case Absent() -> Decision.record(created, Outcome.OK);
      case Made _ -> Decision.reply(Outcome.OK);
    };
  }

  /** Keeps the handle metadata of a function or class. */
  default Decision<AppEvent, Outcome> register(AppObject object) {
    return switch (this) {
      case Absent() -> Decision.reply(Outcome.NO_APP);
      case Made(var app) when app.isEnding() -> Decision.reply(Outcome.ENDED);
      case Made(var app) when app.knows(object) -> Decision.reply(Outcome.OK);
      case Made _ -> Decision.record(new ObjectRegistered(object), Outcome.OK);
    };
  }

  /** Makes a layout the live one: a new version, unless it is the live one already. */
  default Decision<AppEvent, PublishReply> publish(
      @Nullable Phase phase, String name, App.Layout layout, Deployer deployer, Instant now) {
    return switch (this) {
      case Absent() -> Decision.reply(new PublishReply.Refused("there is no such app"));
      case Made(var app) when app.isEnding() ->
          Decision.reply(new PublishReply.Refused("the app has ended: " + app.stopReason()));
      case Made(var app) -> app.publish(phase, name, layout, deployer, now);
    };
  }

  /** Makes an earlier version live again, as a new one. */
  default Decision<AppEvent, PublishReply> rollback(int version, Deployer deployer, Instant now) {
    return switch (this) {
      case Absent() -> Decision.reply(new PublishReply.Refused("there is no such app"));
      case Made(var app) -> app.rollback(version, deployer, now);
    };
  }

  /** Makes the live version live anew. */
  default Decision<AppEvent, PublishReply> rollover(Deployer deployer, Instant now) {
    return switch (this) {
      case Absent() -> Decision.reply(new PublishReply.Refused("there is no such app"));
      case Made(var app) -> app.rollover(deployer, now);
    };
  }

  /** The versions that were deployed, newest first. */
  default List<Version> versions() {
    return switch (this) {
      case Absent() -> List.of();
      case Made(var app) -> app.history().versions();
    };
  }

  /** The client is there. */
  default Outcome heartbeat() {
    return switch (this) {
      case Absent() -> Outcome.NO_APP;
      case Made(var app) -> app.isEnding() ? Outcome.ENDED : Outcome.OK;
    };
  }

  /** The client leaves. */
  default Decision<AppEvent, Outcome> disconnect(String reason, Instant now) {
    return switch (this) {
      case Absent() -> Decision.reply(Outcome.NO_APP);
      case Made(var app) ->
          switch (app.phase()) {
            case INITIALIZING, EPHEMERAL -> stop(reason, "", now);
            case DETACHED, DEPLOYED, STOPPING, STOPPED -> Decision.reply(Outcome.OK);
          };
    };
  }

  /** Begins the end; {@code by} is empty where nobody asked for it. */
  default Decision<AppEvent, Outcome> stop(String reason, String by, Instant now) {
    return switch (this) {
      case Absent() -> Decision.reply(Outcome.NO_APP);
      case Made(var app) when app.isEnding() -> Decision.reply(Outcome.OK);
      case Made _ -> Decision.record(new StopBegun(reason, now, by), Outcome.OK);
    };
  }

  /** What is answered after a command that ended in {@code outcome}. */
  default AppReply answer(Outcome outcome, AppId id, int containers) {
    return switch (this) {
      case Absent() -> new AppReply.NoApp(id);
      case Made(var app) ->
          switch (outcome) {
            case NO_APP -> new AppReply.NoApp(id);
            case ENDED -> new AppReply.Ended(id, app.stopReason());
            case OK -> new AppReply.Ok(app.view(id, containers));
          };
    };
  }

  /** The state after a fact. */
  default AppState apply(AppEvent event) {
    return switch (this) {
      case Absent() ->
          switch (event) {
            case AppCreated created -> new Made(App.of(created));
            case ObjectRegistered _, VersionPublished _, StopBegun _, AppStopped _ ->
                throw new IllegalStateException(event + " before the app was made");
          };
      case Made(var app) -> new Made(app.apply(event));
    };
  }
}
