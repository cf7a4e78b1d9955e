package dev.troupe.node.image.oci;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/** Whose certificates are believed: those that Java believes, and those of a file. */
final class Trust {

  /** TLS that believes the authorities of a PEM file, too. */
  static SSLContext with(Path file) throws IOException {
    try (InputStream pem = Files.newInputStream(file)) {
      KeyStore believed = KeyStore.getInstance(KeyStore.getDefaultType());
      believed.load(null, null);
      for (TrustManager manager : managers(null)) {
        if (manager instanceof X509TrustManager x509) {
          for (X509Certificate authority : x509.getAcceptedIssuers()) {
            add(believed, authority);
          }
        }
      }
      for (Certificate authority :
          CertificateFactory.getInstance("X.509").generateCertificates(pem)) {
        add(believed, authority);
      }
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, managers(believed), null);
      return context;
    } catch (GeneralSecurityException wrong) {
      throw new IOException(
          "troupe.images.ca-file names %s, which holds no certificates in PEM: %s"
              .formatted(file, wrong.getMessage()),
          wrong);
    }
  }

  private static void add(KeyStore store, Certificate authority) throws GeneralSecurityException {
    store.setCertificateEntry("authority-" + store.size(), authority);
  }

  private static TrustManager[] managers(@Nullable KeyStore store) throws GeneralSecurityException {
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(store);
    return factory.getTrustManagers();
  }

  private Trust() {}
}
