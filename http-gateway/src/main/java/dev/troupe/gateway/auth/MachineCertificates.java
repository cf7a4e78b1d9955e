package dev.troupe.gateway.auth;

import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.id.MachineId;
import dev.troupe.actors.node.NodeProtocol.Attribute;
import dev.troupe.cluster.tls.Fingerprint;
import dev.troupe.cluster.tls.Subject;
import dev.troupe.gateway.rpc.RpcFailure;
import java.security.cert.X509Certificate;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.apache.pekko.http.javadsl.model.AttributeKeys;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.SslSessionInfo;

/**
 * Knows machines by the certificate of their connection, which TLS has verified, and by the key
 * that the directory says they joined with: a machine that was removed is known no more, whatever
 * it shows. Asked anew for each request.
 */
public final class MachineCertificates implements MachineCheck {

  private final Directory directory;

  /** Machines of this directory. */
  public MachineCertificates(Directory directory) {
    this.directory = directory;
  }

  @Override
  public CompletionStage<MachineId> machineOf(HttpRequest request) {
    Optional<X509Certificate> shown = certificate(request);
    if (shown.isEmpty()) {
      return CompletableFuture.failedFuture(
          RpcFailure.unauthenticated(
              "This is for machines that have joined, and no certificate was shown."));
    }
    X509Certificate certificate = shown.get();
    String name = Subject.name(certificate);
    String key = Fingerprint.of(certificate.getPublicKey());
    return directory
        .byId(Kind.MACHINE, name)
        .thenApply(
            found -> {
              String joined =
                  found
                      .map(entry -> entry.attributes().getOrDefault(Attribute.KEY_SHA256, ""))
                      .orElse("");
              if (!joined.equals(key)) {
                throw RpcFailure.unauthenticated(
                    ("Machine %s has not joined this server with this key, or was removed since:"
                            + " it joins anew with ./troupe node --join, a token, and an empty data"
                            + " directory.")
                        .formatted(name));
              }
              return new MachineId(name);
            });
  }

  private static Optional<X509Certificate> certificate(HttpRequest request) {
    Optional<SslSessionInfo> session = request.getAttribute(AttributeKeys.sslSession);
    try {
      return session.isPresent()
          ? Optional.of((X509Certificate) session.get().getSession().getPeerCertificates()[0])
          : Optional.empty();
    } catch (SSLPeerUnverifiedException none) {
      return Optional.empty();
    }
  }
}
