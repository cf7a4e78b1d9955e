package dev.troupe.gateway.port;

import dev.troupe.cluster.tls.CertificateAuthority;
import dev.troupe.cluster.tls.Purpose;
import dev.troupe.cluster.tls.Tls;
import dev.troupe.gateway.port.PublicPort.PortRefused;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.ConnectionContext;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.japi.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The port of machines elsewhere, bound: TLS, by which each end knows the other. Who has no
 * certificate yet can ask for one, and nothing else.
 */
public final class MachinePort {

  private final ServerBinding binding;

  private MachinePort(ServerBinding binding) {
    this.binding = binding;
  }

  /**
   * Binds the port; fails with {@link PortRefused} where that can't be.
   *
   * @param port 0 for any free one
   */
  public static CompletionStage<MachinePort> bind(
      ActorSystem<?> system,
      String host,
      int port,
      Supplier<CertificateAuthority> authority,
      InstantSource clock,
      MachineRoutes routes) {
    Certified certified = new Certified(authority, clock);
    // A name of its own, since bind is overloaded.
    Function<HttpRequest, CompletionStage<HttpResponse>> handler = routes::answer;
    return Http.get(system)
        .newServerAt(host, port)
        .enableHttps(ConnectionContext.httpsServer(() -> Tls.answering(certified.context())))
        .bind(handler)
        .thenApply(MachinePort::new)
        .exceptionally(
            failure -> {
              throw new CompletionException(new PortRefused(host, port, "--machine-port", failure));
            });
  }

  /** Where it listens. */
  public InetSocketAddress address() {
    return binding.localAddress();
  }

  /** Ends the links that there are, and takes no more. */
  public CompletionStage<Void> close() {
    return binding.terminate(Duration.ofSeconds(1)).thenAccept(_ -> {});
  }

  /** The certificate of this port, made with the first connection. */
  private static final class Certified {
    private final Supplier<CertificateAuthority> authority;
    private final InstantSource clock;
    private @Nullable SSLContext made;

    private Certified(Supplier<CertificateAuthority> authority, InstantSource clock) {
      this.authority = authority;
      this.clock = clock;
    }

    private synchronized SSLContext context() {
      SSLContext context = made;
      if (context == null) {
        context =
            Tls.of(
                authority.get().identity("troupe", Purpose.MACHINE_PORT, clock.instant()),
                Purpose.MACHINE);
        made = context;
      }
      return context;
    }
  }
}
