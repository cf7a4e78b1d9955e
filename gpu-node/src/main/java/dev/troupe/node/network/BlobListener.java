package dev.troupe.node.network;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.troupe.actors.door.BlobDoor;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Blob HTTP at the address that containers reach: each request is handed to the {@link BlobDoor},
 * bodies stream both ways. What may be read or written is the door's affair, by signed URLs.
 */
public final class BlobListener implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(BlobListener.class);

  private final HttpServer server;
  private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();

  private BlobListener(HttpServer server) {
    this.server = server;
  }

  /** Listens on a free port of the address. */
  public static BlobListener open(String address, BlobDoor door) throws IOException {
    HttpServer server = HttpServer.create(new InetSocketAddress(address, 0), 128);
    BlobListener listener = new BlobListener(server);
    server.setExecutor(listener.executor);
    server.createContext("/", exchange -> answer(exchange, door));
    server.start();
    return listener;
  }

  /** The port it listens on. */
  public int port() {
    return server.getAddress().getPort();
  }

  /** Base of URLs, as in {@code http://169.254.77.1:40123}. */
  public String url() {
    return "http://" + server.getAddress().getHostString() + ":" + port();
  }

  private static void answer(HttpExchange exchange, BlobDoor door) throws IOException {
    try (exchange) {
      BlobDoor.Response response = door.handle(request(exchange));
      try (InputStream body = response.body()) {
        send(exchange, response, body);
      }
    } catch (IOException | RuntimeException failure) {
      LOG.warn("blob request {} failed", exchange.getRequestMethod(), failure);
      if (exchange.getResponseCode() < 0) {
        byte[] text = "The request could not be served.\n".getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(503, text.length);
        exchange.getResponseBody().write(text);
      }
    }
  }

  private static BlobDoor.Request request(HttpExchange exchange) {
    Map<String, String> headers = new HashMap<>();
    exchange
        .getRequestHeaders()
        .forEach((name, values) -> headers.put(name.toLowerCase(Locale.ROOT), values.getFirst()));
    String length = headers.getOrDefault("content-length", "-1");
    return new BlobDoor.Request(
        exchange.getRequestMethod(),
        exchange.getRequestURI().toASCIIString(),
        headers,
        Long.parseLong(length),
        exchange.getRequestBody());
  }

  private static void send(HttpExchange exchange, BlobDoor.Response response, InputStream body)
      throws IOException {
    Headers headers = exchange.getResponseHeaders();
    response.headers().forEach(headers::set);
    boolean head = exchange.getRequestMethod().equals("HEAD");
    if (head || response.contentLength() == 0) {
      if (head) {
        headers.set("Content-Length", Long.toString(response.contentLength()));
      }
      exchange.sendResponseHeaders(response.status(), -1);
      return;
    }
    exchange.sendResponseHeaders(response.status(), response.contentLength());
    try (OutputStream out = exchange.getResponseBody()) {
      body.transferTo(out);
    }
  }

  @Override
  public void close() {
    server.stop(0);
    executor.shutdownNow();
  }
}
