package dev.troupe.gateway.service;

import com.google.protobuf.Empty;
import dev.troupe.actors.calllog.CallRow;
import dev.troupe.actors.function.FunctionProtocol;
import dev.troupe.actors.function.FunctionProtocol.CallReply;
import dev.troupe.actors.function.FunctionProtocol.Cancel;
import dev.troupe.actors.function.FunctionProtocol.Describe;
import dev.troupe.actors.function.FunctionProtocol.Description;
import dev.troupe.actors.function.FunctionProtocol.FinishInputs;
import dev.troupe.actors.function.FunctionProtocol.Inspect;
import dev.troupe.actors.function.FunctionProtocol.NewInput;
import dev.troupe.actors.function.FunctionProtocol.PutInputs;
import dev.troupe.actors.function.FunctionProtocol.Submit;
import dev.troupe.actors.function.FunctionProtocol.SubmitReply;
import dev.troupe.actors.id.BlobId;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.InputId;
import dev.troupe.gateway.rpc.RpcContext;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.RpcService;
import dev.troupe.gateway.rpc.RpcTable;
import dev.troupe.protocol.modal.FunctionCallCancelRequest;
import dev.troupe.protocol.modal.FunctionCallFromIdRequest;
import dev.troupe.protocol.modal.FunctionCallFromIdResponse;
import dev.troupe.protocol.modal.FunctionCallHandleMetadata;
import dev.troupe.protocol.modal.FunctionFinishInputsRequest;
import dev.troupe.protocol.modal.FunctionMapRequest;
import dev.troupe.protocol.modal.FunctionMapResponse;
import dev.troupe.protocol.modal.FunctionPutInputsItem;
import dev.troupe.protocol.modal.FunctionPutInputsRequest;
import dev.troupe.protocol.modal.FunctionPutInputsResponse;
import dev.troupe.protocol.modal.FunctionPutInputsResponseItem;
import dev.troupe.protocol.modal.FunctionRetryInputsRequest;
import dev.troupe.protocol.modal.FunctionRetryInputsResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;

/** Calls, as those see them who make them: new ones, their inputs, their end. */
final class CallsService implements RpcService {

  /** Inputs of one map that a client keeps in flight. */
  private static final int MAX_INPUTS_OUTSTANDING = 1_000;

  /** How often in a row a function may be on the move until its caller is told to come back. */
  private static final int MOVES_LIMIT = 10;

  private static final Duration AFTER_MOVE = Duration.ofMillis(200);

  private final World world;
  private final Payloads payloads;
  private final Reach reach;

  CallsService(World world, Reach reach) {
    this.world = world;
    this.payloads = new Payloads(world.blobs(), world.settings().inlineLimit());
    this.reach = reach;
  }

  @Override
  public void register(RpcTable.Builder table) {
    table
        .unary("FunctionMap", FunctionMapRequest.parser(), this::map)
        .unary("FunctionPutInputs", FunctionPutInputsRequest.parser(), this::putInputs)
        .unary("FunctionFinishInputs", FunctionFinishInputsRequest.parser(), this::finishInputs)
        .unary("FunctionRetryInputs", FunctionRetryInputsRequest.parser(), this::retryInputs)
        .unary("FunctionCallCancel", FunctionCallCancelRequest.parser(), this::cancel)
        .unary("FunctionCallFromId", FunctionCallFromIdRequest.parser(), this::fromId);
  }

  private CompletionStage<FunctionMapResponse> map(RpcContext context, FunctionMapRequest request) {
    FunctionId function = new FunctionId(request.getFunctionId());
    String key =
        world
            .mint()
            .keyFor(context.caller().identity(), "FunctionMap", context.idempotencyKey(), "call");
    CallId call = CallId.of(function, key);
    CallRow.Kind kind = Outputs.kind(request.getFunctionCallType());
    CallRow row =
        new CallRow(
            call,
            kind,
            Outputs.invocation(request.getFunctionCallInvocationType()),
            kind == CallRow.Kind.UNARY ? 1 : -1,
            false,
            world.clock().instant());
    return reach
        .require(context, function)
        .thenCompose(_ -> keep(call, request.getPipelinedInputsList()))
        .thenCompose(inputs -> submit(row, inputs))
        .thenApply(
            _ ->
                FunctionMapResponse.newBuilder()
                    .setFunctionCallId(call.value())
                    .addAllPipelinedInputs(answers(call, request.getPipelinedInputsList()))
                    .setMaxInputsOutstanding(MAX_INPUTS_OUTSTANDING)
                    .build());
  }

  private CompletionStage<FunctionPutInputsResponse> putInputs(
      RpcContext context, FunctionPutInputsRequest request) {
    CallId call = new CallId(request.getFunctionCallId());
    return reach
        .require(context, call.function())
        .thenCompose(_ -> keep(call, request.getInputsList()))
        .thenCompose(inputs -> put(call, chunks(inputs)))
        .thenApply(
            _ ->
                FunctionPutInputsResponse.newBuilder()
                    .addAllInputs(answers(call, request.getInputsList()))
                    .build());
  }

  private CompletionStage<Empty> finishInputs(
      RpcContext context, FunctionFinishInputsRequest request) {
    CallId call = new CallId(request.getFunctionCallId());
    return reach
        .require(context, call.function())
        .thenCompose(
            function ->
                send(
                    function,
                    replyTo -> new FinishInputs(call, request.getNumInputs(), replyTo),
                    0))
        .thenApply(_ -> Empty.getDefaultInstance());
  }

  /** Clients retry by themselves only where {@code sync_client_retries_enabled} says so. */
  private CompletionStage<FunctionRetryInputsResponse> retryInputs(
      RpcContext context, FunctionRetryInputsRequest request) {
    throw RpcFailure.unimplemented("Troupe retries inputs itself; a client need not.");
  }

  private CompletionStage<Empty> cancel(RpcContext context, FunctionCallCancelRequest request) {
    CallId call = new CallId(request.getFunctionCallId());
    return reach
        .require(context, call.function())
        .thenCompose(
            function ->
                send(
                    function,
                    replyTo -> new Cancel(call, request.getTerminateContainers(), replyTo),
                    0))
        .thenApply(_ -> Empty.getDefaultInstance());
  }

  private CompletionStage<FunctionCallFromIdResponse> fromId(
      RpcContext context, FunctionCallFromIdRequest request) {
    CallId call = new CallId(request.getFunctionCallId());
    Duration timeout = world.settings().askTimeout();
    return reach
        .require(context, call.function())
        .thenCompose(
            function ->
                world
                    .entities()
                    .function(function)
                    .<CallReply>ask(replyTo -> new Inspect(call, replyTo), timeout))
        .thenCombine(
            world.entities().function(call.function()).<Description>ask(Describe::new, timeout),
            (reply, description) -> handle(call, reply, description));
  }

  private static FunctionCallFromIdResponse handle(
      CallId call, CallReply reply, Description description) {
    FunctionCallHandleMetadata.Builder metadata =
        FunctionCallHandleMetadata.newBuilder().setFunctionId(call.function().value());
    if (description instanceof Description.Known(var latest, _, _)) {
      metadata.setAppId(latest.app().value());
    }
    return switch (reply) {
      case CallReply.Found(var row, var known, _) ->
          FunctionCallFromIdResponse.newBuilder()
              .setFunctionCallId(call.value())
              .setNumInputs(row.total() < 0 ? known : row.total())
              .setMetadata(metadata)
              .build();
      case CallReply.Missing(_) -> throw missing(call);
    };
  }

  // ---- inputs

  private CompletionStage<List<NewInput>> keep(CallId call, List<FunctionPutInputsItem> items) {
    boolean small = items.stream().allMatch(item -> payloads.isSmall(item.getInput()));
    Blocking.Call<List<NewInput>> keeping = () -> keepEach(call, items);
    return small ? world.disk().atOnce(keeping) : world.disk().call(keeping);
  }

  private List<NewInput> keepEach(CallId call, List<FunctionPutInputsItem> items)
      throws IOException {
    List<NewInput> inputs = new ArrayList<>(items.size());
    for (FunctionPutInputsItem item : items) {
      InputId id = InputId.of(call, item.getIdx());
      Supplier<BlobId> blob =
          () ->
              new BlobId(
                  BlobId.PREFIX + world.mint().keyFor("", "FunctionPutInputs", id.value(), "args"));
      inputs.add(
          new NewInput(
              item.getIdx(),
              item.getInput().getMethodName(),
              payloads.keep(item.getInput(), blob)));
    }
    return inputs;
  }

  private CompletionStage<Void> submit(CallRow row, List<NewInput> inputs) {
    List<List<NewInput>> chunks = chunks(inputs);
    List<NewInput> first = chunks.isEmpty() ? List.of() : chunks.getFirst();
    CompletionStage<Void> submitted =
        send(row.call().function(), replyTo -> new Submit(row, first, replyTo), 0);
    return chunks.size() < 2
        ? submitted
        : submitted.thenCompose(_ -> put(row.call(), chunks.subList(1, chunks.size())));
  }

  /** All at once, so that they share commits; what fails is sent again by the client, whole. */
  private CompletionStage<Void> put(CallId call, List<List<NewInput>> chunks) {
    return CompletableFuture.allOf(
        chunks.stream()
            .map(
                chunk ->
                    send(call.function(), replyTo -> new PutInputs(call, chunk, replyTo), 0)
                        .toCompletableFuture())
            .toArray(CompletableFuture[]::new));
  }

  private List<List<NewInput>> chunks(List<NewInput> inputs) {
    return Chunks.of(inputs, input -> input.payload().sizeBytes(), world.settings().messageLimit());
  }

  /** Clients look into an input's JWT only where they retry by themselves, so it stays empty. */
  private static List<FunctionPutInputsResponseItem> answers(
      CallId call, List<FunctionPutInputsItem> items) {
    return items.stream()
        .map(
            item ->
                FunctionPutInputsResponseItem.newBuilder()
                    .setIdx(item.getIdx())
                    .setInputId(InputId.of(call, item.getIdx()).value())
                    .build())
        .toList();
  }

  // ---- the entity's answers

  /** What is said about a call. */
  @FunctionalInterface
  private interface Say {
    FunctionProtocol.Command to(ActorRef<SubmitReply> replyTo);
  }

  private CompletionStage<Void> send(FunctionId function, Say say, int moves) {
    return world
        .entities()
        .moves()
        .again(
            () ->
                Entities.<FunctionProtocol.Command, SubmitReply>ask(
                    world.entities().function(function), say::to, world.settings().askTimeout()))
        .thenCompose(
            reply ->
                switch (reply) {
                  case SubmitReply.Accepted(_) -> CompletableFuture.allOf();
                  case SubmitReply.Overloaded(var retryAfter, var why) ->
                      throw RpcFailure.overloaded(why, retryAfter);
                  case SubmitReply.NoFunction(var why) -> throw RpcFailure.notFound(why);
                  case SubmitReply.NoCall(var call) -> throw missing(call);
                  case SubmitReply.Moved() when moves < MOVES_LIMIT ->
                      send(function, say, moves + 1);
                  case SubmitReply.Moved() ->
                      throw RpcFailure.unavailable(
                          "The function is moving to another process.", AFTER_MOVE);
                });
  }

  static RpcFailure missing(CallId call) {
    return RpcFailure.notFound(
        "Function call '%s' does not exist, or its results have expired.".formatted(call));
  }
}
