package dev.troupe.gateway.port;

import java.util.concurrent.CompletionStage;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** What operators ask. */
@FunctionalInterface
public interface AdminRoute {

  /** How their paths begin. */
  String PATH = "/_troupe/admin/";

  /** Answers a request under {@link #PATH}. */
  CompletionStage<HttpResponse> answer(HttpRequest request);
}
