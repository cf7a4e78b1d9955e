package dev.troupe.node.image.oci;

import dev.troupe.node.image.BuildFailure;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What content is named by: the algorithm and its result in hex.
 *
 * @param text {@code sha256:} or {@code sha512:} and hex digits
 */
public record Digest(String text) {

  private static final Pattern FORM = Pattern.compile("sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}");

  public Digest {
    if (!FORM.matcher(text).matches()) {
      throw new IllegalArgumentException("no digest: " + text);
    }
  }

  /** Reads one that somebody else wrote; the sentence of the failure says {@code where}. */
  static Digest parse(String text, String where) throws BuildFailure {
    return read(text)
        .orElseThrow(
            () ->
                new BuildFailure(
                    "%s names '%.160s' as a digest; it must be sha256: or sha512: and hex digits."
                        .formatted(where, Printable.of(text))));
  }

  /** Reads one, if it is one. */
  static Optional<Digest> read(String text) {
    return FORM.matcher(text).matches() ? Optional.of(new Digest(text)) : Optional.empty();
  }

  /** The digest of these bytes by SHA-256. */
  static Digest sha256(byte[] bytes) {
    return of("sha256", messageDigest("sha256").digest(bytes));
  }

  /** One whose bytes have been computed. */
  static Digest of(String algorithm, byte[] result) {
    return new Digest(algorithm + ":" + HexFormat.of().formatHex(result));
  }

  /** {@code sha256} or {@code sha512}. */
  String algorithm() {
    return text.substring(0, text.indexOf(':'));
  }

  /** The digits alone. */
  String hex() {
    return text.substring(text.indexOf(':') + 1);
  }

  /** Whether these bytes have this digest. */
  boolean matches(byte[] bytes) {
    return of(algorithm(), newMessageDigest().digest(bytes)).equals(this);
  }

  /** What computes a digest of the same algorithm. */
  MessageDigest newMessageDigest() {
    return messageDigest(algorithm());
  }

  private static MessageDigest messageDigest(String algorithm) {
    try {
      return MessageDigest.getInstance(algorithm.equals("sha256") ? "SHA-256" : "SHA-512");
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  @Override
  public String toString() {
    return text;
  }
}
