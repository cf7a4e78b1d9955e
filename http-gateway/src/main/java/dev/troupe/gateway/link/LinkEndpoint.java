package dev.troupe.gateway.link;

import dev.troupe.actors.id.MachineId;
import dev.troupe.gateway.auth.MachineCheck;
import dev.troupe.gateway.grpc.Admission;
import dev.troupe.gateway.grpc.Duplex;
import dev.troupe.gateway.port.LinkRoute;
import dev.troupe.gateway.rpc.Failures;
import dev.troupe.gateway.rpc.RpcFailure;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.stream.SystemMaterializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code NodeLink.Connect} on the port of machines: which machine dials is known from its
 * certificate before a word of it is read, and what it says then goes the way of the embedded
 * agent's words.
 */
public final class LinkEndpoint implements LinkRoute {

  private static final String RPC = "Connect";
  private static final Logger LOG = LoggerFactory.getLogger(LinkEndpoint.class);

  private final NodeLinks links;
  private final MachineCheck machines;
  private final Admission admission;
  private final ActorSystem<?> system;
  private final Duplex duplex;

  /** Links of these machines; {@code admission} is the memory that their words may take. */
  public LinkEndpoint(
      NodeLinks links, MachineCheck machines, Admission admission, ActorSystem<?> system) {
    this.links = links;
    this.machines = machines;
    this.admission = admission;
    this.system = system;
    this.duplex = new Duplex(RPC, admission, SystemMaterializer.get(system).materializer());
  }

  @Override
  public CompletionStage<HttpResponse> connect(HttpRequest request) {
    return machines
        .machineOf(request)
        .handle(
            (machine, failure) ->
                failure == null ? open(request, machine) : refuse(request, failure));
  }

  private HttpResponse open(HttpRequest request, MachineId machine) {
    return new LinkStream(machine, duplex, admission, system).open(request, links);
  }

  private HttpResponse refuse(HttpRequest request, Throwable failure) {
    RpcFailure refusal = Failures.of(RPC, failure);
    LOG.warn("A machine was refused: {}", refusal.description());
    return duplex.refuse(request, refusal);
  }
}
