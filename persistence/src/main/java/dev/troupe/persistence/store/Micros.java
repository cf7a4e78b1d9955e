package dev.troupe.persistence.store;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;

/** Times as they are kept: microseconds since 1970, so that they compare and need no zone. */
public final class Micros {

  /** To the column; finer parts are cut off. */
  public static long of(Instant time) {
    return ChronoUnit.MICROS.between(Instant.EPOCH, time);
  }

  /** To a column that may be null. */
  public static @Nullable Long ofNullable(@Nullable Instant time) {
    return time == null ? null : (Long) of(time);
  }

  /** From the column. */
  public static Instant toInstant(long micros) {
    return Instant.EPOCH.plus(micros, ChronoUnit.MICROS);
  }

  private Micros() {}
}
