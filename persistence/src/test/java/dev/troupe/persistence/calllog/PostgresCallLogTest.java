package dev.troupe.persistence.calllog;

import dev.troupe.persistence.Postgres;
import dev.troupe.persistence.store.BlockingReads;
import dev.troupe.persistence.store.Database;
import dev.troupe.persistence.store.Database.Address;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The call log on PostgreSQL. */
class PostgresCallLogTest extends CallLogContract {

  private @Nullable Address address;

  @Override
  Database open(Path directory) {
    if (address == null) {
      address = Postgres.shared().schema();
    }
    return Database.open(address, "calls", 4, Duration.ofSeconds(10));
  }

  @Override
  JdbcCallLog log(Database database, BlockingReads reads, Path directory) {
    return JdbcCallLog.shared(database, reads, Rows.settings());
  }
}
