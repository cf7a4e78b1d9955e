package dev.troupe.cluster;

import dev.troupe.cluster.tls.CertificateAuthority;
import dev.troupe.cluster.tls.Purpose;
import dev.troupe.cluster.tls.Tls;
import java.time.Instant;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSession;
import org.apache.pekko.remote.artery.tcp.SSLEngineProvider;
import scala.Option;

/**
 * Mutual TLS among the processes of a cluster: each has a certificate for that purpose, made at its
 * start, of the authority whose key the cluster's processes share.
 */
final class MemberTls implements SSLEngineProvider {

  private final SSLContext context;

  private MemberTls(SSLContext context) {
    this.context = context;
  }

  static MemberTls of(CertificateAuthority authority) {
    return new MemberTls(
        Tls.of(authority.identity("member", Purpose.MEMBER, Instant.now()), Purpose.MEMBER));
  }

  @Override
  public SSLEngine createServerSSLEngine(String hostname, int port) {
    SSLEngine engine = Tls.answering(context);
    engine.setNeedClientAuth(true);
    return engine;
  }

  @Override
  public SSLEngine createClientSSLEngine(String hostname, int port) {
    SSLEngine engine = context.createSSLEngine(hostname, port);
    engine.setUseClientMode(true);
    return engine;
  }

  @Override
  public Option<Throwable> verifyClientSession(String hostname, SSLSession session) {
    return Option.empty();
  }

  @Override
  public Option<Throwable> verifyServerSession(String hostname, SSLSession session) {
    return Option.empty();
  }
}
