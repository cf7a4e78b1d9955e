package dev.troupe.persistence.calllog;

import dev.troupe.persistence.store.BlockingReads;
import dev.troupe.persistence.store.Database;
import java.nio.file.Path;

/** The call log on H2, as on a database that other processes use too. */
class H2CallLogTest extends CallLogContract {

  @Override
  Database open(Path directory) {
    return Rows.h2(directory);
  }

  @Override
  JdbcCallLog log(Database database, BlockingReads reads, Path directory) {
    return JdbcCallLog.shared(database, reads, Rows.settings());
  }
}
