package dev.troupe.gateway.grpc;

import dev.troupe.gateway.rpc.RpcFailure;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.http.javadsl.model.HttpEntity;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.util.ByteString;

/** Takes the message of a request: whole where it came in one frame, else off the wire. */
final class RequestReader {

  private final Admission admission;
  private final Materializer materializer;

  RequestReader(Admission admission, Materializer materializer) {
    this.admission = admission;
    this.materializer = materializer;
  }

  /** The message, once there is room for it. */
  CompletionStage<Received> read(HttpRequest request) {
    return request.entity() instanceof HttpEntity.Strict strict
        ? whole(strict.getData())
        : run(request, MessageSink.reading(admission));
  }

  /** Drops the message, then fails with the refusal. */
  CompletionStage<Received> refuse(HttpRequest request, RpcFailure refusal) {
    return request.entity() instanceof HttpEntity.Strict
        ? CompletableFuture.failedFuture(refusal)
        : run(request, MessageSink.refusing(admission, refusal));
  }

  /** Drops a little of what comes of a request that is answered already. */
  void refuseStranger(HttpRequest request, RpcFailure refusal) {
    if (!(request.entity() instanceof HttpEntity.Strict)) {
      CompletionStage<Received> nothing =
          run(request, MessageSink.refusingStranger(admission, refusal));
      nothing.exceptionally(told -> null);
    }
  }

  private CompletionStage<Received> run(HttpRequest request, MessageSink sink) {
    return request.entity().withoutSizeLimit().getDataBytes().runWith(sink, materializer);
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
}
