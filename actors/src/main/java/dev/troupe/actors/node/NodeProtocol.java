package dev.troupe.actors.node;

import dev.troupe.actors.function.FunctionDefinition;
import dev.troupe.actors.function.FunctionProtocol.Ending;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.ImageId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.image.ImageProtocol;
import dev.troupe.cluster.ClusterMessage;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;
import org.jspecify.annotations.Nullable;

/**
 * The conversation with a machine's counterpart in the control plane. The entity id is the {@link
 * MachineId}. It keeps the ledger of what the machine has and what is promised of it, rebuilt from
 * the agent's full report at each new link.
 */
public interface NodeProtocol {

  EntityTypeKey<Command> KEY = EntityTypeKey.create(Command.class, "machine");

  /** Anything said to a machine's counterpart. */
  sealed interface Command extends ClusterMessage
      permits Grant,
          StopTask,
          ReportContainers,
          Build,
          Connected,
          Disconnected,
          TaskChanged,
          Describe,
          Drain,
          Remove,
          NodeActor.Internal {}

  /** What a container takes of its machine. */
  record Share(int cpuMillis, long memoryBytes, List<String> gpus) implements ClusterMessage {}

  /** What a machine has in all. */
  record Capacity(int cpuMillis, long memoryBytes, List<String> gpus) implements ClusterMessage {}

  /** A container to be: which, of what, and its share. */
  record Launch(TaskId task, FunctionDefinition definition, Share share)
      implements ClusterMessage {}

  // ---- from functions, images and placement

  /** Asks for a place. A repeat for one task is answered like the first. */
  record Grant(Launch launch, ActorRef<GrantReply> replyTo) implements Command {}

  /** Answer to {@link Grant}. */
  sealed interface GrantReply extends ClusterMessage {

    /** The share is reserved and the agent was told. */
    record Granted(TaskId task, MachineId machine) implements GrantReply {}

    /** No room, or no link to the agent. */
    record Refused(TaskId task, MachineId machine, String why) implements GrantReply {}
  }

  /** Ends a container: SIGINT, SIGKILL once {@code grace} has passed. Repeated without harm. */
  record StopTask(TaskId task, Duration grace) implements Command {}

  /**
   * A function that has just started asks what it has here: answered with {@code ContainersOn},
   * unless the machine is away.
   */
  record ReportContainers(FunctionId function) implements Command {}

  /**
   * Builds an image; lines and the end go to the image's entity, which restates this until it has
   * the end.
   */
  record Build(String build, ImageId image, List<ImageProtocol.Layer> layers) implements Command {}

  // ---- from the link

  /**
   * The agent has a new link: its full report. What an earlier link said is void. The link restates
   * it every 5 s with what is true then, so that a counterpart that moved, or missed a word, is
   * whole again.
   *
   * @param pending orders that the link has taken and no word of the agent shows
   * @param link where orders go
   * @param linkId tells this link from earlier ones
   */
  record Connected(
      String linkId,
      Capacity capacity,
      Map<String, String> labels,
      String blobUrl,
      List<TaskReport> tasks,
      List<Order> pending,
      List<ImageId> images,
      Condition condition,
      ActorRef<Order> link)
      implements Command {}

  /**
   * How a machine is just now.
   *
   * @param load mean number of processes that wanted a processor in the last minute
   * @param draining it takes nothing new
   */
  record Condition(double load, long diskBytes, long diskFreeBytes, boolean draining)
      implements ClusterMessage {

    /** Nothing is known. */
    public static final Condition UNKNOWN = new Condition(0, 0, 0, false);
  }

  /** The link is gone; for {@code silent} before that nothing had been heard. */
  record Disconnected(String linkId, String why, Duration silent) implements Command {}

  /** A container changed. */
  record TaskChanged(String linkId, TaskReport report) implements Command {}

  /** A container as its agent sees it; {@code ending} is null while it is there. */
  record TaskReport(
      TaskId task,
      FunctionId function,
      AppId app,
      boolean running,
      @Nullable Ending ending,
      Share share)
      implements ClusterMessage {}

  /** An order to the agent, carried by its link. */
  sealed interface Order extends ClusterMessage {

    /** Start a container. Restated until a report shows it; a repeat starts nothing new. */
    record StartTask(Launch launch) implements Order {}

    /** Stop a container. Restated until it has ended; a container that is not there is no error. */
    record EndTask(TaskId task, Duration grace) implements Order {}

    /**
     * Build an image. Restated until the image's entity has the end: a repeat under one build id
     * begins nothing new, and sends the end again where it has come.
     */
    record BuildImage(String build, ImageId image, List<ImageProtocol.Layer> layers)
        implements Order {}

    /** Take nothing new, and go once what runs has ended. Restated until the agent says so. */
    record Drain() implements Order {}
  }

  // ---- leaving

  /** Has the machine take nothing new, let what runs end, and go. Repeated without harm. */
  record Drain(ActorRef<DrainReply> replyTo) implements Command {}

  /** Answer to {@link Drain}. */
  enum DrainReply implements ClusterMessage {
    /** It takes nothing new any more. */
    DRAINING,
    /** Its agent is away: there is nobody to tell. */
    AWAY
  }

  /** Forgets a machine whose agent is away: what it held is free, what ran there runs elsewhere. */
  record Remove(ActorRef<RemoveReply> replyTo) implements Command {}

  /** Answer to {@link Remove}. */
  enum RemoveReply implements ClusterMessage {
    /** Nothing is known of it any more. */
    REMOVED,
    /** Its agent is linked: it is drained or stopped first. */
    LINKED
  }

  // ---- listings

  /** Keys of the attributes that a machine's directory entry has of its own. */
  final class Attribute {
    public static final String CPU_MILLIS = "cpu-millis";
    public static final String MEMORY_BYTES = "memory-bytes";

    /** Types of its devices, joined by commas. */
    public static final String GPUS = "gpus";

    /** SHA-256 of the key that it joined with; a server's own machine has none. */
    public static final String KEY_SHA256 = "key-sha256";

    private Attribute() {}
  }

  /** Asks what the machine has and runs. */
  record Describe(ActorRef<MachineView> replyTo) implements Command {}

  /** A container on a machine. */
  record Placed(TaskReport report, Instant since) implements ClusterMessage {}

  /**
   * A machine as it is now.
   *
   * @param linked false while its agent is away
   * @param draining it takes nothing new
   * @param since when its agent came, or went
   */
  record MachineView(
      MachineId machine,
      boolean linked,
      boolean draining,
      Instant since,
      Condition condition,
      Capacity capacity,
      Capacity free,
      Map<String, String> labels,
      List<ImageId> images,
      List<Placed> tasks)
      implements ClusterMessage {}
}
