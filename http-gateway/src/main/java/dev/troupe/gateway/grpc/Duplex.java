package dev.troupe.gateway.grpc;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import dev.troupe.gateway.grpc.Admission.Reservation;
import dev.troupe.gateway.rpc.Failures;
import dev.troupe.gateway.rpc.RpcFailure;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.NotUsed;
import org.apache.pekko.http.javadsl.model.HttpEntity.ChunkStreamPart;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.japi.pf.PFBuilder;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/** A gRPC call with a stream of messages each way. Its caller is known before it comes here. */
public final class Duplex {

  /** A longer answer is sent in pieces, so that it is seen to move. */
  private static final int SLICE_BYTES = 64 << 10;

  private final String rpc;
  private final Admission admission;
  private final RequestReader reader;

  /** Calls of this RPC. */
  public Duplex(String rpc, Admission admission, Materializer materializer) {
    this.rpc = rpc;
    this.admission = admission;
    this.reader = new RequestReader(admission, materializer);
  }

  /** A message, and the room that it takes until {@code room} is closed. */
  public record Incoming<M>(M message, Reservation room) {}

  /** A message to be sent; {@code sent} is run once it has been handed to the connection. */
  public record Outgoing(Message message, Runnable sent) {}

  /** Bytes of the largest message that is taken. */
  public static long largestMessageBytes(Admission admission) {
    return Math.min(MessageLimit.BYTES, admission.largestBytes());
  }

  /**
   * The messages of the request, none read before there is room for it.
   *
   * @param alive called whenever something comes, and while room is waited for
   */
  public <M extends Message> Source<Incoming<M>, NotUsed> messages(
      HttpRequest request, Parser<M> parser, Runnable alive) {
    return request
        .entity()
        .withoutSizeLimit()
        .getDataBytes()
        .mapMaterializedValue(_ -> NotUsed.getInstance())
        .via(new MessageFlow(admission, alive))
        .map(received -> parsed(received, parser));
  }

  private static <M extends Message> Incoming<M> parsed(Received received, Parser<M> parser) {
    CodedInputStream input = Frames.input(received.message());
    // Bytes within the message are its frame's own, not copies: it is nobody else's.
    input.enableAliasing(true);
    try {
      M message = parser.parseFrom(input);
      input.checkLastTagWas(0);
      return new Incoming<>(message, received.reservation());
    } catch (InvalidProtocolBufferException malformed) {
      received.reservation().close();
      throw RpcFailure.invalid("A message is malformed: " + malformed.getMessage());
    }
  }

  /**
   * The response that sends these messages.
   *
   * @param moved called for every piece that the connection takes
   */
  public HttpResponse answer(Source<Outgoing, NotUsed> messages, Runnable moved) {
    return GrpcResponses.stream(
        messages
            .mapConcat(Duplex::pieces)
            .map(
                piece -> {
                  moved.run();
                  piece.sent().run();
                  return GrpcResponses.part(piece.bytes());
                })
            .concatLazy(Source.lazySingle(GrpcResponses::end))
            .recover(
                new PFBuilder<Throwable, ChunkStreamPart>()
                    .matchAny(failure -> GrpcResponses.end(Failures.of(rpc, failure)))
                    .build()));
  }

  private record Piece(ByteString bytes, Runnable sent) {}

  private static List<Piece> pieces(Outgoing outgoing) {
    ByteString frame = Frames.encode(outgoing.message());
    List<Piece> pieces = new ArrayList<>(1 + frame.size() / SLICE_BYTES);
    for (int from = 0; from < frame.size(); from += SLICE_BYTES) {
      int to = Math.min(frame.size(), from + SLICE_BYTES);
      pieces.add(new Piece(frame.slice(from, to), to == frame.size() ? outgoing.sent() : () -> {}));
    }
    return pieces;
  }

  /** Refuses a call before its request is read. */
  public HttpResponse refuse(HttpRequest request, Throwable failure) {
    RpcFailure refusal = Failures.of(rpc, failure);
    reader.refuseStranger(request, refusal);
    return GrpcResponses.refusal(refusal);
  }
}
