package dev.troupe.gateway.http;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Signs what a link allows, for a time: whoever holds the link may do that, and nothing else. The
 * key is the server's own, the same in all gateways of a cluster.
 */
public final class UrlSigner {

  private static final String PURPOSE = "troupe blob link 1";

  private final SecretKeySpec key;
  private final InstantSource clock;
  private final Duration validity;

  /** A signer of links that hold for {@code validity}. */
  public UrlSigner(byte[] serverKey, InstantSource clock, Duration validity) {
    this.key = new SecretKeySpec(serverKey, "HmacSHA256");
    this.clock = clock;
    this.validity = validity;
  }

  /** When a link that is made now ends. */
  public Instant expiry() {
    return clock.instant().plus(validity);
  }

  /** The signature of a grant: 43 characters that need no escape in a URL. */
  public String sign(BlobGrant grant) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(mac(grant));
  }

  /** Whether the signature is that of the grant, and the grant has not expired. */
  public boolean holds(BlobGrant grant, String signature) {
    boolean signed =
        MessageDigest.isEqual(
            sign(grant).getBytes(StandardCharsets.US_ASCII),
            signature.getBytes(StandardCharsets.UTF_8));
    return signed && clock.instant().isBefore(grant.expires());
  }

  private byte[] mac(BlobGrant grant) {
    String text =
        String.join(
            "\n",
            PURPOSE,
            grant.action().name(),
            grant.blob().value(),
            Integer.toString(grant.part()),
            Long.toString(grant.expires().getEpochSecond()),
            grant.caller());
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(key);
      return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
