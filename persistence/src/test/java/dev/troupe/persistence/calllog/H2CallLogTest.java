package dev.troupe.persistence.calllog;

import dev.troupe.persistence.store.Database;
import java.nio.file.Path;

/** The call log on H2. */
class H2CallLogTest extends CallLogContract {

  @Override
  Database open(Path directory) {
    return Rows.h2(directory);
  }
}
