package dev.troupe.persistence.calllog;

import dev.troupe.persistence.store.Query;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Asks which blobs a row owns, many in one statement. */
final class OwnedBlobs {

  private static final int CHUNK = 100;

  private static final String OWNED =
      "SELECT DISTINCT blob FROM input_blob WHERE blob IN (%s)"
          .formatted(String.join(", ", Collections.nCopies(CHUNK, "?")));

  /** Those of these ids that a row owns. */
  static Set<String> among(Connection connection, List<String> blobs) throws SQLException {
    Set<String> owned = new HashSet<>();
    for (int from = 0; from < blobs.size(); from += CHUNK) {
      List<String> chunk = blobs.subList(from, Math.min(blobs.size(), from + CHUNK));
      owned.addAll(
          Query.of(connection, OWNED)
              .withAll(chunk)
              // The statement has places for a full chunk; what is asked twice is answered once.
              .withAll(Collections.nCopies(CHUNK - chunk.size(), chunk.getLast()))
              .list(row -> row.getString(1)));
    }
    return owned;
  }

  private OwnedBlobs() {}
}
