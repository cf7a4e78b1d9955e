package dev.troupe.gateway.join;

import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.node.NodeProtocol.Attribute;
import dev.troupe.cluster.tls.CertificateAuthority;
import dev.troupe.cluster.tls.CertificateRefused;
import dev.troupe.cluster.tls.Fingerprint;
import dev.troupe.cluster.tls.Identity;
import dev.troupe.cluster.tls.Purpose;
import dev.troupe.cluster.tls.SigningRequest;
import dev.troupe.gateway.http.Plain;
import dev.troupe.gateway.rpc.Failures;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.StatusCode;
import dev.troupe.protocol.link.NodeLinkWire;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpMethods;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.stream.Materializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives a certificate to a machine that comes with a join token: for the name that it wishes, if no
 * other machine has that. Its private key never leaves it.
 */
public final class JoinRoute {

  private static final Logger LOG = LoggerFactory.getLogger(JoinRoute.class);
  private static final int LARGEST_REQUEST = 8_192;
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private final Supplier<CertificateAuthority> authority;
  private final Directory directory;
  private final JoinTokens tokens;
  private final InstantSource clock;
  private final Executor blocking;
  private final Materializer materializer;

  /** Certificates of this authority; {@code blocking} runs what takes its time. */
  public JoinRoute(
      Supplier<CertificateAuthority> authority,
      Directory directory,
      JoinTokens tokens,
      InstantSource clock,
      Executor blocking,
      Materializer materializer) {
    this.authority = authority;
    this.directory = directory;
    this.tokens = tokens;
    this.clock = clock;
    this.blocking = blocking;
    this.materializer = materializer;
  }

  /** Answers a POST of a request for a certificate. */
  public CompletionStage<HttpResponse> answer(HttpRequest request) {
    String token = request.getHeader(NodeLinkWire.JOIN_TOKEN).map(HttpHeader::value).orElse("");
    if (!request.method().equals(HttpMethods.POST)) {
      request.discardEntityBytes(materializer);
      return java.util.concurrent.CompletableFuture.completedStage(
          Plain.text(405, "A request for a certificate is posted."));
    }
    return request
        .entity()
        .withSizeLimit(LARGEST_REQUEST)
        .toStrict(PATIENCE.toMillis(), materializer)
        .thenComposeAsync(
            entity -> join(token, entity.getData().decodeString(StandardCharsets.UTF_8)), blocking)
        .exceptionally(JoinRoute::refusal);
  }

  private CompletionStage<HttpResponse> join(String token, String text) {
    SigningRequest wish;
    try {
      wish = SigningRequest.parse(text);
    } catch (CertificateRefused refused) {
      throw RpcFailure.invalid(String.valueOf(refused.getMessage()));
    }
    String key = Fingerprint.of(wish.key());
    Entry machine =
        new Entry(
            Kind.MACHINE,
            "",
            wish.name(),
            wish.name(),
            clock.instant(),
            Map.of(Attribute.KEY_SHA256, key));
    return tokens
        .use(token, Purpose.MACHINE, key)
        .thenCompose(_ -> directory.claim(machine))
        .thenApplyAsync(
            has -> {
              if (!key.equals(has.attributes().get(Attribute.KEY_SHA256))) {
                throw RpcFailure.exists(
                    ("There is a machine %s here already. Give this one another --name, or, if"
                            + " that one is gone for good, ./troupe node remove it first.")
                        .formatted(wish.name()));
              }
              LOG.info("Machine {} has joined", wish.name());
              return Plain.text(
                  200,
                  Identity.text(
                      authority
                          .get()
                          .certify(wish.name(), wish.key(), Purpose.MACHINE, clock.instant())));
            },
            blocking);
  }

  private static HttpResponse refusal(Throwable failure) {
    RpcFailure refused = Failures.of("Join", Failures.unwrapped(failure));
    LOG.warn("A machine was refused: {}", refused.description());
    return Plain.text(status(refused.code()), refused.description());
  }

  private static int status(StatusCode code) {
    return switch (code) {
      case UNAUTHENTICATED -> 401;
      case ALREADY_EXISTS -> 409;
      case INVALID_ARGUMENT -> 400;
      default -> 503;
    };
  }
}
