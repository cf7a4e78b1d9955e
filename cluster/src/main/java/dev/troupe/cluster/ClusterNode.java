package dev.troupe.cluster;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigValueFactory;
import dev.troupe.cluster.tls.CertificateAuthority;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.pekko.actor.BootstrapSetup;
import org.apache.pekko.actor.setup.ActorSystemSetup;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.SpawnProtocol;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Join;
import org.apache.pekko.cluster.typed.SelfUp;
import org.apache.pekko.cluster.typed.Subscribe;
import org.apache.pekko.remote.artery.tcp.SSLEngineProviderSetup;
import org.jspecify.annotations.Nullable;

/** One process of the cluster: the actor system, joined and up. */
public final class ClusterNode {

  private ClusterNode() {}

  /** Name of every actor system: members of one cluster must share it. */
  public static final String SYSTEM = "troupe";

  /**
   * Starts the actor system of this process and joins its cluster, or forms one when no seed is
   * named. {@code whenUp} completes once this process is a member, or fails where it ends before.
   *
   * @param authority certifies members, where what they say is encrypted
   */
  public static Started start(
      Config config,
      ClusterSettings settings,
      Set<Role> roles,
      Supplier<CertificateAuthority> authority) {
    boolean secured = settings.isSecured();
    Map<String, Object> own =
        Map.of(
            "pekko.remote.artery.transport", secured ? "tls-tcp" : "tcp",
            "pekko.remote.artery.canonical.hostname", settings.host(),
            "pekko.remote.artery.canonical.port", settings.port(),
            "pekko.cluster.roles", roles.stream().map(Role::word).collect(Collectors.toList()),
            "pekko.cluster.seed-nodes",
                settings.seeds().stream().map(at -> "pekko://" + SYSTEM + "@" + at).toList());
    Config merged = config;
    for (Map.Entry<String, Object> entry : own.entrySet()) {
      merged = merged.withValue(entry.getKey(), ConfigValueFactory.fromAnyRef(entry.getValue()));
    }
    CompletableFuture<Void> up = new CompletableFuture<>();
    ActorSystem<SpawnProtocol.Command> system =
        ActorSystem.create(
            Behaviors.<SpawnProtocol.Command>setup(
                context -> {
                  Cluster cluster = Cluster.get(context.getSystem());
                  cluster
                      .subscriptions()
                      .tell(
                          Subscribe.create(
                              context.spawn(upListener(up), "up-listener"), SelfUp.class));
                  return SpawnProtocol.create();
                }),
            SYSTEM,
            setup(merged, secured ? MemberTls.of(authority.get()) : null));
    system
        .getWhenTerminated()
        .whenComplete((_, _) -> up.completeExceptionally(new NotJoined(settings.seeds())));
    if (settings.seeds().isEmpty()) {
      Cluster cluster = Cluster.get(system);
      cluster.manager().tell(Join.create(cluster.selfMember().address()));
    }
    return new Started(system, up);
  }

  private static ActorSystemSetup setup(Config config, @Nullable MemberTls tls) {
    BootstrapSetup bootstrap = BootstrapSetup.create(config);
    return tls == null
        ? ActorSystemSetup.create(bootstrap)
        : ActorSystemSetup.create(bootstrap, SSLEngineProviderSetup.create(_ -> tls));
  }

  private static Behavior<SelfUp> upListener(CompletableFuture<Void> up) {
    return Behaviors.receiveMessage(
        message -> {
          up.complete(null);
          return Behaviors.stopped();
        });
  }

  /** No member of the cluster took this process in. */
  public static final class NotJoined extends RuntimeException {
    private static final long serialVersionUID = 1;

    private NotJoined(List<String> members) {
      super(
          ("The cluster could not be joined: of its members, %s, none took this process in. Each must"
                  + " reach the other's address of the cluster (troupe.cluster.host and port).")
              .formatted(String.join(", ", members)));
    }
  }

  /** How many members the cluster has that are up. */
  public static int members(ActorSystem<?> system) {
    int up = 0;
    for (Member member : Cluster.get(system).state().getMembers()) {
      if (member.status().equals(MemberStatus.up())) {
        up++;
      }
    }
    return up;
  }

  /** A started process; {@code whenUp} completes once it is a member of its cluster. */
  public record Started(ActorSystem<SpawnProtocol.Command> system, CompletionStage<Void> whenUp) {}
}
