package dev.troupe.persistence;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.typesafe.config.ConfigFactory;
import dev.troupe.persistence.store.Database.Address;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A PostgreSQL server for tests, on loopback. {@link #shared} is one for the whole run, without
 * fsync; whoever kills it makes one of its own. Its programs are those of Debian's package, found
 * on the machine or where {@code ./troupe test} unpacks them, which names the folder in the
 * variable TROUPE_POSTGRES; without any, the test is skipped.
 */
public final class Postgres implements AutoCloseable {

  public static final String USER = "troupe";
  public static final String PASSWORD = "secret of tests";

  private static final AtomicInteger NUMBER = new AtomicInteger();
  private static @Nullable Postgres shared;

  private final Path programs;
  private final Path home;
  private final int port;
  private final List<String> options;
  private @Nullable Process process;

  private Postgres(Path programs, Path home, boolean durable) throws IOException {
    this.programs = programs;
    this.home = home;
    try (ServerSocket any = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      this.port = any.getLocalPort();
    }
    this.options =
        List.of(
            "fsync=" + (durable ? "on" : "off"),
            "full_page_writes=" + (durable ? "on" : "off"),
            "listen_addresses=127.0.0.1",
            "port=" + port,
            "unix_socket_directories=" + home,
            "jit=off",
            "max_connections=100");
    Path password = home.resolve("password");
    Files.writeString(password, PASSWORD);
    List<String> init =
        List.of(
            "--no-sync",
            "--encoding=UTF8",
            "--locale=C",
            "--auth=scram-sha-256",
            "--username=" + USER,
            "--pwfile=" + password,
            "--pgdata=" + home.resolve("data"));
    await(run("initdb", init));
    start();
  }

  /** The server of this run. */
  public static synchronized Postgres shared() {
    Postgres running = shared;
    if (running == null) {
      running = own(false);
      shared = running;
      Runtime.getRuntime().addShutdownHook(new Thread(running::close));
    }
    return running;
  }

  /** A server of the caller's own. */
  public static Postgres own(boolean durable) {
    Path programs = programs();
    try {
      return new Postgres(programs, Files.createTempDirectory("troupe-postgres"), durable);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  private static Path programs() {
    String given = System.getenv("TROUPE_POSTGRES");
    if (given != null) {
      assertThat(Path.of(given, "postgres")).isExecutable();
      return Path.of(given);
    }
    Optional<Path> found =
        List.of(
                Path.of("/usr/lib/postgresql"),
                Path.of("../.troupe/postgresql/usr/lib/postgresql").toAbsolutePath().normalize())
            .stream()
            .flatMap(root -> versions(root).stream())
            .filter(bin -> Files.isExecutable(bin.resolve("postgres")))
            .max(Comparator.comparing(Path::toString));
    assumeTrue(found.isPresent(), "this machine has no PostgreSQL; ./troupe test brings one");
    return found.orElseThrow();
  }

  private static List<Path> versions(Path root) {
    if (!Files.isDirectory(root)) {
      return List.of();
    }
    try (var versions = Files.list(root)) {
      return versions.map(version -> version.resolve("bin")).toList();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** PostgreSQL refuses root, so root gives it a user namespace in which it is another. */
  private Process run(String program, List<String> arguments) throws IOException {
    List<String> command = new ArrayList<>();
    if (System.getProperty("user.name").equals("root")) {
      command.addAll(List.of("unshare", "--user", "--map-user=65534", "--map-group=65534"));
    }
    command.add(programs.resolve(program).toString());
    command.addAll(arguments);
    ProcessBuilder builder = new ProcessBuilder(command);
    Path libraries = programs.resolve("../../../x86_64-linux-gnu").normalize();
    builder.environment().put("LD_LIBRARY_PATH", libraries.toString());
    builder.environment().put("PGPASSWORD", PASSWORD);
    return builder
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(home.resolve("log").toFile()))
        .start();
  }

  /** An empty database, as docs/operating.md has it made. */
  public Address database() {
    String name = "database" + NUMBER.incrementAndGet();
    execute(
        "postgres",
        "CREATE DATABASE %s TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
            .formatted(name));
    return new Address(url(name), USER, PASSWORD);
  }

  /** Runs one of its tools on a database of it, to the end. */
  public void tool(String program, Address database, String... options) throws IOException {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "--host=127.0.0.1",
                "--port=" + port,
                "--username=" + USER,
                "--dbname=" + database.url().replaceFirst(".*/", "")));
    arguments.addAll(List.of(options));
    await(run(program, arguments));
  }

  private void await(Process process) throws IOException {
    try {
      boolean ended = process.waitFor(60, TimeUnit.SECONDS);
      if (!ended || process.exitValue() != 0) {
        throw new IOException("it failed:\n" + Files.readString(home.resolve("log"), UTF_8));
      }
    } catch (InterruptedException interrupted) {
      throw new IOException(interrupted);
    }
  }

  /** Starts it, and waits until it answers; a former one may be ending. */
  public void start() throws IOException {
    List<String> arguments = new ArrayList<>(List.of("-D", home.resolve("data").toString()));
    options.forEach(option -> arguments.addAll(List.of("-c", option)));
    long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    Process running = run("postgres", arguments);
    process = running;
    while (System.nanoTime() < end) {
      try (Connection _ = connect("postgres")) {
        return;
      } catch (SQLException notYet) {
        if (!running.isAlive()) {
          running = run("postgres", arguments);
          process = running;
        }
        pause();
      }
    }
    throw new IOException("it does not answer:\n" + Files.readString(home.resolve("log"), UTF_8));
  }

  private static void pause() {
    try {
      Thread.sleep(20);
    } catch (InterruptedException interrupted) {
      throw new IllegalStateException(interrupted);
    }
  }

  /** Kills it with SIGKILL, as a crash of its machine would. */
  public void kill() throws InterruptedException {
    Process running = process;
    if (running != null) {
      running.destroyForcibly().waitFor();
    }
  }

  /** A connection to a database of this server. */
  public Connection connect(String database) throws SQLException {
    return DriverManager.getConnection(url(database), USER, PASSWORD);
  }

  /** Runs a statement in a database of this server. */
  public void execute(String database, String sql) {
    try (Connection connection = connect(database);
        var statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException failure) {
      throw new IllegalStateException(failure);
    }
  }

  public String url(String database) {
    return "jdbc:postgresql://127.0.0.1:%d/%s".formatted(port, database);
  }

  /** An empty schema: as good as a database, and made sooner. */
  public Address schema() {
    String name = "test" + NUMBER.incrementAndGet();
    execute("postgres", "CREATE SCHEMA " + name);
    return new Address(url("postgres") + "?currentSchema=" + name, USER, PASSWORD);
  }

  /** The settings of a server that has its store in an empty schema. */
  public PersistenceSettings settings() {
    return settings(schema().url(), PASSWORD);
  }

  /** The settings of a server with this store. */
  public static PersistenceSettings settings(String url, String password) {
    return settings(url, password, Duration.ofSeconds(2));
  }

  /** The settings of a server with this store that waits so long for what is taken. */
  public static PersistenceSettings settings(String url, String password, Duration patience) {
    return PersistenceSettings.from(
        ConfigFactory.parseMap(
                Map.of(
                    "troupe.store.url",
                    url,
                    "troupe.store.user",
                    USER,
                    "troupe.store.password",
                    password,
                    "troupe.store.read-patience",
                    patience,
                    "troupe.store.retry-last",
                    "50 ms",
                    "troupe.store.settle-delay",
                    "100 ms"))
            .withFallback(ConfigFactory.load())
            .getConfig("troupe"));
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
