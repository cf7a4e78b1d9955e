package dev.troupe.node.image.oci;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * A real registry server on this machine: Debian's package docker-registry, from the PATH or from
 * where ./troupe test unpacks it.
 */
final class DockerRegistry implements AutoCloseable {

  static final Credentials USER = new Credentials("someone", "a secret: word");

  /** {@link #USER}, as htpasswd -B writes it. */
  private static final String PASSWORDS =
      "someone:$2y$04$kBMuwiMufJOxj5/qMTd8CehmctD1/fWm8DgKQpir6Qyyo6mbCi/nG\n";

  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final HttpClient http = HttpClient.newHttpClient();
  private final Process process;
  private final String host;
  private final Optional<Credentials> credentials;

  private DockerRegistry(Process process, String host, Optional<Credentials> credentials) {
    this.process = process;
    this.host = host;
    this.credentials = credentials;
  }

  /** Starts one that anybody may use, or only {@link #USER}. */
  static DockerRegistry start(Path folder, boolean closed) throws Exception {
    int port = freePort();
    Files.createDirectories(folder);
    StringBuilder settings =
        new StringBuilder(
            """
            version: 0.1
            log: {level: error, accesslog: {disabled: true}}
            storage: {filesystem: {rootdirectory: %s}, delete: {enabled: true}}
            http: {addr: "127.0.0.1:%d", secret: of-a-test}
            """
                .formatted(folder.resolve("store"), port));
    if (closed) {
      Path passwords = Files.writeString(folder.resolve("htpasswd"), PASSWORDS);
      settings.append("auth: {htpasswd: {realm: test, path: %s}}\n".formatted(passwords));
    }
    Path file = Files.writeString(folder.resolve("registry.yml"), settings);
    Process process =
        new ProcessBuilder(program(), "serve", file.toString())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("registry.log").toFile())
            .start();
    DockerRegistry registry =
        new DockerRegistry(
            process, "127.0.0.1:" + port, closed ? Optional.of(USER) : Optional.empty());
    registry.awaitStart(folder.resolve("registry.log"));
    return registry;
  }

  private static String program() {
    Path unpacked = Path.of("../.troupe/docker-registry/usr/bin/docker-registry").toAbsolutePath();
    for (String folder : System.getenv("PATH").split(":", -1)) {
      if (Files.isExecutable(Path.of(folder, "docker-registry"))) {
        return "docker-registry";
      }
    }
    if (!Files.isExecutable(unpacked)) {
      throw new IllegalStateException(
          "These tests need the program docker-registry; on Debian: apt-get install docker-registry");
    }
    return unpacked.toString();
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private void awaitStart(Path log) throws Exception {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      try {
        send("GET", "/v2/", BodyPublishers.noBody(), Map.of());
        return;
      } catch (IOException notYet) {
        if (!process.isAlive() || System.nanoTime() > deadline) {
          throw new IllegalStateException("no registry: " + Files.readString(log), notYet);
        }
        Thread.onSpinWait();
      }
    }
  }

  String host() {
    return host;
  }

  /** Puts an image under a tag. */
  void push(String repository, String tag, TestImage image) throws Exception {
    for (Map.Entry<String, byte[]> blob : image.blobs().entrySet()) {
      HttpResponse<String> begun =
          send("POST", "/v2/" + repository + "/blobs/uploads/", BodyPublishers.noBody(), Map.of());
      String location = begun.headers().firstValue("Location").orElseThrow();
      String joint = location.contains("?") ? "&" : "?";
      expect(
          201,
          send(
              "PUT",
              URI.create(location + joint + "digest=" + blob.getKey()),
              BodyPublishers.ofByteArray(blob.getValue()),
              Map.of("Content-Type", "application/octet-stream")));
    }
    putManifest(repository, tag, image.mediaType(), image.manifest());
  }

  void putManifest(String repository, String tag, String mediaType, byte[] manifest)
      throws Exception {
    expect(
        201,
        send(
            "PUT",
            "/v2/" + repository + "/manifests/" + tag,
            BodyPublishers.ofByteArray(manifest),
            Map.of("Content-Type", mediaType)));
  }

  private static void expect(int status, HttpResponse<String> answer) {
    if (answer.statusCode() != status) {
      throw new IllegalStateException(answer.statusCode() + ": " + answer.body());
    }
  }

  private HttpResponse<String> send(
      String method, String path, HttpRequest.BodyPublisher body, Map<String, String> headers)
      throws Exception {
    return send(method, URI.create("http://" + host + path), body, headers);
  }

  private HttpResponse<String> send(
      String method, URI uri, HttpRequest.BodyPublisher body, Map<String, String> headers)
      throws Exception {
    HttpRequest.Builder request = HttpRequest.newBuilder(uri).method(method, body);
    headers.forEach(request::header);
    credentials.ifPresent(some -> request.header("Authorization", some.basic()));
    return http.send(request.build(), BodyHandlers.ofString(StandardCharsets.UTF_8));
  }

  @Override
  public void close() throws InterruptedException {
    http.close();
    process.destroyForcibly().waitFor();
  }
}
