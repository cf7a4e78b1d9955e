package dev.troupe.gateway.admin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.node.NodeProtocol;
import dev.troupe.actors.node.NodeProtocol.Attribute;
import dev.troupe.actors.node.NodeProtocol.DrainReply;
import dev.troupe.actors.node.NodeProtocol.RemoveReply;
import dev.troupe.cluster.tls.CertificateAuthority;
import dev.troupe.cluster.tls.Purpose;
import dev.troupe.gateway.auth.TokenCheck;
import dev.troupe.gateway.http.Plain;
import dev.troupe.gateway.join.JoinTokens;
import dev.troupe.gateway.port.AdminRoute;
import dev.troupe.gateway.rpc.Failures;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.gateway.service.Entities;
import dev.troupe.gateway.service.NodeListing;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpMethods;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.Query;
import org.apache.pekko.stream.Materializer;

/**
 * What the commands of an operator ask: a token of the server may ask all of it, a container or a
 * machine nothing.
 *
 * <pre>
 *   GET  nodes                     machines, members, who waits
 *   POST nodes/ID/drain            the machine takes nothing new, and its agent goes
 *   POST nodes/ID/remove           a machine whose agent is away is forgotten
 *   POST join-tokens?valid=&uses=  a token with which machines join
 * </pre>
 */
public final class AdminRoutes implements AdminRoute {

  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final TokenCheck tokens;
  private final JoinTokens joins;
  private final NodeListing nodes;
  private final Entities entities;
  private final Directory directory;
  private final Supplier<CertificateAuthority> authority;
  private final Supplier<InetSocketAddress> machineAddress;
  private final Executor blocking;
  private final Materializer materializer;

  /** Routes for who has one of these tokens; {@code machineAddress} is where machines join. */
  public AdminRoutes(
      TokenCheck tokens,
      JoinTokens joins,
      NodeListing nodes,
      Entities entities,
      Directory directory,
      Supplier<CertificateAuthority> authority,
      Supplier<InetSocketAddress> machineAddress,
      Executor blocking,
      Materializer materializer) {
    this.tokens = tokens;
    this.joins = joins;
    this.nodes = nodes;
    this.entities = entities;
    this.directory = directory;
    this.authority = authority;
    this.machineAddress = machineAddress;
    this.blocking = blocking;
    this.materializer = materializer;
  }

  @Override
  public CompletionStage<HttpResponse> answer(HttpRequest request) {
    request.discardEntityBytes(materializer);
    String path = request.getUri().path().substring(PATH.length());
    return tokens
        .check(header(request, "x-modal-token-id"), header(request, "x-modal-token-secret"))
        .thenComposeAsync(
            caller -> {
              if (caller.isEmpty()) {
                throw RpcFailure.unauthenticated(
                    "The token is not known here, or its secret is wrong (troupe env prints the"
                        + " right one).");
              }
              return route(request, List.of(path.split("/")));
            },
            blocking)
        .thenApply(AdminRoutes::json)
        .exceptionally(AdminRoutes::refusal);
  }

  private static String header(HttpRequest request, String name) {
    return request.getHeader(name).map(HttpHeader::value).orElse("");
  }

  private CompletionStage<? extends JsonNode> route(HttpRequest request, List<String> path) {
    boolean post = request.method().equals(HttpMethods.POST);
    if (!post && path.equals(List.of("nodes"))) {
      return nodes.list();
    }
    if (post && path.equals(List.of("join-tokens"))) {
      return joinToken(request.getUri().query());
    }
    if (post && path.size() == 3 && path.getFirst().equals("nodes")) {
      MachineId machine = new MachineId(path.get(1));
      switch (path.getLast()) {
        case "drain" -> {
          return known(machine).thenCompose(entry -> drain(machine, entry));
        }
        case "remove" -> {
          return known(machine).thenCompose(entry -> remove(machine, entry));
        }
        default -> {}
      }
    }
    throw RpcFailure.notFound("There is no such question to a server.");
  }

  // ---- machines

  private CompletionStage<Entry> known(MachineId machine) {
    return directory
        .byId(Kind.MACHINE, machine.value())
        .thenApply(
            found ->
                found.orElseThrow(
                    () ->
                        RpcFailure.notFound(
                            "There is no machine %s; ./troupe nodes lists them."
                                .formatted(machine))));
  }

  private CompletionStage<ObjectNode> drain(MachineId machine, Entry entry) {
    if (!entry.attributes().containsKey(Attribute.KEY_SHA256)) {
      throw RpcFailure.precondition(
          "Machine %s is the server's own: it ends with the server.".formatted(machine));
    }
    return entities
        .machine(machine)
        .<DrainReply>ask(NodeProtocol.Drain::new, PATIENCE)
        .thenApply(
            reply ->
                switch (reply) {
                  case DRAINING -> state(machine, "draining");
                  case AWAY ->
                      throw RpcFailure.precondition(
                          ("The agent of machine %s is away. Where it is gone for good:"
                                  + " ./troupe node remove %s")
                              .formatted(machine, machine));
                });
  }

  private CompletionStage<ObjectNode> remove(MachineId machine, Entry entry) {
    return entities
        .machine(machine)
        .<RemoveReply>ask(NodeProtocol.Remove::new, PATIENCE)
        .thenCompose(
            reply ->
                switch (reply) {
                  case REMOVED ->
                      directory
                          .remove(Kind.MACHINE, entry.id())
                          .thenApply(_ -> state(machine, "removed"));
                  case LINKED ->
                      throw RpcFailure.precondition(
                          ("Machine %s is linked. Stop its agent, or let it leave:"
                                  + " ./troupe node drain %s")
                              .formatted(machine, machine));
                });
  }

  private static ObjectNode state(MachineId machine, String state) {
    return JsonNodeFactory.instance.objectNode().put("id", machine.value()).put("state", state);
  }

  // ---- tokens

  private CompletionStage<ObjectNode> joinToken(Query query) {
    Duration valid;
    int uses;
    try {
      valid = Duration.parse(query.get("valid").orElse("PT1H"));
      uses = Integer.parseInt(query.get("uses").orElse("1"));
    } catch (DateTimeParseException | NumberFormatException wrong) {
      return CompletableFuture.failedFuture(
          RpcFailure.invalid("A time is written as PT1H, a number of uses as 3."));
    }
    InetSocketAddress at = machineAddress.get();
    return joins
        .make(Purpose.MACHINE, authority.get(), valid, uses)
        .thenApply(
            made ->
                JsonNodeFactory.instance
                    .objectNode()
                    .put("token", made.token().text())
                    .put("expires", made.expires().toString())
                    .put("uses", uses)
                    .put("host", at.getHostString())
                    .put("port", at.getPort()));
  }

  // ---- answers

  private static HttpResponse json(JsonNode answer) {
    return HttpResponse.create()
        .withEntity(HttpEntities.create(ContentTypes.APPLICATION_JSON, answer.toString()));
  }

  private static HttpResponse refusal(Throwable failure) {
    RpcFailure refused = Failures.of("an operator", failure);
    int status =
        switch (refused.code()) {
          case UNAUTHENTICATED -> 401;
          case INVALID_ARGUMENT -> 400;
          case NOT_FOUND -> 404;
          case FAILED_PRECONDITION -> 409;
          case UNAVAILABLE -> 503;
          default -> 500;
        };
    return Plain.text(status, refused.description());
  }
}
