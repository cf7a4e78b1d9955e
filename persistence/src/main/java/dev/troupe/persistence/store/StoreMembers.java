package dev.troupe.persistence.store;

import dev.troupe.persistence.StartRefused;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * The processes that hold a store, as they are written there: each with the address at which others
 * join it. One that holds the store is in its cluster, or on the way into it. Used under the lock
 * under which one process at a time enters.
 */
final class StoreMembers {

  /** How long one that lives may take to hold the store again after it was away. */
  private static final Duration BACK = Duration.ofSeconds(5);

  private static final Duration LOOK_AGAIN = Duration.ofMillis(200);
  private static final int CONNECT_MILLIS = 500;

  private static final String HOLDERS =
      """
      SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
      WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND l.classid = %d::oid AND l.objid = (hashtext(current_schema()) & 2147483647)::oid"""
          .formatted(StoreHold.LOCK_CLASS);

  /**
   * How a process has entered.
   *
   * @param cluster names the cluster, from its first process to its last
   * @param member where this process is reached
   * @param others where the other ones are
   */
  record Entered(String cluster, String member, List<String> others) {}

  private final Database store;
  private final String name;

  StoreMembers(Database store, String name) {
    this.store = store;
    this.name = name;
  }

  /** Enters the cluster that holds the store, or names a new one. */
  Entered enter(String member) throws SQLException {
    try (Connection connection = store.pool().getConnection()) {
      Set<String> holders = holders(connection);
      Map<String, String> known = known(connection);
      long end = System.nanoTime() + BACK.toNanos();
      while (holders.isEmpty() && isAnyReached(known.values()) && System.nanoTime() < end) {
        pause();
        holders = holders(connection);
      }
      for (String gone : known.keySet()) {
        if (!holders.contains(gone)) {
          Query.of(connection, "DELETE FROM store_member WHERE name = ?").with(gone).update();
        }
      }
      List<String> others = new ArrayList<>();
      for (String holder : holders) {
        String at = known.getOrDefault(holder, "");
        if (!at.isEmpty()) {
          others.add(at);
        }
      }
      if (others.isEmpty() && !holders.isEmpty()) {
        throw new StartRefused(
            "The store is in use by another server (%s) that nobody can join. Stop that one."
                .formatted(String.join(", ", holders)));
      }
      String cluster = others.isEmpty() ? begin(connection) : cluster(connection);
      Entered entered = new Entered(cluster, member, List.copyOf(others));
      note(connection, entered, name);
      return entered;
    }
  }

  /** Those who hold the store, but for this process. */
  private Set<String> holders(Connection connection) throws SQLException {
    Set<String> all = new HashSet<>(Query.of(connection, HOLDERS).list(row -> row.getString(1)));
    all.remove(name);
    return all;
  }

  private static Map<String, String> known(Connection connection) throws SQLException {
    Map<String, String> known = new HashMap<>();
    Query.of(connection, "SELECT name, address FROM store_member")
        .list(row -> known.put(row.getString(1), row.getString(2)));
    return known;
  }

  /** A process may live that the database, just back, has not heard of yet. */
  private static boolean isAnyReached(Iterable<String> members) {
    for (String member : members) {
      int colon = member.lastIndexOf(':');
      if (colon < 0) {
        continue;
      }
      try (Socket socket = new Socket()) {
        socket.connect(
            new InetSocketAddress(
                member.substring(0, colon), Integer.parseInt(member.substring(colon + 1))),
            CONNECT_MILLIS);
        return true;
      } catch (IOException gone) {
        // The next one.
      }
    }
    return false;
  }

  private static void pause() {
    try {
      Thread.sleep(LOOK_AGAIN);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new StartRefused("The start was broken off.");
    }
  }

  private static String begin(Connection connection) throws SQLException {
    String cluster = UUID.randomUUID().toString();
    Query.of(
            connection,
            "INSERT INTO store_cluster (id, cluster) VALUES (1, ?)"
                + " ON CONFLICT (id) DO UPDATE SET cluster = excluded.cluster")
        .with(cluster)
        .update();
    return cluster;
  }

  private static String cluster(Connection connection) throws SQLException {
    return Query.of(connection, "SELECT cluster FROM store_cluster WHERE id = 1")
        .first(row -> row.getString(1))
        .orElse("");
  }

  private static void note(Connection connection, Entered entered, String name)
      throws SQLException {
    Query.of(
            connection,
            "INSERT INTO store_member (name, address) VALUES (?, ?) ON CONFLICT (name) DO NOTHING")
        .with(name)
        .with(entered.member())
        .update();
  }

  /** Whether the cluster is the one that was entered; if so, this process is noted anew. */
  static boolean isStill(Connection connection, Entered entered, String name) throws SQLException {
    if (!cluster(connection).equals(entered.cluster())) {
      return false;
    }
    note(connection, entered, name);
    return true;
  }
}
