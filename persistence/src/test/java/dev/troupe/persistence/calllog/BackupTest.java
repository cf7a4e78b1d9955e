package dev.troupe.persistence.calllog;

import static dev.troupe.persistence.calllog.Rows.F;
import static dev.troupe.persistence.calllog.Rows.call;
import static dev.troupe.persistence.calllog.Rows.get;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.directory.Directory;
import dev.troupe.persistence.Persistence;
import dev.troupe.persistence.PersistenceSettings;
import dev.troupe.persistence.Postgres;
import dev.troupe.persistence.store.Database.Address;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Backup and restore, as docs/operating.md tells them. */
class BackupTest {

  /** Keeps a call with its input, a name, a secret and a payload; gives the secret sealed. */
  private static byte[] keep(Persistence server) throws Exception {
    long epoch = get(server.callLog().claim(F));
    get(
        server
            .callLog()
            .write(
                F,
                epoch,
                List.of(
                    Rows.newCall(call(F, "c"), -1),
                    Rows.newInput(call(F, "c"), 0, 1),
                    Rows.newInput(call(F, "c"), 1, 2))));
    get(
        server
            .directory()
            .put(
                new Directory.Entry(
                    Directory.Kind.APP, "main", "app", "ap-1", Rows.T0, Map.of("is", "here"))));
    server.blobs().putPayload(Rows.blob("a"), new ByteArrayInputStream("data".getBytes(UTF_8)));
    return server.vault().seal("plain".getBytes(UTF_8), "context");
  }

  private static void check(Persistence restored, byte[] sealed) throws Exception {
    get(restored.callLog().claim(F));
    assertThat(get(restored.callLog().load(F, Rows.T0, 10)).waiting()).hasSize(2);
    assertThat(get(restored.directory().find(Directory.Kind.APP, "main", "app"))).isPresent();
    try (var bytes = restored.blobs().openPayload(Rows.blob("a"), 0)) {
      assertThat(bytes.readAllBytes()).isEqualTo("data".getBytes(UTF_8));
    }
    assertThat(restored.vault().open(sealed, "context")).isEqualTo("plain".getBytes(UTF_8));
  }

  private static void copy(Path from, Path to) throws IOException {
    try (var files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Path target = to.resolve(from.relativize(file).toString());
        Files.createDirectories(target.getParent());
        if (Files.isRegularFile(file)) {
          Files.copy(file, target);
        }
      }
    }
  }

  @Test
  void aCopyOfAStoppedServersDirectoryIsThatServer(@TempDir Path directory) throws Exception {
    byte[] sealed;
    try (Persistence server = Persistence.start(Rows.settings(), directory.resolve("data"))) {
      sealed = keep(server);
    }
    copy(directory.resolve("data"), directory.resolve("copy"));

    try (Persistence restored = Persistence.start(Rows.settings(), directory.resolve("copy"))) {
      check(restored, sealed);
    }
  }

  @Test
  void aDumpOfARunningServersDatabaseAndItsFilesAreThatServer(@TempDir Path directory)
      throws Exception {
    Postgres postgres = Postgres.shared();
    Address first = postgres.database();
    Path data = directory.resolve("data");
    Path backup = directory.resolve("backup");
    byte[] sealed;
    try (Persistence server = Persistence.start(settings(first), data)) {
      sealed = keep(server);
      copy(data.resolve("keys"), backup.resolve("keys"));
      postgres.tool("pg_dump", first, "--format=custom", "--file=" + directory.resolve("dump"));
      copy(data.resolve("blobs"), backup.resolve("blobs"));
      Files.copy(data.resolve("VERSION"), backup.resolve("VERSION"));
    }
    Address second = postgres.database();
    postgres.tool(
        "pg_restore",
        second,
        "--no-owner",
        "--exit-on-error",
        directory.resolve("dump").toString());

    try (Persistence restored = Persistence.start(settings(second), backup)) {
      check(restored, sealed);
    }
  }

  private static PersistenceSettings settings(Address address) {
    return Postgres.settings(address.url(), address.password());
  }
}
