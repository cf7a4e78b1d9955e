package dev.troupe.node.log;

/**
 * How fast one pipe is read: pure. A burst passes; who goes on like that is read at a steady rate,
 * so that a program that prints as fast as it can waits for its pipe, and leaves the processor and
 * the disk to the others. Used by one reader.
 */
final class Pace {

  /** What a kept line takes beside its text. */
  private static final long LINE_BYTES = 200;

  private static final long LOG_BYTES_PER_SECOND = 8L << 20;
  private static final long LOG_BURST_BYTES = 32L << 20;

  private final double bytesPerNano;
  private final double burst;
  private double room;
  private long at;

  /** A pace that begins with a whole burst. */
  Pace(long bytesPerSecond, long burstBytes, long nowNanos) {
    this.bytesPerNano = bytesPerSecond / 1e9;
    this.burst = burstBytes;
    this.room = burstBytes;
    this.at = nowNanos;
  }

  /** The pace of what is kept. */
  static Pace ofLogs(long nowNanos) {
    return new Pace(LOG_BYTES_PER_SECOND, LOG_BURST_BYTES, nowNanos);
  }

  /** As fast as it comes. */
  static Pace unlimited() {
    return new Pace(Long.MAX_VALUE, Long.MAX_VALUE, 0);
  }

  /**
   * So much was read.
   *
   * @return when to read on: {@code now} where it may go on at once
   */
  long took(int bytes, int lines, long nowNanos) {
    room = Math.min(burst, room + (nowNanos - at) * bytesPerNano) - bytes - lines * LINE_BYTES;
    at = nowNanos;
    return room >= 0 ? nowNanos : nowNanos + (long) Math.ceil(-room / bytesPerNano);
  }
}
