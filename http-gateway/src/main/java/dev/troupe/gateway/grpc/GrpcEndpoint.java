package dev.troupe.gateway.grpc;

import dev.troupe.gateway.auth.TokenCheck;
import dev.troupe.gateway.grpc.Admission.Reservation;
import dev.troupe.gateway.rpc.Caller;
import dev.troupe.gateway.rpc.Failures;
import dev.troupe.gateway.rpc.Permissions;
import dev.troupe.gateway.rpc.RpcContext;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.RpcMethod;
import dev.troupe.gateway.rpc.RpcTable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.Uri;
import org.apache.pekko.stream.SystemMaterializer;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The client's RPCs on the public port: who calls is known from the headers, and there is room for
 * the request, before its body is read. Then the table answers.
 */
public final class GrpcEndpoint {

  /** Where the client's RPCs are. */
  public static final String PATH = "/modal.client.ModalClient/";

  /** A longer request is parsed off the dispatcher. */
  private static final int LARGE_REQUEST_BYTES = 1 << 20;

  private static final Logger LOG = LoggerFactory.getLogger(GrpcEndpoint.class);

  private final RpcTable table;
  private final TokenCheck tokens;
  private final Admission admission;
  private final ActorSystem<?> system;
  private final RequestReader reader;
  private final Executor large;
  private final Calls calls = new Calls();

  /** An endpoint of this table; {@code large} runs what takes the processor for long. */
  public GrpcEndpoint(
      RpcTable table,
      TokenCheck tokens,
      Admission admission,
      ActorSystem<?> system,
      Executor large) {
    this.table = table;
    this.tokens = tokens;
    this.admission = admission;
    this.system = system;
    this.reader = new RequestReader(admission, SystemMaterializer.get(system).materializer());
    this.large = large;
  }

  /** Answers a POST to a path under {@link #PATH}. */
  public CompletionStage<HttpResponse> handle(HttpRequest request) {
    String rpc = request.getUri().path().substring(PATH.length());
    RequestHeaders headers = RequestHeaders.of(request);
    return tokens
        .check(headers.tokenId(), headers.tokenSecret())
        .handle(
            (caller, failure) ->
                failure != null
                    ? stranger(request, Failures.of(rpc, failure))
                    : caller
                        .map(token -> known(rpc, request, headers, token))
                        .orElseGet(() -> stranger(request, unknownToken(headers.tokenId()))))
        .thenCompose(response -> response)
        .exceptionally(failure -> GrpcResponses.refusal(Failures.of(rpc, failure)));
  }

  /** Whether a request is a gRPC call, whatever its path. */
  public static boolean isGrpc(HttpRequest request) {
    return request.entity().getContentType().toString().startsWith("application/grpc");
  }

  /** The answer to a gRPC call of a path that nobody serves. */
  public static HttpResponse unserved(String path) {
    return GrpcResponses.refusal(RpcFailure.unimplemented(RpcTable.unserved(path)));
  }

  /** Refuses new calls, ends those that only wait, and completes when none is left. */
  public CompletionStage<Void> drain() {
    return calls.drain();
  }

  private CompletionStage<HttpResponse> known(
      String rpc, HttpRequest request, RequestHeaders headers, Caller.Token caller) {
    RpcFailure refusal = refusal(rpc, caller);
    CompletionStage<Received> received =
        refusal == null ? reader.read(request) : reader.refuse(request, refusal);
    return received.thenCompose(
        message -> dispatch(table.require(rpc), request, headers, caller, message));
  }

  /** Answers before the request has been read. */
  private CompletionStage<HttpResponse> stranger(HttpRequest request, RpcFailure refusal) {
    reader.refuseStranger(request, refusal);
    return CompletableFuture.completedFuture(GrpcResponses.refusal(refusal));
  }

  private @Nullable RpcFailure refusal(String rpc, Caller.Token caller) {
    try {
      RpcMethod method = table.require(rpc);
      Permissions.check(caller, method.name());
      return calls.draining()
          ? RpcFailure.unavailable("Troupe is shutting down.", Failures.RETRY_AFTER)
          : null;
    } catch (RpcFailure refusal) {
      return refusal;
    }
  }

  private CompletionStage<HttpResponse> dispatch(
      RpcMethod method,
      HttpRequest request,
      RequestHeaders headers,
      Caller.Token caller,
      Received received) {
    LOG.debug("{} by {}, {} bytes", method.name(), caller.tokenId(), received.message().size());
    Reservation reserved = received.reservation();
    GrpcCall call = new GrpcCall(method.name(), system, admission, reserved, calls);
    RpcContext context =
        new RpcContext(
            caller,
            headers.idempotencyKey(),
            headers.clientVersion(),
            headers.clientType(),
            headers.timeout(),
            call.cancelled(),
            baseUrl(request.getUri()));
    ByteString message = received.message();
    if (message.size() <= LARGE_REQUEST_BYTES) {
      return answer(method, context, message, call);
    }
    return CompletableFuture.supplyAsync(() -> answer(method, context, message, call), large)
        .thenCompose(response -> response);
  }

  private static CompletionStage<HttpResponse> answer(
      RpcMethod method, RpcContext context, ByteString message, GrpcCall call) {
    return switch (method) {
      case RpcMethod.Unary<?, ?> unary -> call.unary(unary.call(context, Frames.input(message)));
      case RpcMethod.Streaming<?, ?> streaming ->
          CompletableFuture.completedFuture(
              call.streaming(streaming.call(context, Frames.input(message))));
    };
  }

  /** Where this caller reaches the server: what it asked for. */
  private static String baseUrl(Uri uri) {
    String host = uri.host().address();
    return uri.getScheme() + "://" + (uri.port() <= 0 ? host : host + ":" + uri.port());
  }

  private static RpcFailure unknownToken(String tokenId) {
    return RpcFailure.unauthenticated(
        tokenId.isEmpty()
            ? "No token was sent: set MODAL_TOKEN_ID and MODAL_TOKEN_SECRET (troupe env prints"
                + " them)."
            : "Token '%.60s' is not known here, or its secret is wrong (troupe env prints the right"
                    .formatted(tokenId)
                + " one).");
  }
}
