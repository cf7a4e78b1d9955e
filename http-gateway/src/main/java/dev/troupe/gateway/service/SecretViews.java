package dev.troupe.gateway.service;

import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.secret.SecretProtocol;
import dev.troupe.actors.secret.SecretProtocol.SecretReply.Secret;
import dev.troupe.gateway.rpc.RpcFailure;
import dev.troupe.protocol.modal.CreationInfo;
import dev.troupe.protocol.modal.SecretListItem;
import dev.troupe.protocol.modal.SecretMetadata;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Secrets in the client's words; never their values. */
final class SecretViews {

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,64}");

  private SecretViews() {}

  /** What a client is told of a secret, in the environment of this name. */
  static SecretMetadata metadata(Secret secret, String environment) {
    return SecretMetadata.newBuilder()
        .setName(secret.name())
        .setEnvironmentName(environment)
        .addAllKeys(secret.keys())
        .setCreationInfo(
            CreationInfo.newBuilder().setCreatedAt(Outputs.seconds(secret.createdAt())))
        .build();
  }

  /** A line of a listing of the environment of this name. */
  static SecretListItem item(Entry entry, String environment) {
    double createdAt = Outputs.seconds(entry.createdAt());
    String keys = entry.attributes().getOrDefault(SecretProtocol.KEYS_ATTRIBUTE, "");
    return SecretListItem.newBuilder()
        .setLabel(entry.name())
        .setCreatedAt(createdAt)
        .setEnvironmentName(environment)
        .setSecretId(entry.id())
        .setMetadata(
            SecretMetadata.newBuilder()
                .setName(entry.name())
                .setEnvironmentName(environment)
                .addAllKeys(Stream.of(keys.split(",")).filter(key -> !key.isEmpty()).toList())
                .setCreationInfo(CreationInfo.newBuilder().setCreatedAt(createdAt)))
        .build();
  }

  /** The secret, if it has all of these variables. */
  static Secret requireKeys(Secret secret, String name, List<String> required) {
    List<String> missing =
        required.stream().filter(key -> !secret.keys().contains(key)).sorted().toList();
    if (!missing.isEmpty()) {
      throw RpcFailure.notFound(
          "Secret '%s' is missing the required keys %s; it has %s."
              .formatted(
                  name,
                  String.join(", ", missing),
                  secret.keys().isEmpty() ? "none" : String.join(", ", secret.keys())));
    }
    return secret;
  }

  /** Lets a name pass that clients can look up again. */
  static void requireName(String name) {
    if (!NAME.matcher(name).matches()) {
      throw RpcFailure.invalid(
          "'%.80s' can't be the name of a secret: use up to 64 letters, digits, dots, dashes and"
                  .formatted(name)
              + " underscores.");
    }
  }

  /** Environment and values as one text, different for different ones. */
  static String canonical(String environment, Map<String, String> values) {
    StringBuilder text = new StringBuilder(environment);
    new TreeMap<>(values)
        .forEach((key, value) -> text.append('\0').append(key).append('=').append(value));
    return text.toString();
  }
}
