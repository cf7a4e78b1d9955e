package dev.troupe.launcher;

import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.id.Ids;
import dev.troupe.gateway.auth.DirectoryCredentials;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What a machine joins a server with: its name and a secret, written {@code NAME:SECRET}. A server
 * that is started with it enrols the machine, and keeps the secret's hash alone.
 */
record MachineToken(String machine, String secret) {

  private static final Pattern NAME = Pattern.compile("[0-9A-Za-z][0-9A-Za-z._-]{0,63}");
  private static final Pattern SECRET = Pattern.compile("[0-9A-Za-z._~+/-]{16,200}");

  /** A new one for a machine of this name. */
  static MachineToken make(String machine) {
    byte[] bytes = new byte[16];
    new SecureRandom().nextBytes(bytes);
    return checked(machine, Ids.key(bytes));
  }

  /** Reads one. */
  static MachineToken parse(String text) {
    int colon = text.indexOf(':');
    if (colon < 0) {
      throw new Refusal(
          "A machine's token is NAME:SECRET, as troupe-server machine-token NAME prints it.");
    }
    return checked(text.substring(0, colon), text.substring(colon + 1));
  }

  private static MachineToken checked(String machine, String secret) {
    if (!NAME.matcher(machine).matches()) {
      throw new Refusal(
          "'%.64s' is no name of a machine: letters, digits, dots, hyphens, 64 at most."
              .formatted(machine));
    }
    if (!SECRET.matcher(secret).matches()) {
      throw new Refusal(
          "The secret of machine %s's token has 16 to 200 letters and digits.".formatted(machine));
    }
    return new MachineToken(machine, secret);
  }

  /** As it is written. */
  String text() {
    return machine + ":" + secret;
  }

  /** Enrols these machines; one that was enrolled before has the new secret from now on. */
  static void enrol(List<MachineToken> tokens, Directory directory, InstantSource clock) {
    tokens.forEach(token -> token.enrol(directory, clock));
  }

  private void enrol(Directory directory, InstantSource clock) {
    Optional<Entry> known = directory.byId(Kind.MACHINE, machine).toCompletableFuture().join();
    Map<String, String> attributes = new HashMap<>(known.map(Entry::attributes).orElse(Map.of()));
    attributes.put(DirectoryCredentials.SECRET_SHA256, DirectoryCredentials.hash(secret));
    directory
        .put(
            new Entry(
                Kind.MACHINE,
                "",
                machine,
                machine,
                known.map(Entry::createdAt).orElseGet(clock::instant),
                Map.copyOf(attributes)))
        .toCompletableFuture()
        .join();
  }

  /** Without the secret, which belongs in no log. */
  @Override
  public String toString() {
    return machine + ":…";
  }
}
