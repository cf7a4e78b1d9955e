package dev.troupe.cluster.tls;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Keys and certificates as text. */
final class Pem {

  static final String KEY = "PRIVATE KEY";
  static final String CERTIFICATE = "CERTIFICATE";
  static final String REQUEST = "CERTIFICATE REQUEST";

  private static final Pattern PART =
      Pattern.compile("-----BEGIN ([A-Z ]+)-----([A-Za-z0-9+/=\\s]*)-----END \\1-----");
  private static final int LINE = 64;

  private Pem() {}

  static String encode(String label, byte[] der) {
    byte[] end = "\n".getBytes(StandardCharsets.US_ASCII);
    return "-----BEGIN %s-----\n%s\n-----END %s-----\n"
        .formatted(label, Base64.getMimeEncoder(LINE, end).encodeToString(der), label);
  }

  static String encode(PrivateKey key, List<X509Certificate> chain) {
    try {
      StringBuilder text = new StringBuilder(encode(KEY, key.getEncoded()));
      for (X509Certificate each : chain) {
        text.append(encode(CERTIFICATE, each.getEncoded()));
      }
      return text.toString();
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  /** The contents of all parts of a kind, in order. */
  static List<byte[]> parts(String text, String label) {
    List<byte[]> parts = new ArrayList<>();
    Matcher part = PART.matcher(text);
    while (part.find()) {
      if (part.group(1).equals(label)) {
        try {
          parts.add(Base64.getMimeDecoder().decode(part.group(2)));
        } catch (IllegalArgumentException malformed) {
          throw new CertificateRefused("A part '%s' is malformed.".formatted(label), malformed);
        }
      }
    }
    return parts;
  }

  static PrivateKey key(String text) {
    List<byte[]> parts = parts(text, KEY);
    if (parts.size() != 1) {
      throw new CertificateRefused("There is no private key, or more than one.");
    }
    try {
      return KeyFactory.getInstance("EC")
          .generatePrivate(new PKCS8EncodedKeySpec(parts.getFirst()));
    } catch (GeneralSecurityException malformed) {
      throw new CertificateRefused("The private key is malformed.", malformed);
    }
  }

  static List<X509Certificate> certificates(String text) {
    try {
      CertificateFactory factory = CertificateFactory.getInstance("X.509");
      List<X509Certificate> found = new ArrayList<>();
      for (byte[] der : parts(text, CERTIFICATE)) {
        found.add((X509Certificate) factory.generateCertificate(new ByteArrayInputStream(der)));
      }
      return List.copyOf(found);
    } catch (GeneralSecurityException malformed) {
      throw new CertificateRefused("A certificate is malformed.", malformed);
    }
  }
}
