package dev.troupe.actors.id;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Makes ids that remember their request: the id of what a request creates is an HMAC of who asked
 * and under which idempotency key, so that a repeat, through any gateway, makes the same id.
 */
public final class IdMint {

  private final SecretKeySpec key;
  private final SecureRandom random = new SecureRandom();

  /** A mint for this server key; all gateways of a cluster have the same. */
  public IdMint(byte[] serverKey) {
    this.key = new SecretKeySpec(serverKey, "HmacSHA256");
  }

  /**
   * The 22 characters that name what this request creates. {@code what} tells several things of one
   * request apart. A request without an idempotency key gets a fresh name.
   */
  public String keyFor(String caller, String rpc, String idempotencyKey, String what) {
    return idempotencyKey.isEmpty()
        ? fresh()
        : Ids.key(mac(String.join("\n", caller, rpc, idempotencyKey, what)));
  }

  /** A name that nothing else has. */
  public String fresh() {
    byte[] bytes = new byte[16];
    random.nextBytes(bytes);
    return Ids.key(bytes);
  }

  private byte[] mac(String text) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(key);
      return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
