package dev.troupe.gateway.http;

import dev.troupe.cluster.ClusterToken;
import java.io.IOException;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Gives the keys of the cluster to a process that joins it, sealed with the token that it has. */
public final class ClusterKeys {

  /** Where it is asked: the name of the token in a query, its proof as a bearer. */
  public static final String PATH = "/troupe/cluster/keys/";

  /** Header with the proof. */
  public static final String AUTHORIZATION = "authorization";

  /** What stands before the proof. */
  public static final String BEARER = "Bearer ";

  private static final Logger LOG = LoggerFactory.getLogger(ClusterKeys.class);

  private final byte[] serverKey;
  private final Keys keys;
  private final InstantSource clock;
  private final Executor blocking;

  /** All keys of the cluster, by the names of their files. */
  @FunctionalInterface
  public interface Keys {
    Map<String, byte[]> all() throws IOException;
  }

  /** Gives these keys; {@code blocking} runs what reads them. */
  public ClusterKeys(byte[] serverKey, Keys keys, InstantSource clock, Executor blocking) {
    this.serverKey = serverKey.clone();
    this.keys = keys;
    this.clock = clock;
    this.blocking = blocking;
  }

  /** Answers a request under {@link #PATH}. */
  public CompletionStage<HttpResponse> answer(HttpRequest request) {
    String name = request.getUri().path().substring(PATH.length());
    Optional<ClusterToken> token =
        ClusterToken.named(serverKey, name).filter(known -> known.isProvedBy(proof(request)));
    return CompletableFuture.supplyAsync(
        () -> token.map(this::give).orElseGet(ClusterKeys::unknown), blocking);
  }

  private static String proof(HttpRequest request) {
    String said = request.getHeader(AUTHORIZATION).map(HttpHeader::value).orElse("");
    return said.startsWith(BEARER) ? said.substring(BEARER.length()) : "";
  }

  private static HttpResponse unknown() {
    LOG.warn("A process was refused that wants to join: its token is not one of this cluster");
    return Plain.text(
        401,
        "The token is not one of this cluster. troupe-server token cluster prints one, on a machine"
            + " that has a process of it.");
  }

  private HttpResponse give(ClusterToken token) {
    if (!clock.instant().isBefore(token.expires())) {
      return Plain.text(
          401,
          "The token has expired, at %s. troupe-server token cluster prints a new one."
              .formatted(token.expires()));
    }
    try {
      byte[] sealed = token.seal(keys.all());
      LOG.info("The keys of the cluster went to a process that joins with {}", token);
      return HttpResponse.create()
          .withEntity(HttpEntities.create(ContentTypes.APPLICATION_OCTET_STREAM, sealed));
    } catch (IOException failed) {
      LOG.error("The keys of the cluster can't be read", failed);
      return Plain.text(503, "The keys can't be read; try again.");
    }
  }
}
