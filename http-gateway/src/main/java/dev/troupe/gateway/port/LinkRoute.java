package dev.troupe.gateway.port;

import dev.troupe.protocol.link.NodeLinkWire;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** Where agents of other machines dial. */
@FunctionalInterface
public interface LinkRoute {

  /** The path of {@code NodeLink.Connect}. */
  String PATH = "/" + NodeLinkWire.CONNECT;

  /** Answers with the stream of orders, for as long as the request's stream of reports lasts. */
  CompletionStage<HttpResponse> connect(HttpRequest request);
}
