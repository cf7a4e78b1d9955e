package dev.troupe.gateway.port;

import dev.troupe.actors.blob.ContentSource;
import dev.troupe.actors.door.BlobDoor;
import dev.troupe.actors.log.LogIntake;
import dev.troupe.gateway.http.BlockingRoutes;
import dev.troupe.gateway.http.Plain;
import dev.troupe.gateway.join.JoinRoute;
import dev.troupe.protocol.link.NodeLinkWire;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** Sends requests on the port of machines where they belong, by path. */
public final class MachineRoutes {

  private final LinkRoute links;
  private final BlockingRoutes blocking;
  private final JoinRoute join;

  /** Routes to these. */
  public MachineRoutes(LinkRoute links, BlockingRoutes blocking, JoinRoute join) {
    this.links = links;
    this.blocking = blocking;
    this.join = join;
  }

  CompletionStage<HttpResponse> answer(HttpRequest request) {
    String path = request.getUri().path();
    if (path.equals(LinkRoute.PATH)) {
      return links.connect(request);
    }
    if (path.startsWith(ContentSource.PATH)) {
      return blocking.content(request);
    }
    if (path.startsWith(BlobDoor.PATH)) {
      return blocking.blob(request);
    }
    if (path.startsWith(LogIntake.PATH)) {
      return blocking.logs(request);
    }
    if (path.equals(NodeLinkWire.JOIN)) {
      return join.answer(request);
    }
    return CompletableFuture.completedFuture(
        Plain.text(404, "Nothing is here but what machines ask for."));
  }
}
