package dev.troupe.cluster.tls;

/** A certificate, a key or a request for one that can't be used; the message says why. */
public final class CertificateRefused extends RuntimeException {
  private static final long serialVersionUID = 1;

  CertificateRefused(String message) {
    super(message);
  }

  CertificateRefused(String message, Throwable cause) {
    super(message, cause);
  }
}
