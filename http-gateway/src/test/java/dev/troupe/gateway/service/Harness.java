package dev.troupe.gateway.service;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.Message;
import dev.troupe.actors.id.AppId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.IdMint;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.id.TaskId;
import dev.troupe.actors.testing.InMemoryDirectory;
import dev.troupe.actors.testing.ManualClock;
import dev.troupe.actors.testing.TestCluster;
import dev.troupe.gateway.http.BlobLinks;
import dev.troupe.gateway.http.UrlSigner;
import dev.troupe.gateway.link.LogFeed;
import dev.troupe.gateway.mount.MountManifests;
import dev.troupe.gateway.rpc.Caller;
import dev.troupe.gateway.rpc.ClientType;
import dev.troupe.gateway.rpc.Failures;
import dev.troupe.gateway.rpc.RpcContext;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.rpc.RpcMethod;
import dev.troupe.gateway.rpc.RpcTable;
import dev.troupe.gateway.testing.InMemoryBlobStore;
import dev.troupe.gateway.testing.XorVault;
import dev.troupe.protocol.link.LogFilter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityRef;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;
import org.apache.pekko.cluster.sharding.typed.testkit.javadsl.TestEntityRef;
import org.apache.pekko.stream.javadsl.Source;

/** All services on fakes; entities answer as a test says. Calls pass through the table. */
final class Harness implements Entities, AutoCloseable {

  static final Caller.Token TOKEN = new Caller.Token("ak-1", "main");
  static final FunctionId FUNCTION = new FunctionId("fu-0000000000000000000001");
  static final AppId APP = new AppId("ap-0000000000000000000001");
  static final Caller.Task TASK =
      new Caller.Task(
          new TaskId("ta-00000000000000000000000001"),
          FUNCTION,
          APP,
          "main",
          "http://169.254.77.1");

  final ManualClock clock = new ManualClock();
  final InMemoryDirectory directory = new InMemoryDirectory();
  final InMemoryBlobStore blobs = new InMemoryBlobStore();
  final ActorTestKit testKit = ActorTestKit.create(TestCluster.alone());
  final CompletableFuture<Void> cancelled = new CompletableFuture<>();

  private final Map<String, BiConsumer<String, Object>> entities = new ConcurrentHashMap<>();
  private final Map<String, ActorRef<?>> refs = new ConcurrentHashMap<>();
  private final RpcTable table;
  private Lines logs = (_, _, _, _) -> Source.empty();
  final FakeHistory history = new FakeHistory();

  /** Where lines come from. */
  interface Lines {
    Source<LogFeed.Batch, NotUsed> follow(
        MachineId machine, AppId app, LogFilter filter, LogFeed.Position after);
  }

  Harness() {
    this(
        new ServiceSettings(
            "test",
            "main",
            "2025.06",
            1_000,
            10_000,
            1 << 20,
            Duration.ofSeconds(5),
            Duration.ofSeconds(5)));
  }

  private Harness(ServiceSettings settings) {
    byte[] key = "a key".getBytes(StandardCharsets.UTF_8);
    var blocking = Executors.newVirtualThreadPerTaskExecutor();
    World world =
        new World(
            testKit.system(),
            this,
            directory,
            blobs,
            new XorVault(),
            new IdMint(key),
            new BlobLinks(new UrlSigner(key, clock, Duration.ofHours(1))),
            new MountManifests(blobs, directory, blocking, clock),
            new LogFeed() {
              @Override
              public Source<Batch, NotUsed> follow(
                  MachineId machine, AppId app, LogFilter filter, Position after) {
                return logs.follow(machine, app, filter, after);
              }

              @Override
              public Source<Batch, NotUsed> archived(
                  MachineId machine, AppId app, LogFilter filter, Position after) {
                return Source.empty();
              }

              @Override
              public Set<MachineId> machines() {
                return Set.of();
              }

              @Override
              public CompletionStage<Set<MachineId>> archivedMachines(AppId app) {
                return CompletableFuture.completedStage(Set.of());
              }
            },
            history,
            blocking,
            clock,
            settings);
    RpcTable.Builder builder = RpcTable.builder();
    Services.registerAll(builder, world);
    table = builder.build();
  }

  /** What entities of a kind do with a command, given the entity's id. */
  @SuppressWarnings("unchecked")
  <C> void entity(EntityTypeKey<C> kind, BiConsumer<String, C> behavior) {
    entities.put(kind.name(), (BiConsumer<String, Object>) behavior);
  }

  /** Where lines come from. */
  void logs(Lines feed) {
    logs = feed;
  }

  @Override
  @SuppressWarnings("unchecked")
  public <C> EntityRef<C> ref(EntityTypeKey<C> kind, String id) {
    ActorRef<?> ref =
        refs.computeIfAbsent(
            kind.name() + " " + id,
            _ ->
                testKit.<Object>spawn(
                    Behaviors.receiveMessage(
                        command -> {
                          BiConsumer<String, Object> behavior = entities.get(kind.name());
                          if (behavior != null) {
                            behavior.accept(id, command);
                          }
                          return Behaviors.same();
                        })));
    return TestEntityRef.of(kind, id, (ActorRef<C>) ref);
  }

  /** A table of all that is served. */
  RpcTable table() {
    return table;
  }

  /** Makes a call with an idempotency key of its own name; what it is refused with is thrown. */
  <A extends Message> A call(Class<A> answer, Caller caller, String rpc, Message request) {
    return call(answer, caller, rpc, "key of " + rpc, request);
  }

  <A extends Message> A call(
      Class<A> answer, Caller caller, String rpc, String key, Message request) {
    var method = (RpcMethod.Unary<?, ?>) table.require(rpc);
    try {
      return answer.cast(
          method
              .call(context(caller, key), CodedInputStream.newInstance(request.toByteArray()))
              .toCompletableFuture()
              .orTimeout(20, TimeUnit.SECONDS)
              .join());
    } catch (CompletionException failed) {
      throw failure(rpc, failed);
    }
  }

  /** Opens a stream. */
  <A extends Message> Source<A, NotUsed> stream(
      Class<A> answer, Caller caller, String rpc, Message request) {
    var method = (RpcMethod.Streaming<?, ?>) table.require(rpc);
    return method
        .call(context(caller, "key of " + rpc), CodedInputStream.newInstance(request.toByteArray()))
        .map(answer::cast);
  }

  private static RpcFailure failure(String rpc, Throwable failed) {
    return Failures.of(rpc, failed);
  }

  private RpcContext context(Caller caller, String key) {
    return new RpcContext(
        caller, key, "1.6.4", ClientType.CLIENT, null, cancelled, "http://troupe.test:8484");
  }

  @Override
  public void close() {
    testKit.shutdownTestKit();
  }
}
