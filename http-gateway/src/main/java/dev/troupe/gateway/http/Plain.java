package dev.troupe.gateway.http;

import java.time.Duration;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** Answers of plain HTTP that are a sentence. */
public final class Plain {

  /** A body of which nothing comes for so long has died. */
  static final Duration STALL = Duration.ofSeconds(30);

  private Plain() {}

  /** A status and a sentence. */
  public static HttpResponse text(int status, String sentence) {
    return HttpResponse.create()
        .withStatus(status)
        .withEntity(HttpEntities.create(ContentTypes.TEXT_PLAIN_UTF8, sentence + "\n"));
  }
}
