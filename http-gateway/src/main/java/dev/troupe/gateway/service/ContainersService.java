package dev.troupe.gateway.service;

import com.google.protobuf.Empty;
import dev.troupe.actors.blob.Payload;
import dev.troupe.actors.function.FunctionProtocol;
import dev.troupe.actors.function.FunctionProtocol.Beat;
import dev.troupe.actors.function.FunctionProtocol.Beaten;
import dev.troupe.actors.function.FunctionProtocol.Hello;
import dev.troupe.actors.function.FunctionProtocol.Lease;
import dev.troupe.actors.function.FunctionProtocol.LeaseBroken;
import dev.troupe.actors.function.FunctionProtocol.LeaseReply;
import dev.troupe.actors.function.FunctionProtocol.LeasedInput;
import dev.troupe.actors.function.FunctionProtocol.Report;
import dev.troupe.actors.function.FunctionProtocol.ReportReply;
import dev.troupe.actors.function.FunctionProtocol.Reported;
import dev.troupe.actors.function.FunctionProtocol.StartFailed;
import dev.troupe.actors.id.BlobId;
import dev.troupe.actors.id.InputId;
import dev.troupe.gateway.rpc.Caller;
import dev.troupe.gateway.rpc.RpcContext;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.RpcService;
import dev.troupe.gateway.rpc.RpcTable;
import dev.troupe.gateway.service.LongPoll.Turn;
import dev.troupe.gateway.service.Payloads.Room;
import dev.troupe.protocol.modal.CancelInputEvent;
import dev.troupe.protocol.modal.ContainerHeartbeatRequest;
import dev.troupe.protocol.modal.ContainerHeartbeatResponse;
import dev.troupe.protocol.modal.FunctionGetDynamicConcurrencyRequest;
import dev.troupe.protocol.modal.FunctionGetDynamicConcurrencyResponse;
import dev.troupe.protocol.modal.FunctionGetInputsItem;
import dev.troupe.protocol.modal.FunctionGetInputsRequest;
import dev.troupe.protocol.modal.FunctionGetInputsResponse;
import dev.troupe.protocol.modal.FunctionPutOutputsItem;
import dev.troupe.protocol.modal.FunctionPutOutputsRequest;
import dev.troupe.protocol.modal.GenericResult;
import dev.troupe.protocol.modal.GenericResult.GenericStatus;
import dev.troupe.protocol.modal.TaskResultRequest;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/** What the runner inside a container says: it asks for inputs and reports outputs. */
final class ContainersService implements RpcService {

  /** How long a container's request for inputs is held; the runner asks again at once. */
  private static final Duration INPUT_PATIENCE = Duration.ofSeconds(50);

  /** How long a heartbeat is held: the runner gives up after 15.1 s. */
  private static final Duration BEAT_PATIENCE = Duration.ofSeconds(14);

  /** Arguments in a blob are put into the answer up to this many bytes, else fetched. */
  private static final long INLINE_ARGUMENTS = 16L << 20;

  private static final long INLINE_BATCHED_ARGUMENTS = 4L << 20;

  /** The same, over all inputs of a batch. */
  private static final long INLINE_BATCH = 32L << 20;

  private final World world;
  private final Payloads payloads;
  private final LongPoll longPoll;

  ContainersService(World world) {
    this.world = world;
    this.payloads = new Payloads(world.blobs(), world.settings().inlineLimit());
    this.longPoll = world.longPoll();
  }

  @Override
  public void register(RpcTable.Builder table) {
    table
        .unary("ContainerHello", Empty.parser(), this::hello)
        .unary("ContainerHeartbeat", ContainerHeartbeatRequest.parser(), this::heartbeat)
        .unary("FunctionGetInputs", FunctionGetInputsRequest.parser(), this::getInputs)
        .unary("FunctionPutOutputs", FunctionPutOutputsRequest.parser(), this::putOutputs)
        .unary(
            "FunctionGetDynamicConcurrency",
            FunctionGetDynamicConcurrencyRequest.parser(),
            this::dynamicConcurrency)
        .unary("TaskResult", TaskResultRequest.parser(), this::taskResult);
  }

  private CompletionStage<Empty> hello(RpcContext context, Empty request) {
    Caller.Task task = context.task();
    world.entities().function(task.function()).tell(new Hello(task.task()));
    return CompletableFuture.completedStage(Empty.getDefaultInstance());
  }

  private CompletionStage<ContainerHeartbeatResponse> heartbeat(
      RpcContext context, ContainerHeartbeatRequest request) {
    Caller.Task task = context.task();
    return longPoll
        .wait(BEAT_PATIENCE, context.cancelled(), slice -> beat(task, slice))
        .thenApply(ContainersService::heartbeatAnswer);
  }

  private CompletionStage<Turn<Beaten>> beat(Caller.Task task, Duration slice) {
    return world
        .entities()
        .function(task.function())
        .<Beaten>ask(
            replyTo -> new Beat(task.task(), slice, replyTo),
            slice.plus(world.settings().askTimeout()))
        .thenApply(
            beaten ->
                beaten.cancelled().isEmpty()
                    ? new Turn.Nothing<>(beaten)
                    : new Turn.Answer<>(beaten));
  }

  private static ContainerHeartbeatResponse heartbeatAnswer(Beaten beaten) {
    ContainerHeartbeatResponse.Builder answer = ContainerHeartbeatResponse.newBuilder();
    if (!beaten.cancelled().isEmpty()) {
      answer.setCancelInputEvent(
          CancelInputEvent.newBuilder()
              .addAllInputIds(beaten.cancelled().stream().map(InputId::value).toList()));
    }
    return answer.build();
  }

  /** As many inputs run as the function's definition says: the runner keeps to it by itself. */
  private CompletionStage<FunctionGetDynamicConcurrencyResponse> dynamicConcurrency(
      RpcContext context, FunctionGetDynamicConcurrencyRequest request) {
    context.task();
    return CompletableFuture.completedStage(
        FunctionGetDynamicConcurrencyResponse.newBuilder()
            .setConcurrency(request.getTargetConcurrency())
            .build());
  }

  // ---- inputs

  private CompletionStage<FunctionGetInputsResponse> getInputs(
      RpcContext context, FunctionGetInputsRequest request) {
    Caller.Task task = context.task();
    String pollKey = context.idempotencyKey();
    int most = Math.max(1, request.getBatchMaxSize());
    context
        .cancelled()
        .thenRun(
            () ->
                world
                    .entities()
                    .function(task.function())
                    .tell(new LeaseBroken(task.task(), pollKey)));
    return longPoll
        .wait(INPUT_PATIENCE, context.cancelled(), slice -> lease(task, pollKey, most, slice))
        .thenCompose(reply -> inputsAnswer(reply, request.getBatchMaxSize() > 0));
  }

  private CompletionStage<Turn<LeaseReply>> lease(
      Caller.Task task, String pollKey, int most, Duration slice) {
    return Entities.<FunctionProtocol.Command, LeaseReply>ask(
            world.entities().function(task.function()),
            replyTo -> new Lease(task.task(), pollKey, most, slice, replyTo),
            slice.plus(world.settings().askTimeout()))
        .thenApply(
            reply ->
                switch (reply) {
                  case LeaseReply.Items _, LeaseReply.Leave _ -> new Turn.Answer<>(reply);
                  case LeaseReply.Nothing _ -> new Turn.Nothing<>(reply);
                  case LeaseReply.Elsewhere _ -> new Turn.Moved<>();
                });
  }

  private CompletionStage<FunctionGetInputsResponse> inputsAnswer(
      LeaseReply reply, boolean batched) {
    return switch (reply) {
      case LeaseReply.Items(var items) -> {
        boolean inline = items.stream().allMatch(item -> Payloads.isInline(item.payload()));
        Blocking.Call<FunctionGetInputsResponse> reading = () -> read(items, batched);
        yield inline ? world.disk().atOnce(reading) : world.disk().call(reading);
      }
      case LeaseReply.Leave _ ->
          CompletableFuture.completedStage(
              FunctionGetInputsResponse.newBuilder()
                  .addInputs(FunctionGetInputsItem.newBuilder().setKillSwitch(true))
                  .build());
      case LeaseReply.Nothing _, LeaseReply.Elsewhere _ ->
          CompletableFuture.completedStage(FunctionGetInputsResponse.getDefaultInstance());
    };
  }

  private FunctionGetInputsResponse read(List<LeasedInput> items, boolean batched)
      throws IOException {
    Room room = new Room(batched ? INLINE_BATCHED_ARGUMENTS : INLINE_ARGUMENTS, INLINE_BATCH);
    FunctionGetInputsResponse.Builder answer = FunctionGetInputsResponse.newBuilder();
    for (LeasedInput item : items) {
      answer.addInputs(
          FunctionGetInputsItem.newBuilder()
              .setInputId(item.input().value())
              .setInput(payloads.input(item.payload(), room))
              .setFunctionCallId(item.input().call().value())
              .setFunctionCallInvocationType(Outputs.invocation(item.invocation()))
              .setRetryCount(item.attempt())
              .setFunctionMapIdx(item.input().index()));
    }
    return answer.build();
  }

  // ---- outputs

  private CompletionStage<Empty> putOutputs(RpcContext context, FunctionPutOutputsRequest request) {
    Caller.Task task = context.task();
    boolean small =
        request.getOutputsList().stream().allMatch(item -> payloads.isSmall(item.getResult()));
    Blocking.Call<List<Reported>> keeping = () -> keep(task, request.getOutputsList());
    return (small ? world.disk().atOnce(keeping) : world.disk().call(keeping))
        .thenCompose(reported -> report(task, reported))
        .thenApply(_ -> Empty.getDefaultInstance());
  }

  private List<Reported> keep(Caller.Task task, List<FunctionPutOutputsItem> items)
      throws IOException {
    List<Reported> reported = new ArrayList<>(items.size());
    for (FunctionPutOutputsItem item : items) {
      InputId input = new InputId(item.getInputId());
      if (!input.call().function().equals(task.function())) {
        throw RpcFailure.denied("Input '%s' is not one of this container's.".formatted(input));
      }
      Supplier<BlobId> blob = () -> blob(task, "%s.%d".formatted(input, item.getRetryCount()));
      reported.add(
          new Reported(
              input,
              item.getResult().getStatusValue(),
              payloads.keep(item.getResult(), blob),
              item.getDataFormatValue(),
              item.getRetryCount(),
              item.getInputStartedAt() == 0 ? null : Outputs.instant(item.getInputStartedAt()),
              item.getOutputCreatedAt() == 0
                  ? world.clock().instant()
                  : Outputs.instant(item.getOutputCreatedAt())));
    }
    return reported;
  }

  private CompletionStage<Void> report(Caller.Task task, List<Reported> reported) {
    return CompletableFuture.allOf(
        Chunks.of(reported, output -> output.result().sizeBytes(), world.settings().messageLimit())
            .stream()
            .map(
                chunk ->
                    world
                        .entities()
                        .moves()
                        .again(
                            () ->
                                Entities.<FunctionProtocol.Command, ReportReply>ask(
                                    world.entities().function(task.function()),
                                    replyTo -> new Report(task.task(), chunk, replyTo),
                                    world.settings().askTimeout()))
                        .thenAccept(ContainersService::requireTaken)
                        .toCompletableFuture())
            .toArray(CompletableFuture[]::new));
  }

  /**
   * The runner could not start its function; a result that is none is its word that all is well.
   */
  private CompletionStage<Empty> taskResult(RpcContext context, TaskResultRequest request) {
    Caller.Task task = context.task();
    GenericResult result = request.getResult();
    GenericStatus status = result.getStatus();
    if (status == GenericStatus.GENERIC_STATUS_SUCCESS
        || status == GenericStatus.GENERIC_STATUS_UNSPECIFIED) {
      return CompletableFuture.completedStage(Empty.getDefaultInstance());
    }
    Blocking.Call<Payload> keeping = () -> payloads.keep(result, () -> blob(task, "start"));
    return world
        .disk()
        .call(keeping)
        .thenCompose(payload -> startFailed(task, result.getStatusValue(), payload))
        .thenApply(_ -> Empty.getDefaultInstance());
  }

  private CompletionStage<Void> startFailed(Caller.Task task, int status, Payload payload) {
    return world
        .entities()
        .function(task.function())
        .<ReportReply>ask(
            replyTo -> new StartFailed(task.task(), status, payload, replyTo),
            world.settings().askTimeout())
        .thenAccept(ContainersService::requireTaken);
  }

  /** The runner repeats what is refused so, for ever and with the delay it is told. */
  private static void requireTaken(ReportReply reply) {
    switch (reply) {
      case ReportReply.Taken() -> {}
      case ReportReply.Again(var retryAfter) ->
          throw RpcFailure.unavailable("The output can't be taken now.", retryAfter);
    }
  }

  private BlobId blob(Caller.Task task, String what) {
    return new BlobId(
        BlobId.PREFIX + world.mint().keyFor(task.identity(), "FunctionPutOutputs", what, "data"));
  }
}
