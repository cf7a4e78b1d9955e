package dev.troupe.actors.door;

import java.io.IOException;
import java.io.InputStream;
import java.util.Map;

/**
 * Blob HTTP behind a container's on-link address: signed URLs, GET, PUT and the completing POST.
 * Blocking; called on virtual threads by the agent's HTTP listener, and by the public port on a
 * dispatcher for blocking work.
 */
public interface BlobDoor {

  /** Path of all blob links, before the blob's id. */
  String PATH = "/_troupe/blobs/";

  /** Answers one request. The body of the answer is to be read to its end or closed. */
  Response handle(Request request) throws IOException;

  /**
   * One HTTP request.
   *
   * @param target path and query as they came, undecoded
   * @param headers lower-case names
   * @param contentLength -1 where the sender gave none
   */
  record Request(
      String method,
      String target,
      Map<String, String> headers,
      long contentLength,
      InputStream body) {}

  /** One HTTP answer; {@code contentLength} is always known. */
  record Response(int status, Map<String, String> headers, long contentLength, InputStream body) {}
}
