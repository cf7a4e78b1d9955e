package dev.troupe.node.image.oci;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.troupe.node.image.oci.RegistryRefusal.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * One repository of one registry, over the distribution protocol's HTTP. Nothing of an answer is
 * taken into memory without a limit, every wait ends, and credentials go to the registry and to who
 * it names for tokens, never to where it sends on.
 */
final class Registry {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
  private static final int MOST_REDIRECTS = 5;
  private static final int ATTEMPTS = 3;
  private static final int LONGEST_TOKEN = 1 << 20;
  private static final int LONGEST_ERROR = 16 << 10;

  /**
   * How long is waited.
   *
   * @param answer for the beginning of an answer, and for each piece of it
   * @param pause before a second try; twice that before a third
   * @param longestPause that a registry may ask for
   */
  record Patience(Duration answer, Duration pause, Duration longestPause) {
    static final Patience USUAL =
        new Patience(Duration.ofSeconds(60), Duration.ofSeconds(1), Duration.ofSeconds(30));
  }

  /** What a request asks for: kinds of documents, and from which byte on. */
  private record Wish(String accept, long offset) {}

  private final HttpClient http;
  private final Patience patience;
  private final URI root;
  private final String repository;
  private final Optional<Credentials> credentials;
  private volatile @Nullable String authorization;

  /**
   * One at an address.
   *
   * @param root ends before {@code /v2/}
   */
  Registry(
      HttpClient http,
      Patience patience,
      URI root,
      String repository,
      Optional<Credentials> credentials) {
    this.http = http;
    this.patience = patience;
    this.root = root;
    this.repository = repository;
    this.credentials = credentials;
  }

  /** A client whose redirects are followed here. */
  static HttpClient client(ImageSettings settings) throws IOException {
    HttpClient.Builder client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(Duration.ofSeconds(15));
    if (settings.authorities().isPresent()) {
      client.sslContext(Trust.with(settings.authorities().get()));
    }
    return client.build();
  }

  /** Its host, for people. */
  String host() {
    return root.getRawAuthority();
  }

  /** The bytes of a manifest, by tag or digest. */
  byte[] manifest(String qualifier) throws IOException, InterruptedException {
    try (InputStream body = open("manifests/" + qualifier, Manifests.ACCEPT, 0)) {
      byte[] bytes = body.readNBytes(Manifests.LONGEST_BYTES + 1);
      if (bytes.length > Manifests.LONGEST_BYTES) {
        throw new RegistryRefusal(
            Reason.NONSENSE,
            "The registry %s sent a manifest of over %d MiB."
                .formatted(host(), Manifests.LONGEST_BYTES >> 20));
      }
      return bytes;
    }
  }

  /**
   * A blob as it comes; where the transfer breaks off, it goes on from there.
   *
   * @param heard is told each break
   */
  InputStream blob(Digest digest, Consumer<IOException> heard)
      throws IOException, InterruptedException {
    return new ResumedInput(
        offset -> open("blobs/" + digest, "*/*", offset), patience.pause(), heard);
  }

  private InputStream open(String path, String accept, long offset)
      throws IOException, InterruptedException {
    URI uri = URI.create(root + "/v2/" + repository + "/" + path);
    Wish wish = new Wish(accept, offset);
    for (int attempt = 0; ; attempt++) {
      HttpResponse<InputStream> answer = null;
      String trouble;
      try {
        answer = authorized(uri, wish);
        if (answer.statusCode() == 200 || (offset > 0 && answer.statusCode() == 206)) {
          return body(answer, offset);
        }
        if (!mayHelpToWait(answer.statusCode())) {
          throw refusal(answer, path);
        }
        trouble = "it answered HTTP " + answer.statusCode();
      } catch (RegistryRefusal refusal) {
        throw refusal;
      } catch (IOException broken) {
        trouble =
            Optional.ofNullable(broken.getMessage()).orElse(broken.getClass().getSimpleName());
      }
      if (attempt + 1 >= ATTEMPTS) {
        throw new RegistryRefusal(
            Reason.UNAVAILABLE,
            "The registry %s can't be used now: %s.".formatted(host(), Printable.of(trouble)));
      }
      pause(attempt, answer);
    }
  }

  /** From the offset on; a registry that knows no ranges sends what comes before it, too. */
  private InputStream body(HttpResponse<InputStream> answer, long offset) throws IOException {
    InputStream body = new PatientInput(answer.body(), patience.answer());
    boolean done = false;
    try {
      if (answer.statusCode() == 206) {
        String range = answer.headers().firstValue("Content-Range").orElse("");
        if (!range.startsWith("bytes " + offset + "-")) {
          throw new RegistryRefusal(
              Reason.NONSENSE,
              "The registry %s was asked for what follows %d bytes and sent '%s'."
                  .formatted(host(), offset, Printable.of(range)));
        }
      } else {
        body.skipNBytes(offset);
      }
      done = true;
      return body;
    } finally {
      if (!done) {
        body.close();
      }
    }
  }

  private static boolean mayHelpToWait(int status) {
    return status == 429 || status >= 500;
  }

  private void pause(int attempt, @Nullable HttpResponse<InputStream> answer)
      throws IOException, InterruptedException {
    Duration pause = patience.pause().multipliedBy(1L << attempt);
    if (answer != null) {
      answer.body().close();
      Optional<String> wish = answer.headers().firstValue("Retry-After");
      if (wish.filter(text -> text.matches("\\d{1,6}")).isPresent()) {
        Duration wished = Duration.ofSeconds(Long.parseLong(wish.get()));
        pause = wished.compareTo(patience.longestPause()) < 0 ? wished : patience.longestPause();
      }
    }
    Thread.sleep(pause);
  }

  /** Asks; where it must say who it is, it learns how, and asks once more. */
  private HttpResponse<InputStream> authorized(URI uri, Wish wish)
      throws IOException, InterruptedException {
    HttpResponse<InputStream> answer = followed(uri, wish, authorization);
    if (answer.statusCode() != 401) {
      return answer;
    }
    Optional<Challenge> challenge =
        Challenge.choose(answer.headers().allValues("WWW-Authenticate"));
    if (challenge.isEmpty()) {
      return answer;
    }
    String fresh =
        challenge.get().scheme().equals("bearer")
            ? "Bearer " + token(challenge.get())
            : credentials.map(Credentials::basic).orElse(null);
    if (fresh == null || fresh.equals(authorization)) {
      return answer;
    }
    answer.body().close();
    authorization = fresh;
    return followed(uri, wish, fresh);
  }

  private HttpResponse<InputStream> followed(URI uri, Wish wish, @Nullable String authorization)
      throws IOException, InterruptedException {
    URI at = uri;
    for (int hops = 0; ; hops++) {
      boolean home = sameOrigin(at, root);
      HttpResponse<InputStream> answer = send(at, wish, home ? authorization : null);
      Optional<String> location = answer.headers().firstValue("Location");
      if (!REDIRECTS.contains(answer.statusCode()) || location.isEmpty()) {
        return answer;
      }
      answer.body().close();
      at = at.resolve(foreign(location.get(), "sends on to"));
      if (hops >= MOST_REDIRECTS) {
        throw new RegistryRefusal(
            Reason.NONSENSE,
            "The registry %s sends on more than %d times.".formatted(host(), MOST_REDIRECTS));
      }
      requireAsSafe(at, "sends on to");
    }
  }

  private HttpResponse<InputStream> send(URI uri, Wish wish, @Nullable String authorization)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri).header("Accept", wish.accept()).header("User-Agent", "troupe");
    if (wish.offset() > 0) {
      request.header("Range", "bytes=" + wish.offset() + "-");
    }
    if (authorization != null) {
      request.header("Authorization", authorization);
    }
    CompletableFuture<HttpResponse<InputStream>> sent =
        http.sendAsync(request.build(), HttpResponse.BodyHandlers.ofInputStream());
    try {
      return sent.get(patience.answer().toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException late) {
      throw new IOException("no answer within " + patience.answer().toSeconds() + " s");
    } catch (ExecutionException failed) {
      Throwable cause = failed.getCause() == null ? failed : failed.getCause();
      String message = cause.getMessage() == null ? "it can't be reached" : cause.getMessage();
      throw new IOException(message, cause);
    } finally {
      if (!sent.isDone()) {
        sent.cancel(true);
      }
    }
  }

  private String token(Challenge challenge) throws IOException, InterruptedException {
    URI realm = foreign(challenge.parameters().getOrDefault("realm", ""), "names for tokens");
    requireAsSafe(realm, "names for tokens");
    String scope = "repository:" + repository + ":pull";
    String query =
        "scope="
            + encoded(scope)
            + "&service="
            + encoded(challenge.parameters().getOrDefault("service", ""));
    URI uri = URI.create(realm + (realm.getRawQuery() == null ? "?" : "&") + query);
    HttpResponse<InputStream> answer =
        send(
            uri, new Wish("application/json", 0), credentials.map(Credentials::basic).orElse(null));
    try (InputStream body = new PatientInput(answer.body(), patience.answer())) {
      if (answer.statusCode() == 401 || answer.statusCode() == 403) {
        throw unauthorized(answer.statusCode());
      }
      if (answer.statusCode() != 200) {
        throw new IOException(
            "%s gave no token: HTTP %d".formatted(realm.getRawAuthority(), answer.statusCode()));
      }
      JsonNode json = JSON.readTree(body.readNBytes(LONGEST_TOKEN));
      String token = json.path("token").asText(json.path("access_token").asText(""));
      if (!token.matches("[\\x21-\\x7e]+")) {
        throw new RegistryRefusal(
            Reason.NONSENSE, "The registry %s gave no token that is one.".formatted(host()));
      }
      return token;
    }
  }

  private URI foreign(String text, String does) throws RegistryRefusal {
    try {
      return URI.create(text);
    } catch (IllegalArgumentException wrong) {
      throw new RegistryRefusal(
          Reason.NONSENSE,
          "The registry %s %s '%s', which is no address."
              .formatted(host(), does, Printable.of(text)));
    }
  }

  /** A registry with TLS may not lead to where there is none. */
  private void requireAsSafe(URI uri, String does) throws RegistryRefusal {
    boolean plain = "http".equals(root.getScheme());
    if (uri.getHost() == null
        || !("https".equals(uri.getScheme()) || (plain && "http".equals(uri.getScheme())))) {
      throw new RegistryRefusal(
          Reason.NONSENSE,
          "The registry %s %s '%s', which is not https."
              .formatted(host(), does, Printable.of(uri.toString())));
    }
  }

  private RegistryRefusal refusal(HttpResponse<InputStream> answer, String path)
      throws IOException {
    int status = answer.statusCode();
    String said = said(answer);
    if (status == 401 || status == 403) {
      return unauthorized(status);
    }
    if (status == 404) {
      return new RegistryRefusal(
          Reason.UNKNOWN,
          "The registry %s has no %s of '%s'%s."
              .formatted(host(), path.replaceFirst("s/", " "), repository, said));
    }
    return new RegistryRefusal(
        Reason.NONSENSE,
        "The registry %s answered HTTP %d for %s of '%s'%s."
            .formatted(host(), status, path.replaceFirst("s/", " "), repository, said));
  }

  private RegistryRefusal unauthorized(int status) {
    String sentence =
        credentials.isPresent()
            ? "The registry %s refuses the user '%s' for '%s' (HTTP %d): check %s and %s in the secret."
                .formatted(
                    host(),
                    Printable.of(credentials.get().username()),
                    repository,
                    status,
                    Credentials.USERNAME_VARIABLE,
                    Credentials.PASSWORD_VARIABLE)
            : "The registry %s gives '%s' to nobody without credentials (HTTP %d), or has no such repository. Give the image a secret with %s and %s."
                .formatted(
                    host(),
                    repository,
                    status,
                    Credentials.USERNAME_VARIABLE,
                    Credentials.PASSWORD_VARIABLE);
    return new RegistryRefusal(Reason.UNAUTHORIZED, sentence);
  }

  /** The registry's own words, in brackets; nothing where it has none. */
  private String said(HttpResponse<InputStream> answer) throws IOException {
    try (InputStream body = new PatientInput(answer.body(), patience.answer())) {
      JsonNode errors = JSON.readTree(body.readNBytes(LONGEST_ERROR)).path("errors");
      List<String> messages =
          StreamSupport.stream(errors.spliterator(), false)
              .map(error -> error.path("message").asText(""))
              .filter(message -> !message.isEmpty())
              .toList();
      return messages.isEmpty() ? "" : " (" + Printable.of(String.join("; ", messages)) + ")";
    } catch (IOException noWords) {
      return "";
    }
  }

  private static boolean sameOrigin(URI one, URI other) {
    return one.getScheme().equals(other.getScheme())
        && one.getRawAuthority().equals(other.getRawAuthority());
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }
}
