package dev.troupe.gateway.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.cluster.ClusterToken;
import dev.troupe.gateway.testing.EchoServer;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ClusterKeysTest {

  private static EchoServer server;

  @BeforeAll
  static void start() {
    server = new EchoServer(1 << 20, Duration.ofSeconds(1));
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static HttpResponse<byte[]> ask(String name, String proof) throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      URI address = URI.create("http://127.0.0.1:" + server.port() + ClusterKeys.PATH + name);
      return client.send(
          HttpRequest.newBuilder(address).header("authorization", "Bearer " + proof).build(),
          BodyHandlers.ofByteArray());
    }
  }

  private static ClusterToken token(byte[] key, Duration valid) {
    String text = ClusterToken.make(key, Instant.now(), valid).text();
    return ClusterToken.parse(text).orElseThrow();
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  @Test
  void whoHasATokenGetsTheKeysSealedWithIt() throws Exception {
    ClusterToken token = token(EchoServer.serverKey(), Duration.ofMinutes(1));
    HttpResponse<byte[]> answer = ask(token.name(), token.proof());
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(text(answer.body())).doesNotContain("the first key");
    assertThat(token.open(answer.body()).orElseThrow())
        .hasSize(1)
        .hasEntrySatisfying("one.key", key -> assertThat(text(key)).isEqualTo("the first key"));

    ClusterToken other = token(EchoServer.serverKey(), Duration.ofMinutes(1));
    assertThat(other.open(answer.body())).as("by another token").isEmpty();
  }

  @Test
  void anExpiredTokenIsRefused() throws Exception {
    ClusterToken token = token(EchoServer.serverKey(), Duration.ofSeconds(-1));
    HttpResponse<byte[]> answer = ask(token.name(), token.proof());
    assertThat(answer.statusCode()).isEqualTo(401);
    assertThat(text(answer.body())).contains("has expired");
  }

  @Test
  void whoDoesNotHaveTheSecretIsRefused() throws Exception {
    byte[] another = new byte[32];
    another[0] = 1;
    ClusterToken foreign = token(another, Duration.ofMinutes(1));
    for (HttpResponse<byte[]> answer :
        List.of(
            ask(foreign.name(), foreign.proof()),
            ask(token(EchoServer.serverKey(), Duration.ofMinutes(1)).name(), foreign.proof()),
            ask("nothing", foreign.proof()))) {
      assertThat(answer.statusCode()).isEqualTo(401);
      assertThat(text(answer.body())).contains("not one of this cluster");
    }
  }
}
