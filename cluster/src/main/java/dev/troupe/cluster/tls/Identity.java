package dev.troupe.cluster.tls;

import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;

/**
 * Who a process is to others of its installation.
 *
 * @param chain its certificate, then that of the authority
 */
public record Identity(PrivateKey key, List<X509Certificate> chain) {

  public Identity {
    chain = List.copyOf(chain);
    if (chain.size() != 2) {
      throw new CertificateRefused("A certificate and its authority's are wanted, no more.");
    }
  }

  /** One of a key that was kept and the text of the chain. */
  public static Identity of(KeyOwner owner, String chain) {
    Identity made = new Identity(owner.privateKey(), Pem.certificates(chain));
    if (!made.certificate().getPublicKey().equals(owner.publicKey())) {
      throw new CertificateRefused("The certificate is for another key.");
    }
    return made;
  }

  /** Reads what {@link #text} wrote. */
  public static Identity parse(String text) {
    return new Identity(Pem.key(text), Pem.certificates(text));
  }

  /** The text of a chain of certificates. */
  public static String text(List<X509Certificate> chain) {
    StringBuilder text = new StringBuilder();
    try {
      for (X509Certificate each : chain) {
        text.append(Pem.encode(Pem.CERTIFICATE, each.getEncoded()));
      }
    } catch (java.security.cert.CertificateEncodingException impossible) {
      throw new IllegalStateException(impossible);
    }
    return text.toString();
  }

  /** Key and certificates. */
  public String text() {
    return Pem.encode(key, chain);
  }

  /** Its own certificate. */
  public X509Certificate certificate() {
    return chain.getFirst();
  }

  /** The certificate of the authority that it believes. */
  public X509Certificate authority() {
    return chain.getLast();
  }

  /** The name in the certificate. */
  public String name() {
    return Subject.name(certificate());
  }

  /** Without the key, which belongs in no log. */
  @Override
  public String toString() {
    return name();
  }
}
