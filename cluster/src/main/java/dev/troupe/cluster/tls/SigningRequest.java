package dev.troupe.cluster.tls;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.util.List;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.operator.ContentVerifierProvider;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;
import org.bouncycastle.pkcs.PKCSException;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequest;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;

/**
 * A wish for a certificate, with proof that who wishes has the key.
 *
 * @param name whom it is to name
 * @param key its public key
 */
public record SigningRequest(String name, PublicKey key) {

  private static final int LARGEST_TEXT = 8_192;

  /** The text of a request for the holder of this key. */
  public static String text(String name, KeyOwner owner) {
    try {
      PKCS10CertificationRequest request =
          new JcaPKCS10CertificationRequestBuilder(
                  new X500Principal("CN=" + Subject.checked(name)), owner.publicKey())
              .build(
                  new JcaContentSignerBuilder(CertificateAuthority.SIGNATURE)
                      .build(owner.privateKey()));
      return Pem.encode(Pem.REQUEST, request.getEncoded());
    } catch (OperatorCreationException | IOException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  /** Reads one; refuses it where the key did not sign it. */
  public static SigningRequest parse(String text) {
    List<byte[]> parts = text.length() > LARGEST_TEXT ? List.of() : Pem.parts(text, Pem.REQUEST);
    if (parts.size() != 1) {
      throw new CertificateRefused("It holds no request for a certificate.");
    }
    try {
      JcaPKCS10CertificationRequest request = new JcaPKCS10CertificationRequest(parts.getFirst());
      PublicKey key = request.getPublicKey();
      ContentVerifierProvider verifier = new JcaContentVerifierProviderBuilder().build(key);
      if (!request.isSignatureValid(verifier)) {
        throw new CertificateRefused("The request is not signed with the key that it names.");
      }
      return new SigningRequest(
          Subject.name(new X500Principal(request.getSubject().getEncoded())), key);
    } catch (IOException
        | GeneralSecurityException
        | PKCSException
        | OperatorCreationException malformed) {
      throw new CertificateRefused("The request for a certificate is malformed.", malformed);
    }
  }
}
