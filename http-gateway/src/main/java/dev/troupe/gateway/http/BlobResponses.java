package dev.troupe.gateway.http;

import dev.troupe.actors.door.BlobDoor.Response;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/** Answers of blob HTTP. */
final class BlobResponses {

  private static final String CONTENT_TYPE = "content-type";

  private BlobResponses() {}

  static Response text(int status, String sentence) {
    return of(status, "text/plain; charset=utf-8", sentence + "\n");
  }

  static Response xml(String body) {
    return of(200, "application/xml", body);
  }

  static Response empty(int status, Map<String, String> headers) {
    return new Response(status, headers, 0, InputStream.nullInputStream());
  }

  static Response bytes(int status, Map<String, String> headers, long length, InputStream body) {
    Map<String, String> all = new HashMap<>(headers);
    all.put(CONTENT_TYPE, "application/octet-stream");
    return new Response(status, Map.copyOf(all), length, body);
  }

  private static Response of(int status, String contentType, String body) {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    return new Response(
        status, Map.of(CONTENT_TYPE, contentType), bytes.length, new ByteArrayInputStream(bytes));
  }
}
