package dev.troupe.gateway.service;

import dev.troupe.actors.calllog.CallRow;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.function.FunctionProtocol;
import dev.troupe.actors.function.FunctionProtocol.Await;
import dev.troupe.actors.function.FunctionProtocol.AwaitReply;
import dev.troupe.actors.function.FunctionProtocol.CallReply;
import dev.troupe.actors.function.FunctionProtocol.Inspect;
import dev.troupe.actors.function.FunctionProtocol.Wanted;
import dev.troupe.actors.id.CallId;
import dev.troupe.gateway.rpc.RpcContext;
import dev.troupe.gateway.rpc.RpcService;
import dev.troupe.gateway.rpc.RpcTable;
import dev.troupe.protocol.modal.FunctionCallGetInfoRequest;
import dev.troupe.protocol.modal.FunctionCallGetInfoResponse;
import dev.troupe.protocol.modal.FunctionCallInfo;
import dev.troupe.protocol.modal.GenericResult.GenericStatus;
import dev.troupe.protocol.modal.InputCategoryInfo;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;

/** How far calls have come. */
final class CallInfoService implements RpcService {

  /** Outputs that are looked at, in one step and in all. */
  private static final int STEP = 100;

  private static final int LOOKED_AT = 1_000;

  private final World world;
  private final Reach reach;

  CallInfoService(World world, Reach reach) {
    this.world = world;
    this.reach = reach;
  }

  @Override
  public void register(RpcTable.Builder table) {
    table.unary("FunctionCallGetInfo", FunctionCallGetInfoRequest.parser(), this::info);
  }

  private CompletionStage<FunctionCallGetInfoResponse> info(
      RpcContext context, FunctionCallGetInfoRequest request) {
    CallId call = new CallId(request.getFunctionCallId());
    return reach
        .require(context, call.function())
        .thenCompose(
            function ->
                Entities.<FunctionProtocol.Command, CallReply>ask(
                    world.entities().function(function),
                    replyTo -> new Inspect(call, replyTo),
                    world.settings().askTimeout()))
        .thenCompose(
            reply ->
                switch (reply) {
                  case CallReply.Found found -> info(found);
                  case CallReply.Missing(var missing) -> throw CallsService.missing(missing);
                })
        .thenApply(info -> FunctionCallGetInfoResponse.newBuilder().setInfo(info).build());
  }

  /**
   * How inputs ended is told by their outputs. Of a call with very many, only the first are looked
   * at; the others count as those whose outputs were taken do: they ended, and well.
   */
  private CompletionStage<FunctionCallInfo> info(CallReply.Found found) {
    CallRow row = found.call();
    int total = row.total() < 0 ? found.known() : row.total();
    int looked = Math.min(total, LOOKED_AT);
    CompletionStage<List<OutputRow>> outputs =
        found.finished() == 0
            ? CompletableFuture.completedStage(List.of())
            : outputs(row.call(), 0, looked - 1, new ArrayList<>());
    return outputs.thenApply(all -> info(found, total, all));
  }

  private static FunctionCallInfo info(CallReply.Found found, int total, List<OutputRow> outputs) {
    int timeouts = count(outputs, status -> status == GenericStatus.GENERIC_STATUS_TIMEOUT);
    int cancelled = count(outputs, status -> status == GenericStatus.GENERIC_STATUS_TERMINATED);
    int failed =
        count(
            outputs,
            status ->
                switch (status) {
                  case GENERIC_STATUS_SUCCESS, GENERIC_STATUS_TIMEOUT, GENERIC_STATUS_TERMINATED ->
                      false;
                  default -> true;
                });
    int finished = Math.max(found.finished(), outputs.size());
    return FunctionCallInfo.newBuilder()
        .setFunctionCallId(found.call().call().value())
        .setCreatedAt(Outputs.seconds(found.call().createdAt()))
        .setTotalInputs(total)
        .setPendingInputs(category(Math.max(0, total - finished)))
        .setTimeoutInputs(category(timeouts))
        .setCancelledInputs(category(cancelled))
        .setFailedInputs(category(failed))
        .setSucceededInputs(category(finished - timeouts - cancelled - failed))
        .build();
  }

  private static int count(List<OutputRow> outputs, Predicate<GenericStatus> ended) {
    return (int)
        outputs.stream()
            .map(row -> GenericStatus.forNumber(row.status()))
            .filter(status -> status != null && ended.test(status))
            .count();
  }

  private static InputCategoryInfo category(int total) {
    return InputCategoryInfo.newBuilder().setTotal(total).build();
  }

  private CompletionStage<List<OutputRow>> outputs(
      CallId call, int first, int last, List<OutputRow> sofar) {
    if (first > last) {
      return CompletableFuture.completedStage(sofar);
    }
    int end = Math.min(last, first + STEP - 1);
    return Entities.<FunctionProtocol.Command, AwaitReply>ask(
            world.entities().function(call.function()),
            replyTo ->
                new Await(call, new Wanted.Range(first, end), STEP, false, Duration.ZERO, replyTo),
            world.settings().askTimeout())
        .thenCompose(
            reply -> {
              if (reply instanceof AwaitReply.Outputs some) {
                sofar.addAll(some.outputs());
              }
              return outputs(call, end + 1, last, sofar);
            });
  }
}
