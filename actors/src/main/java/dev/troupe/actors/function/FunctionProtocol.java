package dev.troupe.actors.function;

import dev.troupe.actors.blob.Payload;
import dev.troupe.actors.calllog.CallRow;
import dev.troupe.actors.calllog.LeaseToken;
import dev.troupe.actors.calllog.OutputNumber;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.InputId;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.node.NodeProtocol;
import dev.troupe.cluster.ClusterMessage;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;
import org.jspecify.annotations.Nullable;

/**
 * The conversation with one function: all that may be said to it, and all it answers. The entity id
 * is the {@link FunctionId}.
 */
public interface FunctionProtocol {

  EntityTypeKey<Command> KEY = EntityTypeKey.create(Command.class, "function");

  /** Anything said to a function. */
  sealed interface Command extends ClusterMessage
      permits FromApp, FromCaller, FromContainer, FromMachine, FunctionActor.Internal {}

  // ---- what its app and the gateway say about what it is

  /** Said by an app, or about the definition. */
  sealed interface FromApp extends Command {}

  /** Records a definition; it takes effect with the next {@link Publish} that names it. */
  record Define(FunctionDefinition definition, ActorRef<Defined> replyTo) implements FromApp {}

  /** The definition is durable. */
  record Defined(String definitionId) implements ClusterMessage {}

  /** Asks what it is. */
  record Describe(ActorRef<Description> replyTo) implements FromApp {}

  /** What it is. */
  sealed interface Description extends ClusterMessage {

    /** {@code published} is the definition in force, {@code latest} the last one recorded. */
    record Known(FunctionDefinition latest, @Nullable FunctionDefinition published, boolean stopped)
        implements Description {}

    /** Nothing was ever defined under this id. */
    record Unknown() implements Description {}
  }

  /**
   * The app's version {@code appVersion} is live: a definition is in force, its minimum of
   * containers is kept, containers of earlier definitions are replaced. Idempotent.
   *
   * @param asOf the earlier version whose definition it is; 0: the latest definition recorded
   * @param fresh whether containers of the very same definition are replaced, too
   */
  record Publish(int appVersion, int asOf, boolean fresh, ActorRef<Published> replyTo)
      implements FromApp {}

  /** The publication is durable. */
  record Published(FunctionId function) implements ClusterMessage {}

  /**
   * The app ended: waiting inputs end as terminated, containers are stopped. Answered when no
   * container is left; repeated until then.
   */
  record Stop(String reason, ActorRef<Stopped> replyTo) implements FromApp {}

  /** No container is left. */
  record Stopped(FunctionId function) implements ClusterMessage {}

  /** Asks for its containers. */
  record ListContainers(ActorRef<Containers> replyTo) implements FromApp {}

  /** Its containers. */
  record Containers(List<ContainerInfo> containers) implements ClusterMessage {}

  /** One container, for listings; {@code machine} is null until it is placed. */
  record ContainerInfo(
      TaskId task, @Nullable MachineId machine, Instant wantedAt, @Nullable Instant startedAt)
      implements ClusterMessage {}

  /** Asks how busy it is. */
  record Measure(ActorRef<Measured> replyTo) implements FromApp {}

  /**
   * How busy it is.
   *
   * @param waiting inputs that no container has
   * @param running inputs that containers have
   * @param headroom inputs that containers could take beside those they have
   */
  record Measured(int waiting, int running, int containers, int headroom)
      implements ClusterMessage {}

  /** Stops one container: gracefully it ends what it runs, else that runs elsewhere. */
  record StopContainer(TaskId task, boolean graceful, ActorRef<Containers> replyTo)
      implements FromApp {}

  /** Something waits for it: it shall be in memory. */
  record Wake() implements FromApp {}

  // ---- callers

  /** Said on behalf of a caller. */
  sealed interface FromCaller extends Command {}

  /** One input to come: {@code methodName} is empty for a plain function. */
  record NewInput(int index, String methodName, Payload payload) implements ClusterMessage {}

  /**
   * A new call and its first inputs (none yet for a map). Answered once durable. A repeat under the
   * same id is answered like the first.
   */
  record Submit(CallRow call, List<NewInput> inputs, ActorRef<SubmitReply> replyTo)
      implements FromCaller {}

  /** Further inputs of a map. Answered once durable; repeated indexes are passed over. */
  record PutInputs(CallId call, List<NewInput> inputs, ActorRef<SubmitReply> replyTo)
      implements FromCaller {}

  /** No more inputs will come. */
  record FinishInputs(CallId call, int total, ActorRef<SubmitReply> replyTo)
      implements FromCaller {}

  /** Answer to {@link Submit}, {@link PutInputs}, {@link FinishInputs} and {@link Cancel}. */
  sealed interface SubmitReply extends ClusterMessage {

    /** Durable. */
    record Accepted(CallId call) implements SubmitReply {}

    /** Too much waits; nothing was taken, ask again after the delay. */
    record Overloaded(Duration retryAfter, String why) implements SubmitReply {}

    /** Never defined, never published, or its app has stopped. */
    record NoFunction(String why) implements SubmitReply {}

    /** No such call. */
    record NoCall(CallId call) implements SubmitReply {}

    /** The function is moving to another process; ask again at once. */
    record Moved() implements SubmitReply {}
  }

  /** Which outputs a caller waits for. */
  sealed interface Wanted extends ClusterMessage {

    /** Those behind a cursor, in the order they came: a map. */
    record After(OutputNumber number) implements Wanted {}

    /** Those of inputs {@code first} to {@code last}, both included: a get. */
    record Range(int first, int last) implements Wanted {}
  }

  /**
   * Waits until at least one wanted output is there, the call has none to come, or {@code patience}
   * has passed.
   *
   * @param most outputs in one answer
   * @param clear the caller is the only reader and takes them
   */
  record Await(
      CallId call,
      Wanted wanted,
      int most,
      boolean clear,
      Duration patience,
      ActorRef<AwaitReply> replyTo)
      implements FromCaller {}

  /** Answer to {@link Await}. */
  sealed interface AwaitReply extends ClusterMessage {

    /** What is there, maybe nothing; {@code last} is the cursor to go on from. */
    record Outputs(List<OutputRow> outputs, OutputNumber last, int unfinished)
        implements AwaitReply {}

    /** Never was, or its results are gone. */
    record Unknown(CallId call) implements AwaitReply {}

    /** The function is moving to another process; ask again at once. */
    record Away() implements AwaitReply {}
  }

  /** Asks about a call. */
  record Inspect(CallId call, ActorRef<CallReply> replyTo) implements FromCaller {}

  /** Answer to {@link Inspect}. */
  sealed interface CallReply extends ClusterMessage {

    /** A call and its counts. */
    record Found(CallRow call, int known, int finished) implements CallReply {}

    /** Never was, or its results are gone. */
    record Missing(CallId call) implements CallReply {}
  }

  /** Ends a call: waiting inputs as terminated at once, running ones by their container. */
  record Cancel(CallId call, boolean terminateContainers, ActorRef<SubmitReply> replyTo)
      implements FromCaller {}

  // ---- containers

  /** Said by one of its containers. */
  sealed interface FromContainer extends Command {
    TaskId task();
  }

  /** The runner is up. */
  record Hello(TaskId task) implements FromContainer {}

  /**
   * A container asks for inputs. Held until there is one, it is to leave, or {@code patience} has
   * passed. A repeat under one {@code pollKey} gets the same items; items of a poll that broke go
   * to the same container's next poll.
   */
  record Lease(
      TaskId task, String pollKey, int most, Duration patience, ActorRef<LeaseReply> replyTo)
      implements FromContainer {}

  /** Answer to {@link Lease}. */
  sealed interface LeaseReply extends ClusterMessage {

    /** Inputs to run; all of one method. */
    record Items(List<LeasedInput> items) implements LeaseReply {}

    /** Nothing came in time; ask again. */
    record Nothing() implements LeaseReply {}

    /** Finish and exit: the kill switch. */
    record Leave(String why) implements LeaseReply {}

    /** The function is moving to another process; ask again at once. */
    record Elsewhere() implements LeaseReply {}
  }

  /** An input handed to a container; {@code attempt} counts earlier runs. */
  record LeasedInput(
      InputId input,
      LeaseToken token,
      CallRow.Invocation invocation,
      String methodName,
      Payload payload,
      int attempt)
      implements ClusterMessage {}

  /** A held {@link Lease} is over without an answer having arrived: the runner hung up. */
  record LeaseBroken(TaskId task, String pollKey) implements FromContainer {}

  /** Outputs. Answered once they are durable, or known to be of no use. */
  record Report(TaskId task, List<Reported> outputs, ActorRef<ReportReply> replyTo)
      implements FromContainer {}

  /**
   * One output as the runner sent it.
   *
   * @param attempt the attempt it belongs to, as in {@link LeasedInput}
   */
  record Reported(
      InputId input,
      int status,
      Payload result,
      int dataFormat,
      int attempt,
      @Nullable Instant startedAt,
      Instant createdAt)
      implements ClusterMessage {}

  /** Answer to {@link Report} and {@link StartFailed}. */
  sealed interface ReportReply extends ClusterMessage {

    /** Durable, or refused since it is of no use: not to be repeated. */
    record Taken() implements ReportReply {}

    /** Not now: the store is behind, or the function is moving. To be repeated. */
    record Again(Duration retryAfter) implements ReportReply {}
  }

  /**
   * The runner could not start the function (import error, {@code @enter}): what to tell callers.
   */
  record StartFailed(TaskId task, int status, Payload result, ActorRef<ReportReply> replyTo)
      implements FromContainer {}

  /**
   * The container lives. Held until inputs it runs are cancelled or {@code patience} has passed.
   */
  record Beat(TaskId task, Duration patience, ActorRef<Beaten> replyTo) implements FromContainer {}

  /** Inputs the container shall stop running; empty: go on. */
  record Beaten(List<InputId> cancelled) implements ClusterMessage {}

  // ---- machines

  /** Said by the machine a container is on, or by the placement that chooses one. */
  sealed interface FromMachine extends Command {}

  /**
   * A container has its place.
   *
   * @param share what was granted there, for the grant to be restated; null where it is not known
   */
  record Placed(TaskId task, MachineId machine, NodeProtocol.@Nullable Share share)
      implements FromMachine {}

  /** It waits for capacity: its position in the list, and a sentence for the caller. */
  record Waits(TaskId task, int position, String reason) implements FromMachine {}

  /** The container's process exists. */
  record ContainerStarted(TaskId task, MachineId machine) implements FromMachine {}

  /** The container is gone, or never came to be. */
  record ContainerEnded(TaskId task, MachineId machine, Ending ending) implements FromMachine {}

  /** All containers of this function on a machine whose link is new. */
  record ContainersOn(MachineId machine, List<TaskId> tasks) implements FromMachine {}

  /** How a container ended. */
  sealed interface Ending extends ClusterMessage {

    /** Its program ended, by itself ({@code signal} 0) or by a signal. */
    record Exited(int code, int signal, boolean outOfMemory) implements Ending {}

    /** It never started. */
    record NeverStarted(String why) implements Ending {}

    /** Its machine is gone. */
    record MachineLost(String why) implements Ending {}
  }
}
