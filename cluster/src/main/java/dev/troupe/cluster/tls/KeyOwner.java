package dev.troupe.cluster.tls;

import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.spec.ECGenParameterSpec;

/** Who has a key. */
public record KeyOwner(PublicKey publicKey, PrivateKey privateKey) {

  /** A new one, with a new key on P-256. */
  public static KeyOwner make() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(new ECGenParameterSpec("secp256r1"));
      KeyPair made = generator.generateKeyPair();
      return new KeyOwner(made.getPublic(), made.getPrivate());
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  /** Without the key, which belongs in no log. */
  @Override
  public String toString() {
    return "owner of " + Fingerprint.of(publicKey);
  }
}
