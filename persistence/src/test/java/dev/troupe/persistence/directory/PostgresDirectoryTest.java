package dev.troupe.persistence.directory;

import dev.troupe.persistence.Postgres;
import dev.troupe.persistence.store.Database.Address;
import java.nio.file.Path;

/** The directory on PostgreSQL. */
class PostgresDirectoryTest extends JdbcDirectoryTest {

  @Override
  Address address(Path data) {
    return Postgres.shared().schema();
  }
}
