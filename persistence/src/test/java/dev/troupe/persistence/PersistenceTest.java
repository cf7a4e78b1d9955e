package dev.troupe.persistence;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The data directory as the person who starts a server meets it. */
class PersistenceTest {

  private static final PersistenceSettings SETTINGS =
      PersistenceSettings.from(ConfigFactory.load().getConfig("troupe"));

  private Path data;

  @BeforeEach
  void name(@TempDir Path directory) {
    data = directory.resolve("new").resolve("data");
  }

  private Persistence start() {
    return Persistence.start(SETTINGS, data);
  }

  private static String permissions(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }

  @Test
  void aNewDirectoryIsMadeWholeAndKeepsItsKeys() throws Exception {
    byte[] serverKey;
    byte[] sealed;
    try (Persistence persistence = start()) {
      serverKey = persistence.serverKey();
      sealed = persistence.vault().seal("plain".getBytes(UTF_8), "context");
    }
    assertThat(serverKey).hasSize(32);
    assertThat(Files.readString(data.resolve("VERSION"))).isEqualTo("1\n");
    for (String directory : new String[] {"keys", "store", "blobs"}) {
      assertThat(permissions(data.resolve(directory))).as(directory).isEqualTo("rwx------");
    }
    for (String file : new String[] {"server.key", "vault.json"}) {
      assertThat(permissions(data.resolve("keys").resolve(file))).as(file).isEqualTo("rw-------");
    }

    try (Persistence persistence = start()) {
      assertThat(persistence.serverKey()).isEqualTo(serverKey);
      assertThat(persistence.vault().open(sealed, "context")).isEqualTo("plain".getBytes(UTF_8));
    }
  }

  @Test
  void aDirectoryInUseIsRefusedWithThePid() {
    try (Persistence _ = start()) {
      assertThatThrownBy(this::start)
          .isInstanceOf(StartRefused.class)
          .hasMessage(
              "The data directory %s is in use by another server (pid %d). Stop that one, or give"
                  + " --data another directory.",
              data, ProcessHandle.current().pid());
    }
    start().close();
  }

  @Test
  void aDirectoryOfAnotherVersionIsRefused() throws IOException {
    start().close();
    Files.writeString(data.resolve("VERSION"), "7\n");

    assertThatThrownBy(this::start)
        .isInstanceOf(StartRefused.class)
        .hasMessage(
            "The data directory %s has version 7, this server needs version 1. Start it with the"
                + " release of Troupe that made it, or give --data another directory.",
            data);

    Files.writeString(data.resolve("VERSION"), "seven\n");
    assertThatThrownBy(this::start).hasMessageContaining("doesn't hold the number of a version");
  }

  @Test
  void aLostKeyIsNeverMadeAnew() throws IOException {
    start().close();
    Path key = data.resolve("keys").resolve("vault.json");
    Files.delete(key);

    assertThatThrownBy(this::start)
        .isInstanceOf(StartRefused.class)
        .hasMessageContaining("The key file %s is missing".formatted(key));

    Files.delete(data.resolve("VERSION"));
    assertThatThrownBy(this::start).hasMessageContaining("is missing");
  }

  @Test
  void aSpoiltServerKeyIsRefused() throws IOException {
    start().close();
    Files.write(data.resolve("keys").resolve("server.key"), new byte[31]);

    assertThatThrownBy(this::start).hasMessageContaining("must hold 32 bytes and holds 31");
  }

  @Test
  void aFirstStartThatWasCutOffIsRepeated() throws IOException {
    start().close();
    // The version is written last.
    Files.delete(data.resolve("VERSION"));

    start().close();

    assertThat(data.resolve("VERSION")).exists();
  }

  @Test
  void aPlaceThatIsNoDirectoryIsRefused() throws IOException {
    Files.createDirectories(data.getParent());
    Files.writeString(data, "a file");

    assertThatThrownBy(this::start)
        .isInstanceOf(StartRefused.class)
        .hasMessageContaining("The data directory %s can't be used".formatted(data));
  }

  @Test
  void aSpoiltDatabaseIsRefusedWithItsName() throws IOException {
    start().close();
    Path file = data.resolve("store").resolve("calls.mv.db");
    byte[] bytes = Files.readAllBytes(file);
    java.util.Arrays.fill(bytes, (byte) 7);
    Files.write(file, bytes);

    assertThatThrownBy(this::start)
        .isInstanceOf(StartRefused.class)
        .hasMessageContaining("calls")
        .hasMessageContaining("can't be opened");

    // What was refused holds nothing on to: the rest of the message is not about the lock.
    assertThatThrownBy(this::start).hasMessageContaining("can't be opened");
  }

  @Test
  void aDatabaseWithoutADriverIsRefused() {
    var settings =
        PersistenceSettings.from(
            ConfigFactory.parseMap(Map.of("troupe.store.url", "jdbc:nothing:here"))
                .withFallback(ConfigFactory.load())
                .getConfig("troupe"));

    assertThatThrownBy(() -> Persistence.start(settings, data))
        .isInstanceOf(StartRefused.class)
        .hasMessageContaining("jdbc:nothing:here");
  }
}
