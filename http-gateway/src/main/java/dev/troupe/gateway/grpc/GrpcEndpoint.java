package dev.troupe.gateway.grpc;

import dev.troupe.gateway.auth.TokenCheck;
import dev.troupe.gateway.grpc.Admission.Reservation;
import dev.troupe.gateway.grpc.MessageSink.Received;
import dev.troupe.gateway.rpc.Caller;
import dev.troupe.gateway.rpc.Failures;
import dev.troupe.gateway.rpc.Permissions;
import dev.troupe.gateway.rpc.RpcContext;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.RpcMethod;
import dev.troupe.gateway.rpc.RpcTable;
import dev.troupe.gateway.rpc.StatusCode;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.model.HttpEntity;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.Uri;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.SystemMaterializer;
import org.apache.pekko.util.ByteString;
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
  private final Materializer materializer;
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
    this.materializer = SystemMaterializer.get(system).materializer();
    this.large = large;
  }

  /** Answers a POST to a path under {@link #PATH}. */
  public CompletionStage<HttpResponse> handle(HttpRequest request) {
    String rpc = request.getUri().path().substring(PATH.length());
    RequestHeaders headers = RequestHeaders.of(request);
    return tokens
        .check(headers.tokenId(), headers.tokenSecret())
        .thenCompose(caller -> admitted(rpc, request, headers, caller))
        .exceptionally(failure -> refused(rpc, request, failure));
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

  private CompletionStage<HttpResponse> admitted(
      String rpc, HttpRequest request, RequestHeaders headers, Optional<Caller.Token> known) {
    Caller.Token caller =
        known.orElseThrow(() -> RpcFailure.unauthenticated(unknownToken(headers.tokenId())));
    RpcMethod method = table.require(rpc);
    Permissions.check(caller, rpc);
    if (calls.draining()) {
      throw RpcFailure.unavailable("Troupe is shutting down.", Failures.RETRY_AFTER);
    }
    return receive(request)
        .thenCompose(received -> dispatch(method, request, headers, caller, received))
        .exceptionally(failure -> GrpcResponses.refusal(Failures.of(rpc, failure)));
  }

  private CompletionStage<Received> receive(HttpRequest request) {
    if (request.entity() instanceof HttpEntity.Strict strict) {
      return whole(strict.getData());
    }
    return request
        .entity()
        .withoutSizeLimit()
        .getDataBytes()
        .runWith(MessageSink.reading(admission), materializer);
  }

  private CompletionStage<Received> whole(ByteString body) {
    if (body.size() < Frames.PREFIX_BYTES) {
      throw RpcFailure.invalid("The request is malformed: its message is incomplete.");
    }
    int length = Frames.messageLength(body);
    if (body.size() != Frames.PREFIX_BYTES + length) {
      throw RpcFailure.invalid("The request is malformed: its length is not what it says.");
    }
    return admission
        .reserve(length)
        .thenApply(reserved -> new Received(body.drop(Frames.PREFIX_BYTES), reserved));
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

  private HttpResponse refused(String rpc, HttpRequest request, Throwable thrown) {
    RpcFailure failure = Failures.of(rpc, thrown);
    boolean ofStranger = failure.code() == StatusCode.UNAUTHENTICATED;
    if (!(request.entity() instanceof HttpEntity.Strict)) {
      CompletionStage<Received> nothing =
          request
              .entity()
              .withoutSizeLimit()
              .getDataBytes()
              .runWith(MessageSink.dropping(ofStranger), materializer);
      nothing.exceptionally(ended -> null);
    }
    return GrpcResponses.refusal(failure);
  }

  /** Where this caller reaches the server: what it asked for. */
  private static String baseUrl(Uri uri) {
    String host = uri.host().address();
    return uri.getScheme() + "://" + (uri.port() <= 0 ? host : host + ":" + uri.port());
  }

  private static String unknownToken(String tokenId) {
    return tokenId.isEmpty()
        ? "No token was sent: set MODAL_TOKEN_ID and MODAL_TOKEN_SECRET (troupe env prints them)."
        : "Token '%.60s' is not known here, or its secret is wrong (troupe env prints the right one)."
            .formatted(tokenId);
  }
}
