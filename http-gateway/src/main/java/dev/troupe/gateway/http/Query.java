package dev.troupe.gateway.http;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/** The query of a URL. */
final class Query {

  private Query() {}

  /**
   * Names and values; of a name that stands twice, the first value.
   *
   * @throws IllegalArgumentException when an escape is malformed
   */
  static Map<String, String> parse(String query) {
    Map<String, String> values = new HashMap<>();
    for (String pair : query.split("&", 64)) {
      int equals = pair.indexOf('=');
      if (equals > 0) {
        values.putIfAbsent(
            pair.substring(0, equals),
            URLDecoder.decode(pair.substring(equals + 1), StandardCharsets.UTF_8));
      }
    }
    return values;
  }
}
