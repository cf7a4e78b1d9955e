package dev.troupe.gateway.testing;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.troupe.gateway.auth.MachineCheck;
import dev.troupe.gateway.auth.TokenCheck;
import dev.troupe.gateway.grpc.Admission;
import dev.troupe.gateway.grpc.GrpcEndpoint;
import dev.troupe.gateway.http.BlobHttp;
import dev.troupe.gateway.http.BlockingRoutes;
import dev.troupe.gateway.http.ClusterKeys;
import dev.troupe.gateway.http.Plain;
import dev.troupe.gateway.http.UrlSigner;
import dev.troupe.gateway.port.PublicPort;
import dev.troupe.gateway.rpc.Caller;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.stream.SystemMaterializer;

/** A public port with the echo table behind it, a token, and blobs in memory. */
public final class EchoServer implements AutoCloseable {

  public static final String TOKEN = "ak-test";
  public static final String SECRET = "as-secret";

  private static final Map<String, byte[]> KEYS =
      Map.of("one.key", "the first key".getBytes(StandardCharsets.UTF_8));

  private final ActorSystem<Void> system;
  private final ExecutorService virtual = Executors.newVirtualThreadPerTaskExecutor();
  private final EchoTable echo = new EchoTable();
  private final InMemoryBlobStore store = new InMemoryBlobStore();
  private final InMemoryLogArchive archive = new InMemoryLogArchive();
  private final UrlSigner signer =
      new UrlSigner(serverKey(), InstantSource.system(), Duration.ofMinutes(5));
  private final Admission admission;
  private final PublicPort port;

  /** Starts on a free port. */
  public EchoServer(long budgetBytes, Duration patience) {
    system = ActorSystem.create(Behaviors.empty(), "echo", config());
    admission = new Admission(budgetBytes, patience);
    TokenCheck tokens =
        (id, secret) ->
            CompletableFuture.completedFuture(
                id.equals(TOKEN) && secret.equals(SECRET)
                    ? Optional.of(new Caller.Token(id, "main"))
                    : Optional.empty());
    MachineCheck machines =
        _ -> CompletableFuture.failedFuture(new IllegalStateException("no machines in this test"));
    GrpcEndpoint grpc = new GrpcEndpoint(echo.table(), tokens, admission, system, virtual);
    BlockingRoutes blocking =
        new BlockingRoutes(
            new BlobHttp(store, signer),
            store,
            archive,
            machines,
            (_, _, _) -> false,
            virtual,
            SystemMaterializer.get(system).materializer());
    port =
        PublicPort.bind(
                system,
                "127.0.0.1",
                0,
                grpc,
                blocking,
                request ->
                    CompletableFuture.completedFuture(Plain.text(404, "no operators in this test")),
                new ClusterKeys(serverKey(), () -> KEYS, InstantSource.system(), virtual))
            .toCompletableFuture()
            .join();
  }

  private static Config config() {
    return ConfigFactory.parseString("pekko.actor.provider = local")
        .withFallback(ConfigFactory.load());
  }

  /** What ids are minted and links signed with. */
  public static byte[] serverKey() {
    return new byte[32];
  }

  /** Its port. */
  public int port() {
    return port.address().getPort();
  }

  /** What is behind it. */
  public EchoTable echo() {
    return echo;
  }

  /** Its budget. */
  public Admission admission() {
    return admission;
  }

  /** Its blobs. */
  public InMemoryBlobStore store() {
    return store;
  }

  /** Signs links that it takes. */
  public UrlSigner signer() {
    return signer;
  }

  /** Its actor system, for clients. */
  public ActorSystem<?> system() {
    return system;
  }

  /** The port itself. */
  public PublicPort publicPort() {
    return port;
  }

  @Override
  public void close() {
    virtual.shutdownNow();
    system.terminate();
    system.getWhenTerminated().toCompletableFuture().join();
  }
}
