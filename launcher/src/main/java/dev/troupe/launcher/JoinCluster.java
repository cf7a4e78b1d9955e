package dev.troupe.launcher;

import dev.troupe.cluster.ClusterToken;
import dev.troupe.gateway.http.ClusterKeys;
import dev.troupe.persistence.vault.KeyFiles;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/** Fetches the keys of a cluster to the data directory of a process that joins it. */
final class JoinCluster {

  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private JoinCluster() {}

  /**
   * Brings the keys to a data directory that has none for good yet; later starts need none.
   *
   * @param member {@code HOST:PORT}, or a URL, of a process of the cluster
   */
  static void bring(Path data, String member, String token) throws IOException {
    if (KeyFiles.isSettled(data)) {
      System.out.printf("The data directory %s has its keys; the token is not needed.%n", data);
      return;
    }
    ClusterToken parsed =
        ClusterToken.parse(token)
            .orElseThrow(
                () ->
                    new Refusal(
                        "--token takes a token with which processes join a cluster, as"
                            + " troupe-server token cluster prints it."));
    KeyFiles.bring(data, keys(address(member, parsed), member, parsed));
  }

  private static URI address(String member, ClusterToken token) {
    String url = member.contains("://") ? member : "http://" + member;
    try {
      URI address = URI.create(url.replaceFirst("/+$", "") + ClusterKeys.PATH + token.name());
      if (address.getHost() != null) {
        return address;
      }
    } catch (IllegalArgumentException malformed) {
      // As refused as one without a host.
    }
    throw new Refusal(
        "--join takes the address of a server of the cluster, as HOST:PORT; '%s' is none."
            .formatted(member));
  }

  private static Map<String, byte[]> keys(URI address, String member, ClusterToken token) {
    HttpRequest request =
        HttpRequest.newBuilder(address)
            .header(ClusterKeys.AUTHORIZATION, ClusterKeys.BEARER + token.proof())
            .timeout(PATIENCE)
            .build();
    HttpResponse<byte[]> answer;
    try (HttpClient client = HttpClient.newBuilder().connectTimeout(PATIENCE).build()) {
      answer = client.send(request, BodyHandlers.ofByteArray());
    } catch (IOException unreached) {
      throw new Refusal("No server answers at %s: %s.".formatted(member, unreached));
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new Refusal("The start was broken off.");
    }
    if (answer.statusCode() != 200) {
      throw new Refusal(
          "The server at %s refuses: %s"
              .formatted(member, new String(answer.body(), StandardCharsets.UTF_8).strip()));
    }
    return token
        .open(answer.body())
        .orElseThrow(
            () ->
                new Refusal("What answers at %s is no server of this cluster.".formatted(member)));
  }
}
