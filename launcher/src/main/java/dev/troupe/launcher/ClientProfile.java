package dev.troupe.launcher;

import dev.troupe.actors.directory.Directory;
import dev.troupe.actors.directory.Directory.Entry;
import dev.troupe.actors.directory.Directory.Kind;
import dev.troupe.actors.id.Ids;
import dev.troupe.gateway.auth.DirectoryCredentials;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;

/**
 * What a client needs to reach the server of a data directory: the lines of {@code client.env},
 * readable by its owner only. The first start makes a token; the store holds the hash of its
 * secret, this file alone the secret.
 */
final class ClientProfile {

  private static final String URL = "MODAL_SERVER_URL";
  private static final String TOKEN_ID = "MODAL_TOKEN_ID";
  private static final String TOKEN_SECRET = "MODAL_TOKEN_SECRET";

  private ClientProfile() {}

  /** The file of a data directory. */
  static Path file(Path data) {
    return data.resolve("client.env");
  }

  /** Writes the file for a server that listens at {@code url}; makes a token where none is kept. */
  static void write(Path data, String url, Directory directory, InstantSource clock) {
    Token kept = token(data);
    Token made =
        kept.id().isEmpty() || kept.secret().isEmpty()
            ? new Token("ak-" + random(), "as-" + random())
            : kept;
    Entry token =
        new Entry(
            Kind.TOKEN,
            "",
            "",
            made.id(),
            clock.instant(),
            Map.of(
                DirectoryCredentials.SECRET_SHA256,
                DirectoryCredentials.hash(made.secret()),
                DirectoryCredentials.ENVIRONMENT,
                DirectoryCredentials.DEFAULT_ENVIRONMENT));
    directory.put(token).toCompletableFuture().join();
    save(
        file(data),
        "export %s=%s%nexport %s=%s%nexport %s=%s%n"
            .formatted(URL, url, TOKEN_ID, made.id(), TOKEN_SECRET, made.secret()));
  }

  /** What a client proves itself with. */
  record Token(String id, String secret) {}

  /** The token in the file of a data directory. */
  static Token token(Path data) {
    Map<String, String> kept = read(file(data));
    return new Token(kept.getOrDefault(TOKEN_ID, ""), kept.getOrDefault(TOKEN_SECRET, ""));
  }

  /** The address in the file of a data directory; empty where there is none. */
  static String url(Path data) {
    return read(file(data)).getOrDefault(URL, "");
  }

  private static Map<String, String> read(Path file) {
    Map<String, String> values = new HashMap<>();
    try {
      if (Files.exists(file)) {
        for (String line : Files.readAllLines(file)) {
          int equals = line.indexOf('=');
          if (line.startsWith("export ") && equals > 0) {
            values.put(line.substring("export ".length(), equals), line.substring(equals + 1));
          }
        }
      }
      return values;
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  private static void save(Path file, String text) {
    try {
      Path fresh =
          Files.createTempFile(
              file.toAbsolutePath().getParent(),
              "client",
              ".env",
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      Files.writeString(fresh, text);
      try {
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
      } catch (AtomicMoveNotSupportedException plain) {
        Files.move(fresh, file, StandardCopyOption.REPLACE_EXISTING);
      }
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  private static String random() {
    byte[] bytes = new byte[16];
    new SecureRandom().nextBytes(bytes);
    return Ids.key(bytes);
  }
}
