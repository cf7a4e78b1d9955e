package dev.troupe.cluster.tls;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.util.HexFormat;

/** What tells a certificate or a key from any other: its SHA-256 in hexadecimal. */
public final class Fingerprint {

  private Fingerprint() {}

  /** Of a certificate. */
  public static String of(X509Certificate certificate) {
    try {
      return sha256(certificate.getEncoded());
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  /** Of a key. */
  public static String of(PublicKey key) {
    return sha256(key.getEncoded());
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
