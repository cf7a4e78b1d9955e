package dev.troupe.cluster.tls;

import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * TLS 1.3 among those that one authority has certified. Whom one speaks to is told by the name and
 * the purpose in the certificate, not by the address that was dialled.
 */
public final class Tls {

  private static final String PROTOCOL = "TLSv1.3";
  private static final char[] NO_PASSWORD = {};

  private Tls() {}

  /** For a process that has a certificate and dials or answers others of these purposes. */
  public static SSLContext of(Identity self, Purpose... peers) {
    return context(self, new Believer(self.authority(), null, peers));
  }

  /**
   * For a process that has no certificate yet, and knows the authority of whom it dials by its
   * {@link Fingerprint} alone.
   */
  public static SSLContext firstContact(String authority, Purpose peer) {
    return context(null, new Believer(null, authority, peer));
  }

  /** An engine that answers; whoever dials is asked for a certificate and may have none. */
  public static SSLEngine answering(SSLContext context) {
    SSLEngine engine = context.createSSLEngine();
    engine.setUseClientMode(false);
    engine.setWantClientAuth(true);
    engine.setEnabledProtocols(new String[] {PROTOCOL});
    return engine;
  }

  /** For a process with or without a certificate. */
  static SSLContext context(@Nullable Identity self, TrustManager believer) {
    try {
      SSLContext context = SSLContext.getInstance(PROTOCOL);
      context.init(keys(self), new TrustManager[] {believer}, new SecureRandom());
      return context;
    } catch (GeneralSecurityException failure) {
      throw new CertificateRefused("The certificate can't be used: " + failure, failure);
    }
  }

  private static KeyManager @Nullable [] keys(@Nullable Identity self)
      throws GeneralSecurityException {
    if (self == null) {
      return null;
    }
    try {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(null, NO_PASSWORD);
      store.setKeyEntry(
          "self", self.key(), NO_PASSWORD, self.chain().toArray(X509Certificate[]::new));
      KeyManagerFactory factory =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      factory.init(store, NO_PASSWORD);
      return factory.getKeyManagers();
    } catch (java.io.IOException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
