package dev.troupe.gateway.port;

import dev.troupe.gateway.grpc.GrpcEndpoint;
import dev.troupe.gateway.http.BlockingRoutes;
import dev.troupe.gateway.http.ClusterKeys;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.japi.function.Function;

/** The public port, bound: gRPC over HTTP/2 without an upgrade, and HTTP/1.1, on one socket. */
public final class PublicPort {

  private final ServerBinding binding;
  private final GrpcEndpoint grpc;
  private final Routes routes;

  private PublicPort(ServerBinding binding, GrpcEndpoint grpc, Routes routes) {
    this.binding = binding;
    this.grpc = grpc;
    this.routes = routes;
  }

  /**
   * Binds the port. Fails with {@link PortRefused}, whose message is for the user, where that can't
   * be.
   *
   * @param port 0 for any free one
   */
  public static CompletionStage<PublicPort> bind(
      ActorSystem<?> system,
      String host,
      int port,
      GrpcEndpoint grpc,
      BlockingRoutes blocking,
      AdminRoute admin,
      ClusterKeys keys) {
    Routes routes = new Routes(grpc, blocking, admin, keys);
    // A name of its own, since bind is overloaded.
    Function<HttpRequest, CompletionStage<HttpResponse>> handler = routes::answer;
    return Http.get(system)
        .newServerAt(host, port)
        .bind(handler)
        .thenApply(binding -> new PublicPort(binding, grpc, routes))
        .exceptionally(
            failure -> {
              throw new CompletionException(new PortRefused(host, port, "--port", failure));
            });
  }

  /** Where it listens. */
  public InetSocketAddress address() {
    return binding.localAddress();
  }

  /**
   * Ends: takes no connection, then no call, ends what only waits, and closes once no call is left
   * or {@code patience} has passed. The Python client drops its connection at a GOAWAY, whatever is
   * under way on it, so none is sent before.
   */
  public CompletionStage<Void> drain(Duration patience) {
    routes.drain();
    return binding
        .unbind()
        .thenCompose(
            unbound ->
                grpc.drain()
                    .toCompletableFuture()
                    .copy()
                    .completeOnTimeout(null, patience.toMillis(), TimeUnit.MILLISECONDS))
        .thenCompose(idle -> binding.terminate(Duration.ofSeconds(1)))
        .thenAccept(terminated -> {});
  }

  /** A port that can't be bound; the message says which, and what to do. */
  public static final class PortRefused extends RuntimeException {
    private static final long serialVersionUID = 1;

    PortRefused(String host, int port, String option, Throwable failure) {
      super(sentence(host, port, option, failure), failure);
    }

    private static String sentence(String host, int port, String option, Throwable failure) {
      for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
        if (cause instanceof BindException) {
          // Pekko puts the address before the reason, in brackets.
          String reason = String.valueOf(cause.getMessage()).replaceFirst("^\\[.*] ", "");
          return ("Port %d of %s can't be bound (%s). If another server has it, stop that one or"
                  + " choose another with %s; %s 0 takes any that is free.")
              .formatted(port, host, reason, option, option);
        }
      }
      return "Port %d of %s can't be bound: %s.".formatted(port, host, failure.getMessage());
    }
  }
}
