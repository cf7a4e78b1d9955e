package dev.troupe.node.image.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import com.typesafe.config.ConfigFactory;
import dev.troupe.node.image.BuildFailure;
import dev.troupe.node.image.ImageStore;
import dev.troupe.node.linux.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Images from a real registry server. Needs root, for the owners of files. */
@Tag("machine")
class RegistryTest {

  @TempDir private static Path shared = Path.of("unset");
  private static DockerRegistry open;
  private static DockerRegistry closed;

  @TempDir private Path directory = Path.of("unset");
  private final List<String> log = new ArrayList<>();
  private ImageStore store;

  @BeforeAll
  static void startRegistries() throws Exception {
    open = DockerRegistry.start(shared.resolve("open"), false);
    closed = DockerRegistry.start(shared.resolve("closed"), true);
  }

  @AfterAll
  static void stopRegistries() throws Exception {
    open.close();
    closed.close();
  }

  @BeforeEach
  void openStore() throws IOException {
    store = ImageStore.open(directory.resolve("store"));
  }

  private RegistryImages images(String settings) throws IOException {
    return RegistryImages.open(
        store,
        directory,
        ImageSettings.from(
            ConfigFactory.parseString(settings)
                .withFallback(ConfigFactory.defaultReference())
                .getConfig("troupe")),
        new Registry.Patience(
            Duration.ofSeconds(60), Duration.ofMillis(10), Duration.ofMillis(10)));
  }

  private synchronized void hear(String line) {
    log.add(line);
  }

  private OciImage get(String name) throws Exception {
    return images("").get(name, Optional.empty(), this::hear);
  }

  private String read(OciImage image, int layer, String file) throws IOException {
    return Files.readString(store.layer(image.layers().get(layer)).resolve(file));
  }

  @Test
  void anImageComesWithItsLayersAndWhatItSays() throws Exception {
    open.push(
        "some/image",
        "1.0",
        TestImage.of(new TarMaker().file("word", "lower"), new TarMaker().file(".wh.word", "")));

    OciImage image = get(open.host() + "/some/image:1.0");

    assertThat(image.name()).isEqualTo(open.host() + "/some/image:1.0");
    assertThat(image.layers()).hasSize(2);
    assertThat(read(image, 0, "word")).isEqualTo("lower");
    assertThat(Files.getAttribute(store.layer(image.layers().get(1)).resolve("word"), "unix:rdev"))
        .isEqualTo(0L);
    assertThat(image.environment()).isEqualTo(Map.of("PATH", "/bin", "WORD", "a=b"));
    assertThat(image.workingDirectory()).isEqualTo("/srv");
    assertThat(image.entrypoint()).containsExactly("/run");
    assertThat(image.command()).containsExactly("it");
    assertThat(image.user()).isEqualTo("me");
    assertThat(log.getFirst()).startsWith("Taking ").contains("2 layers");
  }

  @Test
  void aDigestNamesOneImageWhateverBecomesOfTheTag() throws Exception {
    TestImage first = TestImage.of(new TarMaker().file("word", "first"));
    open.push("moves", "latest", first);
    OciImage before = get(open.host() + "/moves");
    open.push("moves", "latest", TestImage.of(new TarMaker().file("word", "second")));

    assertThat(read(get(open.host() + "/moves"), 0, "word")).isEqualTo("second");
    assertThat(before.digest()).isEqualTo(first.digest());
    assertThat(get(open.host() + "/moves@" + before.digest()).layers()).isEqualTo(before.layers());
  }

  @Test
  void theImageOfThisPlatformIsTakenFromAnIndex() throws Exception {
    String other = Platform.ofThisMachine().architecture().equals("amd64") ? "arm64" : "amd64";
    String own = Platform.ofThisMachine().architecture();
    TestImage ours = architecture(own, "ours");
    TestImage theirs = architecture(other, "theirs");
    open.push("many", "ours", ours);
    open.push("many", "theirs", theirs);
    open.putManifest(
        "many", "both", TestImage.OCI_INDEX, TestImage.index(Map.of(own, ours, other, theirs)));
    open.putManifest(
        "many", "foreign", TestImage.OCI_INDEX, TestImage.index(Map.of(other, theirs)));

    assertThat(read(get(open.host() + "/many:both"), 0, "word")).isEqualTo("ours");
    for (String tag : List.of("foreign", "theirs")) {
      assertThatThrownBy(() -> get(open.host() + "/many:" + tag))
          .isInstanceOf(BuildFailure.class)
          .hasMessageContaining("is for linux/" + other + ", and this machine is linux/" + own);
    }
  }

  private static TestImage architecture(String architecture, String word) {
    byte[] tar = new TarMaker().file("word", word).bytes();
    return TestImage.of(TestImage.OCI, architecture, List.of(tar), List.of(TarMaker.gzip(tar)));
  }

  @Test
  void layersMayBePackedInAnyOfThreeWays() throws Exception {
    List<byte[]> tars = new ArrayList<>();
    for (String word : List.of("gzip", "zstd", "plain")) {
      tars.add(new TarMaker().file("word", word).bytes());
    }
    byte[] first = java.util.Arrays.copyOf(tars.getFirst(), 700);
    byte[] second = java.util.Arrays.copyOfRange(tars.getFirst(), 700, tars.getFirst().length);
    java.io.ByteArrayOutputStream members = new java.io.ByteArrayOutputStream();
    members.writeBytes(TarMaker.gzip(first));
    members.writeBytes(TarMaker.gzip(second));
    open.push(
        "packed",
        "latest",
        TestImage.of(
            TestImage.DOCKER,
            Platform.ofThisMachine().architecture(),
            tars,
            List.of(members.toByteArray(), Zstd.compress(tars.get(1)), tars.get(2))));

    OciImage image = get(open.host() + "/packed");

    assertThat(read(image, 0, "word")).isEqualTo("gzip");
    assertThat(read(image, 1, "word")).isEqualTo("zstd");
    assertThat(read(image, 2, "word")).isEqualTo("plain");
  }

  @Test
  void aPrivateImageIsGivenToItsUserOnly() throws Exception {
    closed.push("private", "latest", TestImage.of(new TarMaker().file("word", "private")));
    String name = closed.host() + "/private";
    Optional<Credentials> wrong = Optional.of(new Credentials("someone", "wrong"));
    RegistryImages images = images("");

    assertThatThrownBy(() -> images.get(name, Optional.empty(), this::hear))
        .isInstanceOf(BuildFailure.class)
        .hasMessageContaining("nobody without credentials")
        .hasMessageContaining("REGISTRY_USERNAME and REGISTRY_PASSWORD");
    OciImage image = images.get(name, Optional.of(DockerRegistry.USER), this::hear);
    assertThat(read(image, 0, "word")).isEqualTo("private");
    // It is on the disk now, and still only for who has the password.
    for (String each : List.of(name, name + "@" + image.digest())) {
      assertThatThrownBy(() -> images.get(each, wrong, this::hear))
          .isInstanceOf(BuildFailure.class)
          .hasMessageContaining("refuses the user 'someone'");
      assertThatThrownBy(() -> images.get(each, Optional.empty(), this::hear))
          .isInstanceOf(BuildFailure.class);
    }
    assertThat(log.toString()).doesNotContain(DockerRegistry.USER.password());
  }

  @Test
  void anUnknownTagAndAnUnknownRepositoryAreNamed() throws Exception {
    open.push("known", "latest", TestImage.of(new TarMaker().file("word", "x")));

    assertThatThrownBy(() -> get(open.host() + "/known:missing"))
        .isInstanceOf(BuildFailure.class)
        .hasMessageContaining("has no manifest missing of 'known'");
    assertThatThrownBy(() -> get(open.host() + "/unknown"))
        .isInstanceOf(BuildFailure.class)
        .hasMessageContaining("'unknown'");
  }

  @Test
  void aLayerThatIsHereIsNotFetchedAndManyAskersFetchItOnce() throws Exception {
    TestImage image = TestImage.of(new TarMaker().file("word", "x".repeat(500_000)));
    open.push("once", "latest", image);
    RegistryImages images = images("");
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<OciImage>> running = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        running.add(
            threads.submit(() -> images.get(open.host() + "/once", Optional.empty(), this::hear)));
      }
      for (Future<OciImage> one : running) {
        one.get();
      }
    }

    assertThat(log.stream().filter(line -> line.startsWith("Layer " + image.firstLayer())))
        .hasSize(1);
  }

  @Test
  void aMirrorStandsInForARegistryAndForBareNames() throws Exception {
    open.push("library/bare", "latest", TestImage.of(new TarMaker().file("word", "bare")));
    open.push("proxy/some/thing", "1", TestImage.of(new TarMaker().file("word", "proxied")));
    RegistryImages images =
        images(
            """
            troupe.images.mirrors {
              default = ["http://%s"]
              "registry.example" = ["http://127.0.0.1:1", "http://%s/proxy"]
            }
            """
                .formatted(open.host(), open.host()));

    assertThat(read(images.get("bare", Optional.empty(), this::hear), 0, "word")).isEqualTo("bare");
    assertThat(
            read(
                images.get("registry.example/some/thing:1", Optional.empty(), this::hear),
                0,
                "word"))
        .isEqualTo("proxied");
  }

  @Test
  void withoutARegistryWhatWasFetchedBeforeIsTaken() throws Exception {
    open.push("kept", "latest", TestImage.of(new TarMaker().file("word", "kept")));
    String name = open.host() + "/kept";
    OciImage before = get(name);
    RegistryImages offline = images("troupe.images.offline = true");

    assertThat(offline.get(name, Optional.empty(), this::hear)).isEqualTo(before);
    assertThatThrownBy(() -> offline.get(name + ":other", Optional.empty(), this::hear))
        .isInstanceOf(BuildFailure.class)
        .hasMessageContaining("troupe.images.offline")
        .hasMessageContaining("troupe image import");
  }

  @Test
  void aMirrorWithTlsIsBelievedByTheFileOfTheSettingOnly() throws Exception {
    Path keys = directory.resolve("keys.p12");
    Path authority = directory.resolve("authority.pem");
    String keytool = System.getProperty("java.home") + "/bin/keytool";
    String[] store = {"-keystore", keys.toString(), "-storepass", "of-a-test", "-alias", "it"};
    keytool(
        keytool,
        store,
        "-genkeypair",
        "-keyalg",
        "EC",
        "-dname",
        "CN=it",
        "-ext",
        "san=ip:127.0.0.1");
    keytool(keytool, store, "-exportcert", "-rfc", "-file", authority.toString());
    TestImage image = TestImage.of(new TarMaker().file("word", "safe"));
    try (TlsServer server = TlsServer.start(keys, "of-a-test", image)) {
      String mirror = "troupe.images.mirrors { default = [\"https://" + server.host() + "\"] }\n";
      String trusting = mirror + "troupe.images.ca-file = \"" + authority + "\"";

      assertThat(read(images(trusting).get("bare", Optional.empty(), this::hear), 0, "word"))
          .isEqualTo("safe");
      assertThatThrownBy(
              () ->
                  images(
                          "troupe.images.mirrors { \"other.invalid\" = [\"https://"
                              + server.host()
                              + "\"] }")
                      .get("other.invalid/x", Optional.empty(), this::hear))
          .isInstanceOf(BuildFailure.class)
          .hasMessageContaining("Mirror: The registry " + server.host() + " can't be used now");
    }
  }

  private static void keytool(String program, String[] store, String... arguments)
      throws IOException {
    List<String> command = new ArrayList<>(List.of(program));
    command.addAll(List.of(arguments));
    command.addAll(List.of(store));
    Command.run(Duration.ofSeconds(30), "", command);
  }

  @Test
  void aLayerGoesOnFromWhereItsTransferBrokeOff() throws Exception {
    byte[] noise = new byte[3 << 19];
    new java.util.Random(7).nextBytes(noise);
    String text = java.util.HexFormat.of().formatHex(noise);
    TestImage image = TestImage.of(new TarMaker().file("noise", text));
    open.push("breaks", "latest", image);
    long length = image.blobs().values().stream().mapToLong(blob -> blob.length).sum();

    try (CuttingProxy proxy = CuttingProxy.before(open.host(), 500_000)) {
      OciImage came = get(proxy.host() + "/breaks");

      assertThat(read(came, 0, "noise")).isEqualTo(text);
      assertThat(proxy.cuts()).isGreaterThan(2);
      // What had come was not asked for again.
      assertThat(proxy.bytes()).isLessThan(length + (1 << 20));
    }
    assertThat(log).anyMatch(line -> line.contains("Going on from there"));
  }
}
