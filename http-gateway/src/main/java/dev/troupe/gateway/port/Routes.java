package dev.troupe.gateway.port;

import dev.troupe.actors.door.BlobDoor;
import dev.troupe.gateway.grpc.GrpcEndpoint;
import dev.troupe.gateway.http.BlockingRoutes;
import dev.troupe.gateway.http.ClusterKeys;
import dev.troupe.gateway.http.Plain;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** Sends requests where they belong, by path. */
final class Routes {
  private final GrpcEndpoint grpc;
  private final BlockingRoutes blocking;
  private final AdminRoute admin;
  private final ClusterKeys keys;
  private volatile boolean draining;

  Routes(GrpcEndpoint grpc, BlockingRoutes blocking, AdminRoute admin, ClusterKeys keys) {
    this.grpc = grpc;
    this.blocking = blocking;
    this.admin = admin;
    this.keys = keys;
  }

  void drain() {
    draining = true;
  }

  CompletionStage<HttpResponse> answer(HttpRequest request) {
    String path = request.getUri().path();
    if (path.startsWith(GrpcEndpoint.PATH)) {
      return grpc.handle(request);
    }
    if (path.startsWith(BlobDoor.PATH)) {
      return blocking.blob(request);
    }
    if (path.startsWith(AdminRoute.PATH)) {
      return admin.answer(request);
    }
    if (path.startsWith(ClusterKeys.PATH)) {
      return keys.answer(request);
    }
    return CompletableFuture.completedFuture(other(request, path));
  }

  private HttpResponse other(HttpRequest request, String path) {
    if (path.equals("/healthz")) {
      return Plain.text(200, "ok");
    }
    // Not where the store is away: calls wait for it here, and would be refused elsewhere.
    if (path.equals("/readyz")) {
      return draining ? Plain.text(503, "draining") : Plain.text(200, "ready");
    }
    if (GrpcEndpoint.isGrpc(request)) {
      return GrpcEndpoint.unserved(path);
    }
    return Plain.text(404, "Nothing is here. Troupe's clients speak gRPC under this address.");
  }
}
