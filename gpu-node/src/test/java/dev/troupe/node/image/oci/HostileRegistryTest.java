package dev.troupe.node.image.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import com.typesafe.config.ConfigFactory;
import dev.troupe.node.image.BuildFailure;
import dev.troupe.node.image.ImageStore;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Registries that break off, lie, stall or flood. Needs root, for the owners of files. */
@Tag("machine")
class HostileRegistryTest {

  private static final TestImage IMAGE =
      TestImage.of(new TarMaker().file("word", "the content of a layer"));
  private static final Registry.Patience PATIENCE =
      new Registry.Patience(Duration.ofMillis(1_500), Duration.ofMillis(1), Duration.ofMillis(1));

  @TempDir private Path directory = Path.of("unset");
  private final Map<String, HttpHandler> answers = new ConcurrentHashMap<>();
  private final List<String> asked = new CopyOnWriteArrayList<>();
  private final List<String> log = new ArrayList<>();
  private HttpServer server;
  private ImageStore store;

  @BeforeEach
  void start() throws IOException {
    store = ImageStore.open(directory.resolve("store"));
    server = server();
    answers.put("manifests/latest", sends(200, IMAGE.manifest()));
    IMAGE.blobs().forEach((digest, blob) -> answers.put("blobs/" + digest, sends(200, blob)));
  }

  private HttpServer server() throws IOException {
    HttpServer made =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    made.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    made.createContext("/", this::answer);
    made.start();
    return made;
  }

  @AfterEach
  void nothingHalfIsLeft() throws IOException {
    server.stop(0);
    try (var unfinished = Files.list(directory.resolve("store/unfinished"))) {
      assertThat(unfinished).isEmpty();
    }
  }

  private void answer(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath().replaceFirst("^/v2/x/", "");
    asked.add(path + " " + exchange.getRequestHeaders().getFirst("Authorization"));
    try (exchange) {
      HttpHandler answer = answers.get(path);
      if (answer == null) {
        exchange.sendResponseHeaders(404, -1);
      } else {
        answer.handle(exchange);
      }
    }
  }

  private static HttpHandler sends(int status, byte[] body) {
    return exchange -> {
      exchange.sendResponseHeaders(status, body.length);
      exchange.getResponseBody().write(body);
    };
  }

  /** The answers, one a request; the last one stays. */
  private static HttpHandler inTurn(HttpHandler... handlers) {
    AtomicInteger turn = new AtomicInteger();
    return exchange ->
        handlers[Math.min(turn.getAndIncrement(), handlers.length - 1)].handle(exchange);
  }

  private static HttpHandler floods(int status) {
    return exchange -> {
      exchange.sendResponseHeaders(status, 0);
      byte[] piece = new byte[1 << 16];
      Arrays.fill(piece, (byte) ' ');
      for (int i = 0; i < 1 << 20; i++) {
        exchange.getResponseBody().write(piece);
      }
    };
  }

  private String host() {
    return "127.0.0.1:" + server.getAddress().getPort();
  }

  private OciImage get(Optional<Credentials> credentials) throws Exception {
    RegistryImages images =
        RegistryImages.open(
            store,
            directory,
            ImageSettings.from(ConfigFactory.defaultReference().getConfig("troupe")),
            PATIENCE);
    return images.get(host() + "/x", credentials, log::add);
  }

  private OciImage get() throws Exception {
    return get(Optional.empty());
  }

  private String layerPath() {
    return "blobs/" + IMAGE.firstLayer();
  }

  private byte[] layer() {
    return IMAGE.blobs().getOrDefault(IMAGE.firstLayer(), new byte[0]);
  }

  @Test
  void aFlippedBitIsFoundAndTheBlobFetchedAgain() throws Exception {
    byte[] flipped = layer().clone();
    flipped[flipped.length / 2] ^= 0x10;
    answers.put(layerPath(), inTurn(sends(200, flipped), sends(200, layer())));

    assertThat(store.layer(get().layers().getFirst()).resolve("word"))
        .content()
        .isEqualTo("the content of a layer");
    assertThat(log).anyMatch(line -> line.contains("came damaged") && line.contains("again"));
  }

  @Test
  void aBlobThatStaysDamagedIsRefusedByItsDigest() {
    byte[] flipped = layer().clone();
    flipped[flipped.length - 1] ^= 1;
    for (byte[] wrong :
        List.of(
            flipped,
            Arrays.copyOf(layer(), layer().length - 5),
            Arrays.copyOf(layer(), layer().length + 1),
            new byte[0])) {
      answers.put(layerPath(), sends(200, wrong));

      assertThatThrownBy(this::get)
          .isInstanceOf(BuildFailure.class)
          .hasMessageContaining(IMAGE.firstLayer())
          .hasMessageContaining("fetched 3 times");
    }
    assertThat(directory.resolve("store/layers")).isEmptyDirectory();
  }

  @Test
  void aTransferThatBreaksOffOrStallsGoesOn() throws Exception {
    HttpHandler breaksOff =
        exchange -> {
          exchange.sendResponseHeaders(200, layer().length);
          exchange.getResponseBody().write(layer(), 0, 20);
          exchange.getResponseBody().flush();
        };
    HttpHandler stalls =
        exchange -> {
          breaksOff.handle(exchange);
          try {
            new java.util.concurrent.CountDownLatch(1)
                .await(20, java.util.concurrent.TimeUnit.SECONDS);
          } catch (InterruptedException over) {
            Thread.currentThread().interrupt();
          }
        };
    answers.put(layerPath(), inTurn(breaksOff, stalls, sends(200, layer())));

    assertThat(get().layers()).hasSize(1);
    assertThat(log.stream().filter(line -> line.contains("Going on from there"))).hasSize(2);
    assertThat(log.toString()).contains("nothing came for");
  }

  @Test
  void aTransferThatBreaksOffAgainAndAgainIsGivenUp() {
    answers.put(
        layerPath(),
        exchange -> {
          exchange.sendResponseHeaders(200, layer().length);
          exchange.getResponseBody().write(layer(), 0, 20);
          exchange.getResponseBody().flush();
        });

    assertThatThrownBy(this::get)
        .isInstanceOf(BuildFailure.class)
        .hasMessageContaining("broke off after 20 of")
        .hasMessageContaining("fetched 3 times");
    assertThat(asked.stream().filter(what -> what.startsWith(layerPath()))).hasSizeLessThan(20);
  }

  @Test
  void aContinuationThatIsAnotherBlobsIsFoundByTheDigest() throws Exception {
    HttpHandler breaksOff =
        exchange -> {
          exchange.sendResponseHeaders(200, layer().length);
          exchange.getResponseBody().write(layer(), 0, 20);
          exchange.getResponseBody().flush();
        };
    byte[] wrong = Arrays.copyOfRange(layer(), 20, layer().length);
    wrong[wrong.length - 20] ^= 1;
    HttpHandler lies =
        exchange -> {
          exchange
              .getResponseHeaders()
              .add("Content-Range", "bytes 20-%1$d/%1$d".formatted(layer().length));
          sends(206, wrong).handle(exchange);
        };
    answers.put(layerPath(), inTurn(breaksOff, lies, sends(200, layer())));

    assertThat(get().layers()).hasSize(1);
    assertThat(log.toString()).contains("Going on from there").contains("came damaged");
  }

  @Test
  void aLayerThatIsNotWhatTheConfigurationSaysIsRefused() {
    byte[] tar = new TarMaker().file("word", "one").bytes();
    TestImage lies =
        TestImage.of(
            TestImage.OCI,
            Platform.ofThisMachine().architecture(),
            List.of(tar),
            List.of(TarMaker.gzip(new TarMaker().file("word", "two").bytes())));
    answers.put("manifests/latest", sends(200, lies.manifest()));
    lies.blobs().forEach((digest, blob) -> answers.put("blobs/" + digest, sends(200, blob)));

    assertThatThrownBy(this::get)
        .isInstanceOf(BuildFailure.class)
        .hasMessageContaining("and the image's configuration says");
  }

  @Test
  void aFloodIsCutOffWhereverItComes() {
    for (String path :
        List.of(
            "manifests/latest", "blobs/" + IMAGE.blobs().keySet().iterator().next(), layerPath())) {
      for (int status : new int[] {200, 404, 418}) {
        HttpHandler before = java.util.Objects.requireNonNull(answers.put(path, floods(status)));
        assertThatThrownBy(this::get).as("%s %d", path, status).isInstanceOf(BuildFailure.class);
        answers.put(path, before);
      }
    }
  }

  @Test
  void aTokenIsAskedForWhereTheRegistrySaysAndGoesNowhereElse() throws Exception {
    HttpServer elsewhere = server();
    String store = "http://127.0.0.1:" + elsewhere.getAddress().getPort();
    HttpHandler manifest = sends(200, IMAGE.manifest());
    answers.put(
        "manifests/latest",
        exchange -> {
          if (!"Bearer to.ken".equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
            exchange
                .getResponseHeaders()
                .add(
                    "WWW-Authenticate",
                    "Bearer realm=\"http://%s/token\",service=\"the registry\"".formatted(host()));
            sends(401, new byte[0]).handle(exchange);
          } else {
            manifest.handle(exchange);
          }
        });
    answers.put(
        "/token",
        exchange -> {
          asked.add(exchange.getRequestURI().getQuery());
          sends(200, "{\"token\": \"to.ken\"}".getBytes(StandardCharsets.UTF_8)).handle(exchange);
        });
    answers.put(
        layerPath(),
        exchange -> {
          exchange.getResponseHeaders().add("Location", store + "/cdn/layer?signed=1");
          exchange.sendResponseHeaders(307, -1);
        });
    answers.put("/cdn/layer", sends(200, layer()));
    Credentials user = new Credentials("me", "word");

    try {
      assertThat(get(Optional.of(user)).layers()).hasSize(1);
    } finally {
      elsewhere.stop(0);
    }
    assertThat(asked)
        .contains(
            "/token " + user.basic(),
            "scope=repository:x:pull&service=the registry",
            layerPath() + " Bearer to.ken",
            "/cdn/layer null");
  }

  @Test
  void aRegistryThatIsBusyIsAskedAgainAndOneThatStaysSoIsNamed() throws Exception {
    byte[] nothing = new byte[0];
    answers.put(
        "manifests/latest",
        inTurn(sends(503, nothing), sends(429, nothing), sends(200, IMAGE.manifest())));
    get();

    answers.put("manifests/latest", sends(503, nothing));
    assertThat(get().layers()).as("as it was").hasSize(1);
    assertThat(log.getLast()).contains("HTTP 503").contains("as it was");
  }

  @Test
  void whatIsNoManifestOrLeadsInCirclesIsRefused() {
    answers.put("manifests/latest", sends(200, "nonsense".getBytes(StandardCharsets.UTF_8)));
    assertThatThrownBy(this::get).isInstanceOf(BuildFailure.class).hasMessageContaining("no JSON");
    answers.put(
        "manifests/latest",
        exchange -> {
          exchange.getResponseHeaders().add("Location", "/v2/x/manifests/latest");
          exchange.sendResponseHeaders(302, -1);
        });
    assertThatThrownBy(this::get).isInstanceOf(BuildFailure.class).hasMessageContaining("5 times");
    answers.put(
        "manifests/latest",
        exchange -> {
          exchange.getResponseHeaders().add("Location", "file:///etc/passwd");
          exchange.sendResponseHeaders(302, -1);
        });
    assertThatThrownBy(this::get)
        .isInstanceOf(BuildFailure.class)
        .hasMessageContaining("not https");
  }

  @Test
  void aRegistryThatIsNotThereIsNamed() {
    server.stop(0);

    assertThatThrownBy(this::get)
        .isInstanceOf(BuildFailure.class)
        .hasMessageStartingWith("The registry " + host() + " can't be used now: ");
  }
}
