package dev.troupe.gateway.join;

import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.cluster.tls.CertificateAuthority;
import dev.troupe.cluster.tls.JoinToken;
import dev.troupe.cluster.tls.Purpose;
import dev.troupe.gateway.auth.DirectoryCredentials;
import dev.troupe.gateway.rpc.RpcFailure;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.format.DateTimeParseException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Tokens with which processes join, each for a purpose, a time and a number of uses. The directory
 * has the hash of their secret, and an entry for each use, by which the uses are counted however
 * many servers are asked.
 */
public final class JoinTokens {

  /** The longest that one holds. */
  public static final Duration LONGEST = Duration.ofDays(30);

  /** Uses that one may have. */
  public static final int MOST_USES = 1_000;

  private static final String EXPIRES = "expires";
  private static final String USES = "uses";
  private static final String PURPOSE = "purpose";

  private final Directory directory;
  private final InstantSource clock;

  /** Tokens of this directory. */
  public JoinTokens(Directory directory, InstantSource clock) {
    this.directory = directory;
    this.clock = clock;
  }

  /** A token that was made, and until when it holds. */
  public record Made(JoinToken token, Instant expires) {}

  /** Makes one. */
  public CompletionStage<Made> make(
      Purpose purpose, CertificateAuthority authority, Duration valid, int uses) {
    if (valid.isNegative() || valid.isZero() || valid.compareTo(LONGEST) > 0) {
      throw RpcFailure.invalid(
          "A join token holds for %d days at most.".formatted(LONGEST.toDays()));
    }
    if (uses < 1 || uses > MOST_USES) {
      throw RpcFailure.invalid("A join token has 1 to %d uses.".formatted(MOST_USES));
    }
    JoinToken token = JoinToken.make(purpose, authority);
    Instant now = clock.instant();
    Instant expires = now.plus(valid);
    Entry entry =
        new Entry(
            Kind.JOIN_TOKEN,
            "",
            "",
            token.id(),
            now,
            Map.of(
                DirectoryCredentials.SECRET_SHA256,
                DirectoryCredentials.hash(token.secret()),
                PURPOSE,
                purpose.name(),
                EXPIRES,
                expires.toString(),
                USES,
                Integer.toString(uses)));
    return directory
        .removeBefore(Kind.JOIN_TOKEN, now.minus(LONGEST))
        .thenCompose(_ -> directory.removeBefore(Kind.JOIN, now.minus(LONGEST)))
        .thenCompose(_ -> directory.put(entry))
        .thenApply(_ -> new Made(token, expires));
  }

  /**
   * Uses one for the holder of a key; the same holder may use it again, since an answer may be lost
   * on its way. Fails with UNAUTHENTICATED and a sentence where that can't be.
   */
  public CompletionStage<Void> use(String text, Purpose purpose, String keyFingerprint) {
    JoinToken token =
        JoinToken.parse(text)
            .orElseThrow(
                () ->
                    RpcFailure.unauthenticated(
                        "That is no join token; ./troupe token join makes one."));
    if (token.purpose() != purpose) {
      throw RpcFailure.unauthenticated(
          "The join token is of another kind: it is not for a machine.");
    }
    return directory
        .byId(Kind.JOIN_TOKEN, token.id())
        .thenCompose(
            found -> {
              Entry entry = checked(found, token);
              int uses = Integer.parseInt(entry.attributes().getOrDefault(USES, "1"));
              return use(token, keyFingerprint, 1, uses);
            });
  }

  private Entry checked(Optional<Entry> found, JoinToken token) {
    Entry entry =
        found
            .filter(known -> hasSecret(known, token.secret()))
            .filter(
                known ->
                    token.purpose().name().equals(known.attributes().getOrDefault(PURPOSE, "")))
            .orElseThrow(
                () ->
                    RpcFailure.unauthenticated(
                        "The join token is not one of this server; ./troupe token join makes"
                            + " one."));
    if (!clock.instant().isBefore(expiry(entry))) {
      throw RpcFailure.unauthenticated(
          "The join token expired at %s; ./troupe token join makes another."
              .formatted(expiry(entry)));
    }
    return entry;
  }

  private static boolean hasSecret(Entry entry, String secret) {
    String expected = entry.attributes().getOrDefault(DirectoryCredentials.SECRET_SHA256, "");
    return MessageDigest.isEqual(
        expected.getBytes(StandardCharsets.UTF_8),
        DirectoryCredentials.hash(secret).getBytes(StandardCharsets.UTF_8));
  }

  private static Instant expiry(Entry entry) {
    try {
      return Instant.parse(entry.attributes().getOrDefault(EXPIRES, ""));
    } catch (DateTimeParseException never) {
      return Instant.EPOCH;
    }
  }

  private CompletionStage<Void> use(JoinToken token, String key, int number, int uses) {
    if (number > uses) {
      return CompletableFuture.failedFuture(
          RpcFailure.unauthenticated(
              "The join token is used up; ./troupe token join makes another."));
    }
    String name = token.id() + "/" + number;
    Entry mine = new Entry(Kind.JOIN, "", name, name + "/" + key, clock.instant(), Map.of());
    return directory
        .claim(mine)
        .thenCompose(
            has ->
                has.id().equals(mine.id())
                    ? CompletableFuture.completedStage(null)
                    : use(token, key, number + 1, uses));
  }
}
