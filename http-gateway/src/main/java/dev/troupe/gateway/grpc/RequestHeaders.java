package dev.troupe.gateway.grpc;

import dev.troupe.gateway.rpc.ClientType;
import java.time.Duration;
import java.util.UUID;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.jspecify.annotations.Nullable;

/** The headers of a client's call that Troupe reads; empty where they are not sent. */
record RequestHeaders(
    String tokenId,
    String tokenSecret,
    String idempotencyKey,
    String clientVersion,
    ClientType clientType,
    @Nullable Duration timeout) {

  static RequestHeaders of(HttpRequest request) {
    String tokenId = "";
    String tokenSecret = "";
    String idempotencyKey = "";
    String clientVersion = "";
    ClientType clientType = ClientType.UNKNOWN;
    Duration timeout = null;
    for (HttpHeader header : request.getHeaders()) {
      switch (header.lowercaseName()) {
        case "x-modal-token-id" -> tokenId = header.value();
        case "x-modal-token-secret" -> tokenSecret = header.value();
        case "x-idempotency-key" -> idempotencyKey = header.value();
        case "x-modal-client-version" -> clientVersion = header.value();
        case "x-modal-client-type" -> clientType = ClientType.of(header.value());
        case "grpc-timeout" -> timeout = GrpcHeaders.timeout(header.value());
        default -> {}
      }
    }
    if (idempotencyKey.isEmpty()) {
      idempotencyKey = UUID.randomUUID().toString();
    }
    return new RequestHeaders(
        tokenId, tokenSecret, idempotencyKey, clientVersion, clientType, timeout);
  }
}
