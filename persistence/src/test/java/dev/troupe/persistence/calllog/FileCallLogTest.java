package dev.troupe.persistence.calllog;

import dev.troupe.persistence.store.BlockingReads;
import dev.troupe.persistence.store.Database;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.sql.SQLException;

/** The call log whose commits go to files, ahead of tables on H2. */
class FileCallLogTest extends CallLogContract {

  @Override
  Database open(Path directory) {
    return Rows.h2(directory);
  }

  @Override
  JdbcCallLog log(Database database, BlockingReads reads, Path directory) {
    try {
      return JdbcCallLog.alone(database, reads, Rows.settings(), directory.resolve("log"));
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    } catch (SQLException failure) {
      throw new IllegalStateException(failure);
    }
  }
}
