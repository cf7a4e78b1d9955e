package dev.troupe.persistence;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * Section {@code troupe.store}; its {@code reference.conf} says what each setting is.
 *
 * @param url empty: H2 files in the data directory; else PostgreSQL's
 * @param blobDirectory empty: in the data directory
 */
public record PersistenceSettings(
    String url,
    String user,
    String password,
    String blobDirectory,
    int readConnections,
    Duration readPatience,
    int journalConnections,
    long waitingBytesLimit,
    long groupBytesLimit,
    int groupWritesLimit,
    Duration markPatience,
    int commitSiblings,
    Duration commitDelay,
    Duration settleDelay,
    long settleBytesLimit,
    Duration retryFirst,
    Duration retryLast,
    long cacheBytes) {

  public PersistenceSettings {
    // The migration of the tables uses two.
    atLeast("read-connections", readConnections, 2);
    // Recovery holds a connection while it replays, and a write must not wait for it.
    atLeast("journal-connections", journalConnections, 2);
    atLeast("waiting-bytes-limit", waitingBytesLimit, 1);
    atLeast("group-bytes-limit", groupBytesLimit, 1);
    atLeast("group-writes-limit", groupWritesLimit, 1);
    atLeast("commit-siblings", commitSiblings, 2);
    atLeast("settle-bytes-limit", settleBytesLimit, 1);
    atLeast("read-patience", readPatience.toMillis(), 250);
    atLeast("retry-first", retryFirst.toMillis(), 1);
    atLeast("retry-last", retryLast.toMillis(), retryFirst.toMillis());
    atLeast("cache-bytes", cacheBytes, 1 << 20);
  }

  /** Reads the section. */
  public static PersistenceSettings from(Config troupe) {
    Config section = troupe.getConfig("store");
    return new PersistenceSettings(
        section.getString("url"),
        section.getString("user"),
        section.getString("password"),
        section.getString("blob-directory"),
        section.getInt("read-connections"),
        section.getDuration("read-patience"),
        section.getInt("journal-connections"),
        section.getBytes("waiting-bytes-limit"),
        section.getBytes("group-bytes-limit"),
        section.getInt("group-writes-limit"),
        section.getDuration("mark-patience"),
        section.getInt("commit-siblings"),
        section.getDuration("commit-delay"),
        section.getDuration("settle-delay"),
        section.getBytes("settle-bytes-limit"),
        section.getDuration("retry-first"),
        section.getDuration("retry-last"),
        section.getBytes("cache-bytes"));
  }

  private static void atLeast(String key, long value, long minimum) {
    if (value < minimum) {
      throw new IllegalArgumentException(
          "troupe.store.%s is %d and must be at least %d".formatted(key, value, minimum));
    }
  }
}
