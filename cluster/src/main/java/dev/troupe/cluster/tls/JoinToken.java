package dev.troupe.cluster.tls;

import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * With what a process joins an installation: a secret that the other side knows the hash of, and
 * the fingerprint of the authority there, so that nobody else can pass for it.
 *
 * @param purpose what the certificate is for that it brings
 * @param id names it without telling the secret
 * @param authority {@link Fingerprint} of the authority
 */
public record JoinToken(Purpose purpose, String id, String secret, String authority) {

  private static final Pattern TEXT =
      Pattern.compile("(machine|member)\\.([0-9a-f]{16})\\.([0-9a-f]{32})\\.([0-9a-f]{64})");

  /** A new one. */
  public static JoinToken make(Purpose purpose, CertificateAuthority authority) {
    return new JoinToken(purpose, random(8), random(16), Fingerprint.of(authority.certificate()));
  }

  private static String random(int bytes) {
    byte[] random = new byte[bytes];
    new SecureRandom().nextBytes(random);
    return HexFormat.of().formatHex(random);
  }

  /** Reads one; empty where the text is none. */
  public static Optional<JoinToken> parse(String text) {
    Matcher parts = TEXT.matcher(text);
    if (!parts.matches()) {
      return Optional.empty();
    }
    Purpose purpose =
        parts.group(1).equals(Purpose.MACHINE.unit()) ? Purpose.MACHINE : Purpose.MEMBER;
    return Optional.of(new JoinToken(purpose, parts.group(2), parts.group(3), parts.group(4)));
  }

  /** As it is written. */
  public String text() {
    return String.join(".", purpose.unit(), id, secret, authority);
  }

  /** Without the secret, which belongs in no log. */
  @Override
  public String toString() {
    return purpose.unit() + "." + id + ".…";
  }
}
