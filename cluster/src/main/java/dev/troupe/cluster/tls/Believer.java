package dev.troupe.cluster.tls;

import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Believes certificates of one authority for some purposes. The address that was dialled says
 * nothing here: the authority signs for nobody outside.
 */
final class Believer extends X509ExtendedTrustManager {

  private final @Nullable X509Certificate authority;
  private final @Nullable String fingerprint;
  private final List<Purpose> purposes;

  /** One of both is given: the authority, or the fingerprint by which it is known. */
  Believer(@Nullable X509Certificate authority, @Nullable String fingerprint, Purpose... purposes) {
    this.authority = authority;
    this.fingerprint = fingerprint;
    this.purposes = List.of(purposes);
  }

  private void check(X509Certificate[] chain, String type, boolean dials)
      throws CertificateException {
    X509Certificate root = authority == null ? named(chain) : authority;
    X509TrustManager standard = standard(root);
    // Without the authority's own: it is believed already, and may not be its own proof.
    X509Certificate[] own = Arrays.copyOf(chain, 1);
    if (dials) {
      standard.checkClientTrusted(own, type);
    } else {
      standard.checkServerTrusted(own, type);
    }
    if (purposes.stream().noneMatch(purpose -> Subject.isFor(own[0], purpose))) {
      throw new CertificateException(
          "the certificate of %s is not for this"
              .formatted(own[0].getSubjectX500Principal().getName()));
    }
  }

  private X509Certificate named(X509Certificate[] chain) throws CertificateException {
    X509Certificate last = chain[chain.length - 1];
    if (!Fingerprint.of(last).equals(fingerprint)) {
      throw new CertificateException("it is not the server that the token was made by");
    }
    return last;
  }

  private static X509TrustManager standard(X509Certificate root) throws CertificateException {
    try {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(null, null);
      store.setCertificateEntry("authority", root);
      TrustManagerFactory factory =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      factory.init(store);
      return (X509TrustManager) factory.getTrustManagers()[0];
    } catch (GeneralSecurityException | java.io.IOException failure) {
      throw new CertificateException("the authority can't be used", failure);
    }
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
      throws CertificateException {
    check(chain, type, true);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
      throws CertificateException {
    check(chain, type, false);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
      throws CertificateException {
    check(chain, type, true);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
      throws CertificateException {
    check(chain, type, false);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
    check(chain, type, true);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
    check(chain, type, false);
  }

  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return authority == null ? new X509Certificate[0] : new X509Certificate[] {authority};
  }
}
