package dev.troupe.node.link;

import dev.troupe.cluster.tls.CertificateRefused;
import dev.troupe.cluster.tls.Identity;
import dev.troupe.cluster.tls.JoinToken;
import dev.troupe.cluster.tls.KeyOwner;
import dev.troupe.cluster.tls.Purpose;
import dev.troupe.cluster.tls.SigningRequest;
import dev.troupe.cluster.tls.Tls;
import dev.troupe.node.AgentRefused;
import dev.troupe.protocol.link.NodeLinkWire;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLException;

/**
 * How a machine joins a server: it makes a key, and gets a certificate for it with a join token. It
 * knows the server by the token, so the secret goes to no other. What it got is kept in its data
 * directory, and later starts need no token.
 */
public final class Enrolment {

  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(60);
  private static final Duration PAUSE = Duration.ofSeconds(1);

  private final Path file;

  /** The enrolment of a machine with this data directory. */
  public Enrolment(Path dataDirectory) {
    this.file = dataDirectory.resolve("identity.pem");
  }

  /** Who the machine is, where it has joined before. */
  public Optional<Identity> kept() {
    try {
      return Files.exists(file)
          ? Optional.of(Identity.parse(Files.readString(file)))
          : Optional.empty();
    } catch (IOException | CertificateRefused failure) {
      throw new AgentRefused(
          "The certificate of this machine can't be read from %s: %s"
              .formatted(file, failure.getMessage()));
    }
  }

  /**
   * Joins, under this name, by the first of these addresses that answers; a server that is not
   * there yet is waited for.
   *
   * @throws AgentRefused when the server refuses; the message is for the user
   */
  public Identity join(List<InetSocketAddress> addresses, JoinToken token, String name)
      throws IOException, InterruptedException {
    KeyOwner owner = KeyOwner.make();
    HttpRequest.Builder request =
        HttpRequest.newBuilder()
            .header(NodeLinkWire.JOIN_TOKEN, token.text())
            .timeout(PATIENCE)
            .POST(BodyPublishers.ofString(request(name, owner)));
    HttpResponse<String> answer = send(request, token, addresses);
    if (answer.statusCode() != 200) {
      throw new AgentRefused(answer.body().strip());
    }
    Identity joined = Identity.of(owner, answer.body());
    keep(joined);
    return joined;
  }

  private static String request(String name, KeyOwner owner) {
    try {
      return SigningRequest.text(name, owner);
    } catch (CertificateRefused refused) {
      throw new AgentRefused(String.valueOf(refused.getMessage()));
    }
  }

  private static HttpResponse<String> send(
      HttpRequest.Builder request, JoinToken token, List<InetSocketAddress> addresses)
      throws IOException, InterruptedException {
    long until = System.nanoTime() + LONGEST_WAIT.toNanos();
    try (HttpClient client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .sslContext(Tls.firstContact(token.authority(), Purpose.MACHINE_PORT))
            .connectTimeout(PATIENCE)
            .build()) {
      for (int i = 0; ; i = (i + 1) % addresses.size()) {
        InetSocketAddress at = addresses.get(i);
        String where = at.getHostString() + ":" + at.getPort();
        URI uri = URI.create("https://" + where + NodeLinkWire.JOIN);
        try {
          return client.send(
              request.uri(uri).build(), BodyHandlers.ofString(StandardCharsets.UTF_8));
        } catch (SSLException refused) {
          throw new AgentRefused(
              ("%s is not the machine port of the server that made the token (%s)."
                      + " ./troupe token join prints the address.")
                  .formatted(where, reason(refused)));
        } catch (IOException away) {
          if (System.nanoTime() - until > 0) {
            throw new AgentRefused(
                "No server answers at %s (%s).".formatted(where, away.getMessage()));
          }
          Thread.sleep(PAUSE);
        }
      }
    }
  }

  private static String reason(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return String.valueOf(cause.getMessage());
  }

  private void keep(Identity identity) throws IOException {
    Path folder = Files.createDirectories(file.toAbsolutePath().getParent());
    Path fresh =
        Files.createTempFile(
            folder,
            "identity",
            ".pem",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(fresh, identity.text());
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
  }
}
