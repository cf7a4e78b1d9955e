package dev.troupe.gateway.grpc;

import dev.troupe.gateway.rpc.RpcFailure;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.jspecify.annotations.Nullable;

/** The headers and trailers that gRPC gives a meaning. */
final class GrpcHeaders {

  private static final HexFormat HEX = HexFormat.of().withUpperCase();

  /** The trailer of a good answer. */
  static final HttpHeader OK = RawHeader.create("grpc-status", "0");

  private GrpcHeaders() {}

  /** The trailers of a refusal. */
  static List<HttpHeader> of(RpcFailure failure) {
    List<HttpHeader> headers = new ArrayList<>(3);
    headers.add(RawHeader.create("grpc-status", Integer.toString(failure.code().number())));
    headers.add(RawHeader.create("grpc-message", percentEncoded(failure.description())));
    byte[] details = failure.detailsBytes();
    if (details.length > 0) {
      headers.add(
          RawHeader.create(
              "grpc-status-details-bin",
              Base64.getEncoder().withoutPadding().encodeToString(details)));
    }
    return headers;
  }

  /** Printable ASCII as it is, all else as the UTF-8 bytes in hexadecimal. */
  static String percentEncoded(String message) {
    byte[] bytes = message.getBytes(StandardCharsets.UTF_8);
    StringBuilder text = new StringBuilder(bytes.length + 16);
    for (byte each : bytes) {
      if (each >= ' ' && each <= '~' && each != '%') {
        text.append((char) each);
      } else {
        text.append('%').append(HEX.toHexDigits(each));
      }
    }
    return text.toString();
  }

  /** Reads {@code grpc-timeout}: up to eight digits and a unit; null where it is malformed. */
  static @Nullable Duration timeout(String header) {
    int digits = header.length() - 1;
    if (digits < 1 || digits > 8) {
      return null;
    }
    long amount = 0;
    for (int i = 0; i < digits; i++) {
      int digit = header.charAt(i) - '0';
      if (digit < 0 || digit > 9) {
        return null;
      }
      amount = amount * 10 + digit;
    }
    return switch (header.charAt(digits)) {
      case 'H' -> Duration.ofHours(amount);
      case 'M' -> Duration.ofMinutes(amount);
      case 'S' -> Duration.ofSeconds(amount);
      case 'm' -> Duration.ofMillis(amount);
      case 'u' -> Duration.ofNanos(amount * 1_000);
      case 'n' -> Duration.ofNanos(amount);
      default -> null;
    };
  }
}
