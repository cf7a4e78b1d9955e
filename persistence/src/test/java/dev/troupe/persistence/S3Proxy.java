package dev.troupe.persistence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A server that speaks S3 and checks signatures, on loopback: S3Proxy, in a process of its own, its
 * buckets folders. Its libraries are those that {@code ./troupe test} brings, which names their
 * folder in the variable TROUPE_S3PROXY; without any, the test is skipped.
 */
public final class S3Proxy implements AutoCloseable {

  public static final String KEY = "tester";
  public static final String SECRET = "secret of tests";

  private static final AtomicInteger NUMBER = new AtomicInteger();
  private static @Nullable S3Proxy shared;

  private final Path libraries;
  private final Path home;
  private final int port;
  private @Nullable Process process;

  private S3Proxy(Path libraries, Path home) throws IOException {
    this.libraries = libraries;
    this.home = home;
    try (ServerSocket any = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      this.port = any.getLocalPort();
    }
    Files.createDirectory(home.resolve("buckets"));
    Files.write(
        home.resolve("conf"),
        List.of(
            "s3proxy.endpoint=http://127.0.0.1:" + port,
            "s3proxy.authorization=aws-v2-or-v4",
            "s3proxy.identity=" + KEY,
            "s3proxy.credential=" + SECRET,
            "s3proxy.ignore-unknown-headers=true",
            "jclouds.provider=filesystem-nio2",
            "jclouds.identity=none",
            "jclouds.credential=none",
            "jclouds.filesystem.basedir=" + home.resolve("buckets")));
    start();
  }

  /** The server of this run. */
  public static synchronized S3Proxy shared() {
    S3Proxy running = shared;
    if (running == null) {
      running = own();
      shared = running;
      Runtime.getRuntime().addShutdownHook(new Thread(running::close));
    }
    return running;
  }

  /** A server of the caller's own. */
  public static S3Proxy own() {
    String given = System.getenv("TROUPE_S3PROXY");
    Path libraries = Path.of(given == null ? "../.troupe/s3proxy/lib" : given);
    assumeTrue(
        given != null || Files.isDirectory(libraries),
        "this machine has no S3Proxy; ./troupe test brings one");
    assertThat(libraries).isDirectory();
    try {
      return new S3Proxy(libraries, Files.createTempDirectory("troupe-s3"));
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** Starts it, and waits until it answers. */
  public void start() throws IOException {
    Process running =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:TieredStopAtLevel=1",
                "-DLOG_LEVEL=warn",
                "-cp",
                libraries.toAbsolutePath() + "/*",
                "org.gaul.s3proxy.Main",
                "--properties",
                home.resolve("conf").toString())
            .redirectErrorStream(true)
            .redirectOutput(home.resolve("log").toFile())
            .start();
    process = running;
    long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (System.nanoTime() < end && running.isAlive()) {
      try (Socket _ = new Socket(InetAddress.getLoopbackAddress(), port)) {
        return;
      } catch (IOException notYet) {
        pause();
      }
    }
    throw new IOException("it does not answer:\n" + Files.readString(home.resolve("log")));
  }

  private static void pause() {
    try {
      Thread.sleep(50);
    } catch (InterruptedException interrupted) {
      throw new IllegalStateException(interrupted);
    }
  }

  /** Kills it with SIGKILL. */
  public void kill() throws InterruptedException {
    Process running = process;
    if (running != null) {
      running.destroyForcibly().waitFor(30, TimeUnit.SECONDS);
    }
  }

  /** Stops it where it is, as a machine that hangs; false lets it go on. */
  public void freeze(boolean frozen) throws IOException, InterruptedException {
    Process running = Objects.requireNonNull(process);
    new ProcessBuilder("kill", frozen ? "-STOP" : "-CONT", Long.toString(running.pid()))
        .start()
        .waitFor();
  }

  /** Where it is. */
  public String endpoint() {
    return "http://127.0.0.1:" + port;
  }

  /** The folder of a bucket, made where it isn't there. */
  public Path bucket(String name) {
    try {
      return Files.createDirectories(home.resolve("buckets").resolve(name));
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** The settings of a server whose blobs are in a bucket of its own. */
  public BlobSettings settings() {
    String bucket = "bucket" + NUMBER.incrementAndGet();
    bucket(bucket);
    return settings("s3://" + bucket + "/some/prefix", Map.of());
  }

  /** Settings with this address, and others in place of what is right here. */
  public BlobSettings settings(String url, Map<String, Object> others) {
    Map<String, Object> all =
        new HashMap<>(
            Map.of(
                "troupe.blob.url",
                url,
                "troupe.blob.endpoint",
                endpoint(),
                "troupe.blob.path-style",
                true,
                "troupe.blob.access-key-id",
                KEY,
                "troupe.blob.secret-access-key",
                SECRET,
                "troupe.blob.patience",
                "20 s"));
    others.forEach((key, value) -> all.put("troupe.blob." + key, value));
    return BlobSettings.from(
        ConfigFactory.parseMap(all).withFallback(ConfigFactory.load()).getConfig("troupe"));
  }

  @Override
  public void close() {
    try {
      kill();
      try (var files = Files.walk(home)) {
        files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
      }
    } catch (IOException | InterruptedException failure) {
      throw new IllegalStateException(failure);
    }
  }
}
