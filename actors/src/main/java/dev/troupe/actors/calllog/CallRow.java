package dev.troupe.actors.calllog;

import dev.troupe.actors.id.CallId;
import dev.troupe.cluster.ClusterMessage;
import java.time.Instant;

/**
 * A function call as the log keeps it.
 *
 * @param total how many inputs it has; -1 while more may come
 * @param cancelled no further input of it runs
 */
public record CallRow(
    CallId call, Kind kind, Invocation invocation, int total, boolean cancelled, Instant createdAt)
    implements ClusterMessage {

  /** One input, or many. */
  public enum Kind {
    UNARY,
    MAP
  }

  /**
   * How the caller waits, which decides when an output may be given out: {@code SYNC} and {@code
   * SYNC_LEGACY} have one reader and may get it before its commit, {@code ASYNC} many readers and
   * only after.
   */
  public enum Invocation {
    SYNC,
    SYNC_LEGACY,
    ASYNC;

    /** One reader, who may have an output before it is durable. */
    public boolean singleReader() {
      return this != ASYNC;
    }
  }
}
