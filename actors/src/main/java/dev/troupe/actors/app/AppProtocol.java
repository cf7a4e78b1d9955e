package dev.troupe.actors.app;

import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.cluster.ClusterMessage;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;
import org.jspecify.annotations.Nullable;

/**
 * The conversation with one app. The entity id is the {@link AppId}.
 *
 * <p>An ephemeral app ends when its client says so or falls silent; a detached one when its calls
 * are done; a deployed one when it is stopped.
 */
public interface AppProtocol {

  EntityTypeKey<Command> KEY = EntityTypeKey.create(Command.class, "app");

  /** Anything said to an app. */
  sealed interface Command extends ClusterMessage
      permits Create,
          Register,
          Publish,
          Rollback,
          Rollover,
          History,
          Heartbeat,
          Disconnect,
          StopApp,
          Describe,
          Follow,
          Tell,
          Busy,
          AppActor.Internal {}

  /** Where an app is in its life; the wire's {@code AppState} has the same names. */
  enum Phase {
    INITIALIZING,
    EPHEMERAL,
    DETACHED,
    DEPLOYED,
    STOPPING,
    STOPPED
  }

  /** Makes the app; a repeat is answered like the first. */
  record Create(
      String environment,
      String description,
      Phase phase,
      Map<String, String> tags,
      String by,
      ActorRef<AppReply> replyTo)
      implements Command {}

  /** Answer to most commands. */
  sealed interface AppReply extends ClusterMessage {

    /** Done and durable. */
    record Ok(AppView app) implements AppReply {}

    /** No app of this id. */
    record NoApp(AppId app) implements AppReply {}

    /** It has ended, and what was asked makes no sense any more. */
    record Ended(AppId app, String why) implements AppReply {}
  }

  /** A function or class of the app, with the handle metadata that clients are given. */
  record AppObject(String id, String name, byte[] handleMetadata) implements ClusterMessage {}

  /** Keeps the handle metadata of a function or class; later publications refer to it by id. */
  record Register(AppObject object, ActorRef<AppReply> replyTo) implements Command {}

  /**
   * Makes a set of functions and classes the app's layout.
   *
   * @param phase the phase to enter; null keeps the present one
   * @param name deployment name; empty for none
   * @param functions ids by tag
   * @param classes ids by tag
   * @param definitions definition ids by function id, which tell whether anything changed
   */
  record Publish(
      @Nullable Phase phase,
      String name,
      Map<String, String> functions,
      Map<String, String> classes,
      Map<String, String> definitions,
      String deploymentTag,
      Map<String, String> tags,
      Deployer deployer,
      ActorRef<PublishReply> replyTo)
      implements Command {}

  /**
   * Who makes a version, and with what.
   *
   * @param clientVersion empty where it was not said
   * @param commit the state of the user's repository in the client's own bytes; empty for none
   * @param request tells a repeat of one request from a second one; empty where that is no question
   */
  record Deployer(String by, String clientVersion, byte[] commit, String request)
      implements ClusterMessage {

    public static final Deployer UNKNOWN = new Deployer("", "", new byte[0], "");
  }

  /**
   * Makes an earlier version live again, as a new version.
   *
   * @param version one that {@link History} names; {@link #PREVIOUS} for the one before the live
   *     one
   */
  record Rollback(int version, Deployer deployer, ActorRef<PublishReply> replyTo)
      implements Command {}

  /** Makes the live version live anew, with new containers. */
  record Rollover(Deployer deployer, ActorRef<PublishReply> replyTo) implements Command {}

  /** Says {@link Rollback} of the version before the live one. */
  int PREVIOUS = -1;

  /** Deployed versions that an app remembers, and can go back to; earlier ones are forgotten. */
  int VERSIONS_KEPT = 50;

  /** Asks for the versions that were deployed. */
  record History(ActorRef<HistoryReply> replyTo) implements Command {}

  /** Answer to {@link History}: newest first; the first is the live one, none: never deployed. */
  record HistoryReply(List<Version> versions) implements ClusterMessage {}

  /** A version that was deployed. */
  record Version(
      int number, Instant at, Deployer deployer, String tag, int rollbackOf, boolean fresh)
      implements ClusterMessage {}

  /** Answer to {@link Publish}. */
  sealed interface PublishReply extends ClusterMessage {

    /** A version is live; {@code changed} is false where it equals the one before. */
    record Published(int version, Instant at, boolean changed) implements PublishReply {}

    /** No app of this id, or it has ended. */
    record Refused(String why) implements PublishReply {}

    /** There is no such version to go back to. */
    record NoVersion(String why) implements PublishReply {}
  }

  /** The client is there. */
  record Heartbeat(ActorRef<AppReply> replyTo) implements Command {}

  /** The client leaves: ends an ephemeral or still initializing app, no other. */
  record Disconnect(String reason, ActorRef<AppReply> replyTo) implements Command {}

  /** Ends the app, whatever it is. */
  record StopApp(String source, String by, ActorRef<AppReply> replyTo) implements Command {}

  /** Asks what it is. */
  record Describe(ActorRef<AppReply> replyTo) implements Command {}

  /** What an app is, for lookups and listings. */
  record AppView(
      AppId app,
      String environment,
      String name,
      String description,
      Phase phase,
      int version,
      Instant createdAt,
      @Nullable Instant deployedAt,
      @Nullable Instant stoppedAt,
      Map<String, String> functions,
      Map<String, String> classes,
      List<AppObject> objects,
      Map<String, String> tags,
      int containers,
      Credits credits)
      implements ClusterMessage {}

  /** Who did what to an app, each empty where nobody did or it is not known. */
  record Credits(String createdBy, String deployedBy, String stoppedBy) implements ClusterMessage {

    public static final Credits NONE = new Credits("", "", "");
  }

  // ---- what goes on, for those who watch

  /**
   * Subscribes to news from number {@code after} on (0: all that is kept). Lasts 15 s unless
   * repeated; the follower repeats every 5 s.
   */
  record Follow(ActorRef<News> follower, long after) implements Command {}

  /** Something went on; {@code number} grows by one. */
  record News(long number, Instant at, Item item) implements ClusterMessage {}

  /** What went on. */
  sealed interface Item extends ClusterMessage {

    /** A container is in a new state. */
    record Container(TaskId task, FunctionId function, ContainerPhase phase) implements Item {}

    /** A machine holds logs of this app. */
    record LogsOn(MachineId machine) implements Item {}

    /** A word of the platform for the user. */
    record Notice(FunctionId function, String text) implements Item {}

    /** The app has ended and no container of it is left. */
    record Done() implements Item {}
  }

  /** The states of a container that a user is shown. */
  enum ContainerPhase {
    QUEUED,
    ASSIGNED,
    CREATING,
    ACTIVE,
    IDLE,
    COMPLETED
  }

  /** A function tells its app of a container, a place, or a wait. */
  record Tell(Item item) implements Command {}

  /**
   * A function tells its app how busy it is, at each change between busy and idle, and every 30 s:
   * a detached app ends when none is busy.
   */
  record Busy(FunctionId function, int unfinished, int containers) implements Command {}

  /** Keys of the attributes of an app's directory entry, which is what listings are made from. */
  final class Attribute {

    /** Name of the {@link Phase}. */
    public static final String PHASE = "phase";

    public static final String DESCRIPTION = "description";

    /** Number of the live version; 0 where none was published. */
    public static final String VERSION = "version";

    /** An instant in ISO-8601; absent where it never was deployed. */
    public static final String DEPLOYED_AT = "deployed-at";

    /** An instant in ISO-8601; absent while it goes on. */
    public static final String STOPPED_AT = "stopped-at";

    /** Who made it; absent where that is not known, as in those that follow. */
    public static final String CREATED_BY = "created-by";

    /** Who deployed the live version. */
    public static final String DEPLOYED_BY = "deployed-by";

    /** Who stopped it; absent where it ended by itself, too. */
    public static final String STOPPED_BY = "stopped-by";

    /** Number of containers, a few seconds old at most. */
    public static final String CONTAINERS = "containers";

    private Attribute() {}
  }

  /** How long an ephemeral app lives without a word of its client. */
  Duration CLIENT_SILENCE = Duration.ofSeconds(45);
}
