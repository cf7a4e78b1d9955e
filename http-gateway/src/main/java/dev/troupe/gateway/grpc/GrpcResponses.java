package dev.troupe.gateway.grpc;

import dev.troupe.gateway.rpc.RpcFailure;
import java.util.List;
import org.apache.pekko.NotUsed;
import org.apache.pekko.http.javadsl.model.AttributeKeys;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpEntity.ChunkStreamPart;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.MediaTypes;
import org.apache.pekko.http.javadsl.model.Trailer;
import org.apache.pekko.http.scaladsl.model.HttpEntity;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/** HTTP responses that are gRPC answers. Never compressed: the Python client can't read it. */
final class GrpcResponses {

  private static final ContentType GRPC =
      ContentTypes.create(MediaTypes.customBinary("application", "grpc", false));
  private static final Trailer OK = Trailer.create().addHeader(GrpcHeaders.OK);

  private GrpcResponses() {}

  /** One whole message. */
  static HttpResponse message(ByteString frame) {
    return HttpResponse.create()
        .withEntity(HttpEntities.create(GRPC, frame))
        .addAttribute(AttributeKeys.trailer, OK);
  }

  /** A refusal, before any message: headers alone. */
  static HttpResponse refusal(RpcFailure failure) {
    return HttpResponse.create()
        .withEntity(HttpEntities.create(GRPC, ByteString.emptyByteString()))
        .addHeaders(GrpcHeaders.of(failure));
  }

  /** Any number of messages; the last part holds the status. Headers go out at once. */
  static HttpResponse stream(Source<ChunkStreamPart, NotUsed> parts) {
    return HttpResponse.create()
        .withEntity(
            new HttpEntity.Chunked(
                (org.apache.pekko.http.scaladsl.model.ContentType) GRPC,
                parts
                    .map(part -> (HttpEntity.ChunkStreamPart) part)
                    .mapMaterializedValue(none -> (Object) none)
                    .asScala()));
  }

  /** A piece of a stream. */
  static ChunkStreamPart part(ByteString bytes) {
    return ChunkStreamPart.create(bytes);
  }

  /** The end of a stream that went well. */
  static ChunkStreamPart end() {
    return end(List.of(GrpcHeaders.OK));
  }

  /** The end of a stream that failed. */
  static ChunkStreamPart end(RpcFailure failure) {
    return end(GrpcHeaders.of(failure));
  }

  private static ChunkStreamPart end(List<HttpHeader> trailers) {
    return ChunkStreamPart.createLast("", trailers);
  }
}
