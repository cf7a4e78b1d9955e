package dev.troupe.cluster.tls;

import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/**
 * Signs certificates for the processes of one installation, which believe nobody else. Who is still
 * to be believed is asked of the directory as well, so certificates live long.
 */
public final class CertificateAuthority {

  static final String SIGNATURE = "SHA256withECDSA";

  /** Clocks of machines may differ by that much. */
  private static final Duration BEFORE = Duration.ofDays(2);

  private static final Duration VALID = Duration.ofDays(3650);
  private static final Duration OWN_VALID = Duration.ofDays(2 * 3650);

  private final PrivateKey key;
  private final X509Certificate certificate;

  private CertificateAuthority(PrivateKey key, X509Certificate certificate) {
    this.key = key;
    this.certificate = certificate;
  }

  /** Makes one. */
  public static CertificateAuthority create(Instant now) {
    KeyOwner owner = KeyOwner.make();
    byte[] random = new byte[8];
    new SecureRandom().nextBytes(random);
    X500Principal name =
        new X500Principal("CN=Troupe " + Long.toHexString(new BigInteger(random).longValue()));
    try {
      X509v3CertificateBuilder builder =
          builder(name, name, owner.publicKey(), now, OWN_VALID)
              .addExtension(Extension.basicConstraints, true, new BasicConstraints(0))
              .addExtension(
                  Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
      return new CertificateAuthority(owner.privateKey(), signed(builder, owner.privateKey()));
    } catch (IOException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  /** Reads what {@link #text} wrote. */
  public static CertificateAuthority parse(String text) {
    List<X509Certificate> certificates = Pem.certificates(text);
    if (certificates.size() != 1) {
      throw new CertificateRefused("There is no certificate, or more than one.");
    }
    return new CertificateAuthority(Pem.key(text), certificates.getFirst());
  }

  /** The authority whole, its key included. */
  public String text() {
    return Pem.encode(key, List.of(certificate));
  }

  /** Its own certificate, by which others know what it signed. */
  public X509Certificate certificate() {
    return certificate;
  }

  /** Certifies who holds a key, and what it is for; the chain ends with the authority's own. */
  public List<X509Certificate> certify(
      String name, PublicKey holder, Purpose purpose, Instant now) {
    try {
      X509v3CertificateBuilder builder =
          builder(
                  certificate.getSubjectX500Principal(),
                  Subject.of(name, purpose),
                  holder,
                  now,
                  VALID)
              .addExtension(Extension.basicConstraints, true, new BasicConstraints(false))
              .addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature))
              .addExtension(Extension.extendedKeyUsage, true, ends(purpose));
      return List.of(signed(builder, key), certificate);
    } catch (IOException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  /** Makes a key for a process of this installation, and certifies it. */
  public Identity identity(String name, Purpose purpose, Instant now) {
    KeyOwner owner = KeyOwner.make();
    return new Identity(owner.privateKey(), certify(name, owner.publicKey(), purpose, now));
  }

  private static ExtendedKeyUsage ends(Purpose purpose) {
    if (purpose.dials() && purpose.answers()) {
      return new ExtendedKeyUsage(
          new KeyPurposeId[] {KeyPurposeId.id_kp_clientAuth, KeyPurposeId.id_kp_serverAuth});
    }
    return new ExtendedKeyUsage(
        purpose.dials() ? KeyPurposeId.id_kp_clientAuth : KeyPurposeId.id_kp_serverAuth);
  }

  private static X509v3CertificateBuilder builder(
      X500Principal issuer, X500Principal subject, PublicKey holder, Instant now, Duration valid) {
    byte[] serial = new byte[16];
    new SecureRandom().nextBytes(serial);
    return new JcaX509v3CertificateBuilder(
        issuer,
        new BigInteger(1, serial),
        Date.from(now.minus(BEFORE)),
        Date.from(now.plus(valid)),
        subject,
        holder);
  }

  private static X509Certificate signed(X509v3CertificateBuilder builder, PrivateKey by) {
    try {
      return new JcaX509CertificateConverter()
          .getCertificate(builder.build(new JcaContentSignerBuilder(SIGNATURE).build(by)));
    } catch (OperatorCreationException | GeneralSecurityException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
