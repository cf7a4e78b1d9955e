package dev.troupe.node.link;

import dev.troupe.actors.blob.ContentSource;
import dev.troupe.actors.door.BlobDoor;
import dev.troupe.actors.log.LogIntake;
import dev.troupe.protocol.link.NodeLinkWire;
import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.regex.Pattern;

/**
 * Blobs and content of a server elsewhere. Blob requests of containers are sent on as they are:
 * their signed link is all they have. Content is asked for, and logs are sent, in the machine's own
 * name. A server that can't be reached is waited for.
 */
final class RemoteBlobs implements BlobDoor, ContentSource, LogIntake, AutoCloseable {

  /** A blob's link, and nothing else that the server has. */
  private static final Pattern LINK = Pattern.compile(BlobDoor.PATH + "[0-9A-Za-z-]+\\?[!-~]*");

  private static final List<String> METHODS = List.of("GET", "HEAD", "PUT", "POST");
  private static final List<String> PASSED_ON = List.of("range", "content-type", "content-md5");
  private static final List<String> PASSED_BACK = List.of("content-type", "content-range", "etag");
  private static final Duration PUT = Duration.ofMinutes(1);
  private static final Duration CONNECT = Duration.ofSeconds(10);

  private final ServerAddresses servers;
  private final Duration patience;
  private final Duration pause;
  private final HttpClient client;

  /**
   * @param patience how long a server that can't be reached is waited for
   * @param pause between two tries
   */
  RemoteBlobs(ServerAddresses servers, Duration patience, Duration pause, Executor executor) {
    this.servers = servers;
    this.patience = patience;
    this.pause = pause;
    this.client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .sslContext(servers.present().tls())
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(CONNECT)
            .executor(executor)
            .build();
  }

  @Override
  public Response handle(Request request) throws IOException {
    if (!LINK.matcher(request.target()).matches() || !METHODS.contains(request.method())) {
      return text(403, "Nothing but blobs is here, by the links that were given.");
    }
    HttpRequest.Builder sent = HttpRequest.newBuilder().method(request.method(), body(request));
    for (String name : PASSED_ON) {
      String value = request.headers().get(name);
      if (value != null) {
        sent.header(name, value);
      }
    }
    boolean isRead = List.of("GET", "HEAD").contains(request.method());
    HttpResponse<InputStream> answer = send(sent, request.target(), isRead);
    Map<String, String> headers = new HashMap<>();
    for (String name : PASSED_BACK) {
      answer.headers().firstValue(name).ifPresent(value -> headers.put(name, value));
    }
    return new Response(
        answer.statusCode(),
        Map.copyOf(headers),
        answer.headers().firstValueAsLong("content-length").orElse(0),
        answer.body());
  }

  private static BodyPublisher body(Request request) {
    if (request.contentLength() == 0 || List.of("GET", "HEAD").contains(request.method())) {
      return BodyPublishers.noBody();
    }
    BodyPublisher stream = BodyPublishers.ofInputStream(request::body);
    return request.contentLength() < 0
        ? stream
        : BodyPublishers.fromPublisher(stream, request.contentLength());
  }

  private static Response text(int status, String sentence) {
    byte[] bytes = (sentence + "\n").getBytes(StandardCharsets.UTF_8);
    return new Response(
        status,
        Map.of("content-type", "text/plain; charset=utf-8"),
        bytes.length,
        new ByteArrayInputStream(bytes));
  }

  @Override
  public InputStream open(String sha256Hex) throws IOException {
    return open(sha256Hex, "");
  }

  @Override
  public InputStream open(String sha256Hex, String key) throws IOException {
    String target =
        "%s%s?%s=%s"
            .formatted(
                ContentSource.PATH,
                sha256Hex,
                NodeLinkWire.CONTENT_KEY,
                URLEncoder.encode(key, StandardCharsets.UTF_8));
    HttpResponse<InputStream> answer = send(HttpRequest.newBuilder(), target, true);
    if (answer.statusCode() == 200) {
      return answer.body();
    }
    String said = said(answer);
    if (answer.statusCode() == 404) {
      throw new FileNotFoundException(sha256Hex + ": " + said);
    }
    throw new IOException("the server answered %d: %s".formatted(answer.statusCode(), said));
  }

  @Override
  public void put(Segment segment, byte[] gzip) throws IOException {
    String target =
        LogIntake.PATH + segment.log() + "/" + segment.first() + "-" + segment.firstTimeUs();
    HttpRequest.Builder request =
        HttpRequest.newBuilder().timeout(PUT).PUT(BodyPublishers.ofByteArray(gzip));
    HttpResponse<InputStream> answer = send(request, target, true);
    String said = said(answer);
    if (answer.statusCode() != 200) {
      throw new IOException("the server answered %d: %s".formatted(answer.statusCode(), said));
    }
  }

  private static String said(HttpResponse<InputStream> answer) throws IOException {
    try (InputStream body = answer.body()) {
      return new String(body.readNBytes(1_000), StandardCharsets.UTF_8).strip();
    }
  }

  /**
   * A request that found no server was not begun, and is sent again, to whichever process of the
   * server is linked then; so is one that broke off before its answer, where a repeat does no harm.
   */
  private HttpResponse<InputStream> send(
      HttpRequest.Builder request, String target, boolean isRepeatable) throws IOException {
    long until = System.nanoTime() + patience.toNanos();
    try {
      while (true) {
        HttpRequest sent = request.uri(servers.present().resolve(target)).build();
        try {
          return client.send(sent, BodyHandlers.ofInputStream());
        } catch (IOException failure) {
          boolean away =
              failure instanceof ConnectException || failure instanceof HttpConnectTimeoutException;
          if (!(away || isRepeatable) || System.nanoTime() - until > 0) {
            throw failure;
          }
          Thread.sleep(pause);
        }
      }
    } catch (InterruptedException givenUp) {
      Thread.currentThread().interrupt();
      throw new IOException("the request was given up", givenUp);
    }
  }

  @Override
  public void close() {
    client.shutdownNow();
  }
}
