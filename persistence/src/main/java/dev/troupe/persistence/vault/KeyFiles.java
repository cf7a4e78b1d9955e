package dev.troupe.persistence.vault;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.troupe.cluster.tls.CertificateAuthority;
import dev.troupe.cluster.tls.CertificateRefused;
import dev.troupe.persistence.StartRefused;
import dev.troupe.persistence.store.DataDirectory;
import dev.troupe.persistence.store.DurableFiles;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * The keys of a data directory, each in a file of its own that only the owner may read. They are
 * made with the directory and never again: a server that made a new key in the place of a lost one
 * could not read what the lost one sealed, nor know its own ids.
 */
public final class KeyFiles {

  /** The file of the server key. */
  public static final String SERVER_KEY = "server.key";

  private static final int SERVER_KEY_BYTES = 32;

  private final DataDirectory directory;

  public KeyFiles(DataDirectory directory) {
    this.directory = directory;
  }

  /** The server key: 32 random bytes from which ids are minted and URLs are signed. */
  public byte[] serverKey() {
    byte[] key = readOrMake(SERVER_KEY, KeyFiles::random);
    if (key.length != SERVER_KEY_BYTES) {
      throw new StartRefused(
          "The key file %s must hold %d bytes and holds %d: restore it from a backup."
              .formatted(directory.keys().resolve(SERVER_KEY), SERVER_KEY_BYTES, key.length));
    }
    return key;
  }

  /** The vault, with its key. */
  public TinkVault vault() {
    byte[] keys = readOrMake("vault.json", TinkVault::newKeys);
    return new TinkVault(keys, directory.keys().resolve("vault.json"));
  }

  /** Makes the authority of machines where there is none yet: it is wanted with the first one. */
  public void prepareAuthority() {
    Path file = authorityFile();
    try {
      if (!Files.exists(file)) {
        DurableFiles.createPrivateDirectory(directory.keys());
        DurableFiles.write(file, CertificateAuthority.create(Instant.now()).text().getBytes(UTF_8));
      }
    } catch (IOException failure) {
      throw new StartRefused("The key file %s can't be made: %s".formatted(file, failure), failure);
    }
  }

  /** The authority that signs certificates of machines. */
  public CertificateAuthority authority() {
    Path file = authorityFile();
    try {
      return CertificateAuthority.parse(Files.readString(file));
    } catch (IOException | CertificateRefused failure) {
      throw new StartRefused(
          "The key file %s can't be used: restore it from a backup (%s)"
              .formatted(file, failure.getMessage()),
          failure);
    }
  }

  private Path authorityFile() {
    return directory.keys().resolve("authority.pem");
  }

  /** All keys of a data directory, by the names of their files. */
  public static Map<String, byte[]> all(Path dataDirectory) throws IOException {
    Map<String, byte[]> keys = new TreeMap<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(dataDirectory.resolve("keys"))) {
      for (Path file : files) {
        keys.put(String.valueOf(file.getFileName()), Files.readAllBytes(file));
      }
    }
    return keys;
  }

  /** Whether a data directory has its keys for good: nothing else may be brought to it then. */
  public static boolean isSettled(Path dataDirectory) {
    return Files.exists(dataDirectory.resolve("VERSION"));
  }

  /** Brings keys to a data directory that is not settled. */
  public static void bring(Path dataDirectory, Map<String, byte[]> keys) throws IOException {
    Path folder = dataDirectory.resolve("keys");
    Files.createDirectories(dataDirectory);
    DurableFiles.createPrivateDirectory(folder);
    for (Map.Entry<String, byte[]> key : keys.entrySet()) {
      DurableFiles.write(folder.resolve(key.getKey()), key.getValue());
    }
  }

  private byte[] readOrMake(String name, Supplier<byte[]> maker) {
    Path file = directory.keys().resolve(name);
    try {
      if (Files.exists(file)) {
        return Files.readAllBytes(file);
      }
      if (!directory.fresh()) {
        throw new StartRefused(
            "The key file %s is missing, and what it protects can't be used without it: restore it from a backup."
                .formatted(file));
      }
      DurableFiles.createPrivateDirectory(directory.keys());
      byte[] made = maker.get();
      DurableFiles.write(file, made);
      return made;
    } catch (IOException failure) {
      throw new StartRefused("The key file %s can't be used: %s".formatted(file, failure), failure);
    }
  }

  private static byte[] random() {
    byte[] bytes = new byte[SERVER_KEY_BYTES];
    new SecureRandom().nextBytes(bytes);
    return bytes;
  }
}
