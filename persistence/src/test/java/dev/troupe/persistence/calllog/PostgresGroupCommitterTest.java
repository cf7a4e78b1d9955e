package dev.troupe.persistence.calllog;

import dev.troupe.persistence.Postgres;
import dev.troupe.persistence.store.Database.Address;
import java.nio.file.Path;

/** The committer, and two of them that meet, on PostgreSQL. */
class PostgresGroupCommitterTest extends GroupCommitterTest {

  @Override
  Address address(Path directory) {
    return Postgres.shared().schema();
  }
}
