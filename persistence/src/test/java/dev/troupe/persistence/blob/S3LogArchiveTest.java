package dev.troupe.persistence.blob;

import dev.troupe.actors.log.LogArchive;
import dev.troupe.persistence.BlobSettings;
import dev.troupe.persistence.BlobSettings.Place;
import dev.troupe.persistence.S3Proxy;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

class S3LogArchiveTest extends LogArchiveContract {

  private final BlobHome home;

  S3LogArchiveTest(@TempDir Path directory) throws IOException {
    BlobSettings settings = S3Proxy.shared().settings();
    home =
        S3Connection.open(settings, (Place.S3) settings.place(), directory.resolve("spool"), "us");
  }

  @AfterEach
  void close() throws Exception {
    home.closing().close();
  }

  @Override
  LogArchive archive() {
    return home.logs();
  }
}
