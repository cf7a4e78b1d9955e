package dev.troupe.node.image.oci;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;

/** A user's name and password at a registry. */
public record Credentials(String username, String password) {

  /** The variables of the client's secret that hold them. */
  public static final String USERNAME_VARIABLE = "REGISTRY_USERNAME";

  public static final String PASSWORD_VARIABLE = "REGISTRY_PASSWORD";

  /** Those in the variables of a secret, if both are there. */
  public static Optional<Credentials> of(Map<String, String> variables) {
    String username = variables.get(USERNAME_VARIABLE);
    String password = variables.get(PASSWORD_VARIABLE);
    return username == null || password == null
        ? Optional.empty()
        : Optional.of(new Credentials(username, password));
  }

  /** As HTTP has them. */
  String basic() {
    byte[] pair = (username + ":" + password).getBytes(StandardCharsets.UTF_8);
    return "Basic " + Base64.getEncoder().encodeToString(pair);
  }

  @Override
  public String toString() {
    return "Credentials of " + username;
  }
}
