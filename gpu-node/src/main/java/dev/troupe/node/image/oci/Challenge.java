package dev.troupe.node.image.oci;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How a registry wants to know who asks: {@code WWW-Authenticate} of an HTTP answer.
 *
 * @param scheme in lower case: {@code basic}, {@code bearer}
 */
record Challenge(String scheme, Map<String, String> parameters) {

  private static final Pattern SCHEME = Pattern.compile("\\s*([A-Za-z]+)(?:\\s+(.*))?");
  private static final Pattern PARAMETER =
      Pattern.compile("([A-Za-z_]+)=(?:\"([^\"]*)\"|([^\\s,\"]*))");

  /** The one to answer: a token before a password, where both will do. */
  static Optional<Challenge> choose(List<String> headers) {
    Optional<Challenge> basic = Optional.empty();
    for (String header : headers) {
      Optional<Challenge> challenge = parse(header);
      if (challenge.filter(one -> one.scheme().equals("bearer")).isPresent()) {
        return challenge;
      }
      if (challenge.filter(one -> one.scheme().equals("basic")).isPresent()) {
        basic = challenge;
      }
    }
    return basic;
  }

  private static Optional<Challenge> parse(String header) {
    Matcher scheme = SCHEME.matcher(header);
    if (!scheme.matches()) {
      return Optional.empty();
    }
    Map<String, String> parameters = new HashMap<>();
    String rest = scheme.group(2) == null ? "" : scheme.group(2);
    Matcher parameter = PARAMETER.matcher(rest);
    while (parameter.find()) {
      String value = parameter.group(2) != null ? parameter.group(2) : parameter.group(3);
      parameters.put(parameter.group(1).toLowerCase(Locale.ROOT), value == null ? "" : value);
    }
    return Optional.of(new Challenge(scheme.group(1).toLowerCase(Locale.ROOT), parameters));
  }
}
