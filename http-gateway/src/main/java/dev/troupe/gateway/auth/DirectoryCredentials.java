package dev.troupe.gateway.auth;

import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.id.Ids;
import dev.troupe.gateway.rpc.Caller;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Credentials kept in the directory, as the SHA-256 of their secret. Entries are remembered for a
 * while, since every call asks; one that is revoked works until then. That none has an id is
 * remembered shortly, so that guessing does not load the store.
 */
public final class DirectoryCredentials implements TokenCheck {

  /** Attribute of the entry: the secret's SHA-256 in hexadecimal. */
  public static final String SECRET_SHA256 = "secret_sha256";

  /** Attribute of a token's entry: the environment it means where a request names none. */
  public static final String ENVIRONMENT = "environment";

  /** The environment of a token whose entry names none. */
  public static final String DEFAULT_ENVIRONMENT = "main";

  static final Duration REMEMBERED = Duration.ofSeconds(30);
  static final Duration REMEMBERED_ABSENT = Duration.ofSeconds(2);
  static final int MAX_REMEMBERED = 10_000;
  private static final int MAX_ID_LENGTH = 100;

  private final Directory directory;
  private final InstantSource clock;
  private final Map<String, Remembered> remembered =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Remembered> eldest) {
          return size() > MAX_REMEMBERED;
        }
      };

  private record Remembered(Optional<Entry> entry, Instant until) {}

  /** Credentials of this directory. */
  public DirectoryCredentials(Directory directory, InstantSource clock) {
    this.directory = directory;
    this.clock = clock;
  }

  /** How a secret is kept. */
  public static String hash(String secret) {
    byte[] bytes = secret.getBytes(StandardCharsets.UTF_8);
    return HexFormat.of().formatHex(Ids.sha256().digest(bytes));
  }

  @Override
  public CompletionStage<Optional<Caller.Token>> check(String tokenId, String secret) {
    return entry(Kind.TOKEN, tokenId)
        .thenApply(
            found ->
                found
                    .filter(entry -> matches(entry, secret))
                    .map(
                        entry ->
                            new Caller.Token(
                                tokenId,
                                entry
                                    .attributes()
                                    .getOrDefault(ENVIRONMENT, DEFAULT_ENVIRONMENT))));
  }

  private static boolean matches(Entry entry, String secret) {
    String expected = entry.attributes().getOrDefault(SECRET_SHA256, "");
    return MessageDigest.isEqual(
        expected.getBytes(StandardCharsets.UTF_8), hash(secret).getBytes(StandardCharsets.UTF_8));
  }

  private CompletionStage<Optional<Entry>> entry(Kind kind, String id) {
    if (id.isEmpty() || id.length() > MAX_ID_LENGTH) {
      return CompletableFuture.completedFuture(Optional.empty());
    }
    String key = kind + " " + id;
    Remembered known = recall(key);
    if (known != null) {
      return CompletableFuture.completedFuture(known.entry());
    }
    return directory
        .byId(kind, id)
        .thenApply(
            found -> {
              remember(key, found);
              return found;
            });
  }

  private @Nullable Remembered recall(String key) {
    synchronized (remembered) {
      Remembered known = remembered.get(key);
      return known != null && clock.instant().isBefore(known.until()) ? known : null;
    }
  }

  private void remember(String key, Optional<Entry> entry) {
    Duration time = entry.isPresent() ? REMEMBERED : REMEMBERED_ABSENT;
    synchronized (remembered) {
      remembered.remove(key);
      remembered.put(key, new Remembered(entry, clock.instant().plus(time)));
    }
  }
}
