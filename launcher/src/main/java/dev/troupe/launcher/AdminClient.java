package dev.troupe.launcher;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;

/** Asks the running server of a data directory what an operator may ask, with its first token. */
final class AdminClient {

  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final Path data;
  private final ClientProfile.Token token;
  private final String url;

  /** The server of this data directory. */
  AdminClient(Path data) {
    this.data = data.toAbsolutePath().normalize();
    this.token = ClientProfile.token(this.data);
    this.url = ClientProfile.url(this.data);
    if (url.isEmpty()) {
      throw new Refusal(none());
    }
  }

  private String none() {
    return "No server is running on %s. Run this where the server is, with its --data."
        .formatted(data);
  }

  /** The address that its clients use. */
  String url() {
    return url;
  }

  JsonNode get(String path) throws InterruptedException {
    return send(request(path).GET().build());
  }

  JsonNode post(String path) throws InterruptedException {
    return send(request(path).POST(BodyPublishers.noBody()).build());
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create(url + "/_troupe/admin/" + path))
        .header("x-modal-token-id", token.id())
        .header("x-modal-token-secret", token.secret())
        .timeout(PATIENCE);
  }

  private JsonNode send(HttpRequest request) throws InterruptedException {
    try (HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
      HttpResponse<String> answer = client.send(request, BodyHandlers.ofString());
      if (answer.statusCode() != 200) {
        throw new Refusal(answer.body().strip());
      }
      return new ObjectMapper().readTree(answer.body());
    } catch (IOException away) {
      throw new Refusal(none());
    }
  }
}
