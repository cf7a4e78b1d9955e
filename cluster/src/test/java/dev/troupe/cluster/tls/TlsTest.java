package dev.troupe.cluster.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.time.Instant;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.Test;

class TlsTest {

  private final Instant now = Instant.now();

  private final CertificateAuthority authority = CertificateAuthority.create(now);
  private final Identity port = authority.identity("port", Purpose.MACHINE_PORT, now);
  private final SSLContext answers = Tls.of(port, Purpose.MACHINE);

  private Identity machine(String name) {
    KeyOwner owner = KeyOwner.make();
    SigningRequest request = SigningRequest.parse(SigningRequest.text(name, owner));
    var chain = authority.certify(request.name(), request.key(), Purpose.MACHINE, now);
    return Identity.of(owner, Identity.text(chain));
  }

  @Test
  void aMachineIsKnownByItsName() throws SSLException {
    Identity kept = Identity.parse(machine("box-1").text());
    assertThat(met(Tls.of(kept, Purpose.MACHINE_PORT), answers)).isEqualTo("box-1");
  }

  @Test
  void anAuthorityIsTheSameAfterItWasRead() throws SSLException {
    CertificateAuthority again = CertificateAuthority.parse(authority.text());
    Identity later = again.identity("port", Purpose.MACHINE_PORT, now);
    assertThat(met(Tls.of(machine("box-1"), Purpose.MACHINE_PORT), Tls.of(later, Purpose.MACHINE)))
        .isEqualTo("box-1");
  }

  @Test
  void whoHasNoCertificateIsMetAndNotKnown() throws SSLException {
    String known = Fingerprint.of(authority.certificate());
    assertThat(met(Tls.firstContact(known, Purpose.MACHINE_PORT), answers)).isEmpty();
  }

  @Test
  void aServerOfAnotherAuthorityIsNotTheOneOfTheToken() {
    String other = Fingerprint.of(CertificateAuthority.create(now).certificate());
    assertThatThrownBy(() -> met(Tls.firstContact(other, Purpose.MACHINE_PORT), answers))
        .hasStackTraceContaining("not the server that the token was made by");
  }

  @Test
  void aMachineOfAnotherAuthorityIsNotKnown() throws SSLException {
    Identity foreign = CertificateAuthority.create(now).identity("box-1", Purpose.MACHINE, now);
    Believer believer = new Believer(authority.certificate(), null, Purpose.MACHINE_PORT);
    assertThat(met(Tls.context(foreign, believer), answers)).isEmpty();
  }

  @Test
  void aMachineIsNeitherAServerNorAMember() {
    Identity box = machine("box-1");
    SSLContext dials = Tls.of(machine("box-2"), Purpose.MACHINE_PORT);
    assertThatThrownBy(() -> met(dials, Tls.of(box, Purpose.MACHINE)))
        .isInstanceOf(SSLException.class);
    Identity member = authority.identity("control-1", Purpose.MEMBER, now);
    assertThatThrownBy(() -> met(Tls.of(box, Purpose.MEMBER), Tls.of(member, Purpose.MEMBER)))
        .isInstanceOf(SSLException.class);
  }

  @Test
  void aRequestThatAnotherKeySignedIsRefused() {
    KeyOwner owner = KeyOwner.make();
    KeyOwner mixed = new KeyOwner(KeyOwner.make().publicKey(), owner.privateKey());
    assertThatThrownBy(() -> SigningRequest.parse(SigningRequest.text("box", mixed)))
        .isInstanceOf(CertificateRefused.class)
        .hasMessageContaining("not signed");
    assertThatThrownBy(() -> SigningRequest.text("box,OU=member", owner))
        .isInstanceOf(CertificateRefused.class);
  }

  /** Shakes hands; the name that the answering end learns, empty where there is none. */
  private static String met(SSLContext dialling, SSLContext answering) throws SSLException {
    SSLEngine client = dialling.createSSLEngine("10.0.0.1", 1);
    client.setUseClientMode(true);
    SSLEngine server = Tls.answering(answering);
    ByteBuffer toServer = ByteBuffer.allocate(1 << 17);
    ByteBuffer toClient = ByteBuffer.allocate(1 << 17);
    for (int turn = 0; turn < 100; turn++) {
      step(client, toClient, toServer);
      step(server, toServer, toClient);
      if (isDone(client) && isDone(server) && turn > 5) {
        return name(server);
      }
    }
    throw new SSLException("the handshake does not end");
  }

  private static String name(SSLEngine engine) {
    try {
      var peer = engine.getSession().getPeerCertificates()[0];
      return Subject.name((java.security.cert.X509Certificate) peer);
    } catch (javax.net.ssl.SSLPeerUnverifiedException unknown) {
      return "";
    }
  }

  private static boolean isDone(SSLEngine engine) {
    return engine.getHandshakeStatus() == HandshakeStatus.NOT_HANDSHAKING;
  }

  private static void step(SSLEngine engine, ByteBuffer in, ByteBuffer out) throws SSLException {
    in.flip();
    if (in.hasRemaining()) {
      engine.unwrap(in, ByteBuffer.allocate(1 << 16));
    }
    in.compact();
    Runnable task = engine.getDelegatedTask();
    while (task != null) {
      task.run();
      task = engine.getDelegatedTask();
    }
    if (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP
        || (isDone(engine) && engine.getUseClientMode())) {
      engine.wrap(ByteBuffer.allocate(0), out);
    }
  }
}
