package dev.troupe.gateway.service;

import dev.troupe.actors.calllog.OutputNumber;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.actors.function.FunctionProtocol;
import dev.troupe.actors.function.FunctionProtocol.Await;
import dev.troupe.actors.function.FunctionProtocol.AwaitReply;
import dev.troupe.actors.function.FunctionProtocol.Wanted;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.gateway.rpc.RpcContext;
import dev.troupe.gateway.rpc.RpcService;
import dev.troupe.gateway.rpc.RpcTable;
import dev.troupe.gateway.service.LongPoll.Turn;
import dev.troupe.gateway.service.Payloads.Room;
import dev.troupe.protocol.modal.FunctionGetOutputsItem;
import dev.troupe.protocol.modal.FunctionGetOutputsRequest;
import dev.troupe.protocol.modal.FunctionGetOutputsResponse;
import dev.troupe.protocol.modal.GenericResult;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** Results of calls, as callers wait for them. */
final class ResultsService implements RpcService {

  /** Longest wait of one request; clients ask again. */
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(55);

  /** Outputs in one answer where the client sets no bound. */
  private static final int MOST_OUTPUTS = 500;

  /** Bytes that results in blobs may add to one answer; the rest stay in their blobs. */
  private static final long ROOM = 16L << 20;

  private final World world;
  private final Payloads payloads;
  private final LongPoll longPoll;
  private final Acknowledgements acknowledgements;
  private final Reach reach;

  ResultsService(World world, Reach reach) {
    this.world = world;
    this.payloads = new Payloads(world.blobs(), world.settings().inlineLimit());
    this.longPoll = world.longPoll();
    this.acknowledgements = new Acknowledgements(world);
    this.reach = reach;
  }

  @Override
  public void register(RpcTable.Builder table) {
    table.unary("FunctionGetOutputs", FunctionGetOutputsRequest.parser(), this::getOutputs);
  }

  /**
   * What a request asks for.
   *
   * @param acknowledges the caller has all it wanted: outputs are to be cleared, none to be given
   */
  record Asked(
      CallId call,
      Wanted wanted,
      int most,
      boolean clear,
      boolean acknowledges,
      Duration patience) {

    /** Reads a request. */
    static Asked of(FunctionGetOutputsRequest request) {
      Duration patience = Duration.ofMillis((long) (request.getTimeout() * 1000));
      patience = patience.isNegative() ? Duration.ZERO : patience;
      boolean ranged = request.hasStartIdx();
      boolean acknowledges =
          request.getClearOnSuccess()
              && patience.isZero()
              && !ranged
              && request.getMaxValues() == 0;
      int first = request.getStartIdx();
      Wanted wanted =
          ranged
              ? new Wanted.Range(first, request.hasEndIdx() ? request.getEndIdx() : first)
              : new Wanted.After(OutputCursor.parse(request.getLastEntryId()));
      int most =
          request.getMaxValues() > 0
              ? Math.min(request.getMaxValues(), MOST_OUTPUTS)
              : MOST_OUTPUTS;
      return new Asked(
          new CallId(request.getFunctionCallId()),
          wanted,
          most,
          request.getClearOnSuccess(),
          acknowledges,
          patience.compareTo(LONGEST_WAIT) < 0 ? patience : LONGEST_WAIT);
    }
  }

  private CompletionStage<FunctionGetOutputsResponse> getOutputs(
      RpcContext context, FunctionGetOutputsRequest request) {
    Asked asked = Asked.of(request);
    CompletionStage<FunctionId> reached = reach.require(context, asked.call().function());
    if (asked.acknowledges()) {
      return reached.thenApply(
          _ -> {
            acknowledgements.take(asked.call());
            return FunctionGetOutputsResponse.getDefaultInstance();
          });
    }
    return reached
        .thenCompose(
            _ -> longPoll.wait(asked.patience(), context.cancelled(), slice -> await(asked, slice)))
        .thenCompose(this::response);
  }

  private CompletionStage<Turn<AwaitReply.Outputs>> await(Asked asked, Duration slice) {
    Instant begun = world.clock().instant();
    return Entities.<FunctionProtocol.Command, AwaitReply>ask(
            world.entities().function(asked.call().function()),
            replyTo ->
                new Await(
                    asked.call(), asked.wanted(), asked.most(), asked.clear(), slice, replyTo),
            slice.plus(world.settings().askTimeout()))
        .thenApply(
            reply ->
                switch (reply) {
                  case AwaitReply.Outputs outputs -> turn(asked, outputs, heldSince(begun, slice));
                  case AwaitReply.Unknown(var call) -> unknown(asked, call);
                  case AwaitReply.Away() -> new Turn.Moved<>();
                });
  }

  private boolean heldSince(Instant begun, Duration slice) {
    return Duration.between(begun, world.clock().instant()).compareTo(slice) >= 0;
  }

  /**
   * An empty answer before the time is up says that none is to come. For a cursor at the end of a
   * call that is all there is to say; a caller who asks for one result that was taken, or expired,
   * would ask for ever.
   */
  private static Turn<AwaitReply.Outputs> turn(
      Asked asked, AwaitReply.Outputs outputs, boolean held) {
    boolean empty = outputs.outputs().isEmpty();
    if (!empty || asked.patience().isZero()) {
      return new Turn.Answer<>(outputs);
    }
    if (held || outputs.unfinished() > 0) {
      return new Turn.Nothing<>(outputs);
    }
    if (asked.wanted() instanceof Wanted.Range) {
      throw CallsService.missing(asked.call());
    }
    return new Turn.Answer<>(outputs);
  }

  /** To a mere poll, an empty answer says that results are gone; who waits would wait for ever. */
  private static Turn<AwaitReply.Outputs> unknown(Asked asked, CallId call) {
    if (asked.patience().isZero()) {
      return new Turn.Answer<>(new AwaitReply.Outputs(List.of(), start(asked.wanted()), 0));
    }
    throw CallsService.missing(call);
  }

  private static OutputNumber start(Wanted wanted) {
    return wanted instanceof Wanted.After(var number) ? number : OutputNumber.START;
  }

  // ---- the answer

  private CompletionStage<FunctionGetOutputsResponse> response(AwaitReply.Outputs outputs) {
    boolean inline =
        outputs.outputs().stream()
            .allMatch(row -> row.result() == null || Payloads.isInline(row.result()));
    Blocking.Call<FunctionGetOutputsResponse> writing = () -> write(outputs);
    return inline ? world.disk().atOnce(writing) : world.disk().call(writing);
  }

  private FunctionGetOutputsResponse write(AwaitReply.Outputs outputs) throws IOException {
    Room room = new Room(ROOM, ROOM);
    List<FunctionGetOutputsItem> items = new ArrayList<>(outputs.outputs().size());
    for (OutputRow row : outputs.outputs()) {
      GenericResult result =
          row.result() == null ? Outputs.platformResult(row) : payloads.result(row.result(), room);
      items.add(Outputs.item(row, result));
    }
    return FunctionGetOutputsResponse.newBuilder()
        .addAllOutputs(items)
        .setLastEntryId(OutputCursor.text(outputs.last()))
        .setNumUnfinishedInputs(outputs.unfinished())
        .build();
  }
}
