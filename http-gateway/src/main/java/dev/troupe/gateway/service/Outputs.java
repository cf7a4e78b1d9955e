package dev.troupe.gateway.service;

import dev.troupe.actors.calllog.CallRow;
import dev.troupe.actors.calllog.OutputRow;
import dev.troupe.protocol.modal.FunctionCallInvocationType;
import dev.troupe.protocol.modal.FunctionCallType;
import dev.troupe.protocol.modal.FunctionGetOutputsItem;
import dev.troupe.protocol.modal.GenericResult;
import java.time.Instant;

/** Calls, inputs and outputs in the client's words. */
final class Outputs {

  private static final double NANOS = 1e9;

  /** Some 30,000 years from now: past it, a number of seconds is no time but a mistake. */
  private static final double LAST_SECOND = 1e12;

  private Outputs() {}

  /**
   * An output as a caller reads it. Its {@code retry_count} is always 0: retries are the server's,
   * and a map takes an output of any other count for an old one.
   */
  static FunctionGetOutputsItem item(OutputRow row, GenericResult result) {
    FunctionGetOutputsItem.Builder item =
        FunctionGetOutputsItem.newBuilder()
            .setResult(result)
            .setIdx(row.input().index())
            .setInputId(row.input().value())
            .setDataFormatValue(row.dataFormat())
            .setTaskId(row.task())
            .setOutputCreatedAt(seconds(row.createdAt()));
    if (row.startedAt() != null) {
      item.setInputStartedAt(seconds(row.startedAt()));
    }
    return item.build();
  }

  /** The result of an input that the platform itself ended. */
  static GenericResult platformResult(OutputRow row) {
    return GenericResult.newBuilder()
        .setStatusValue(row.status())
        .setException(row.message())
        .build();
  }

  /** How a caller waits. Where it does not say, it is taken for one that may read again. */
  static CallRow.Invocation invocation(FunctionCallInvocationType type) {
    return switch (type) {
      case FUNCTION_CALL_INVOCATION_TYPE_SYNC -> CallRow.Invocation.SYNC;
      case FUNCTION_CALL_INVOCATION_TYPE_SYNC_LEGACY -> CallRow.Invocation.SYNC_LEGACY;
      case FUNCTION_CALL_INVOCATION_TYPE_ASYNC,
          FUNCTION_CALL_INVOCATION_TYPE_ASYNC_LEGACY,
          FUNCTION_CALL_INVOCATION_TYPE_UNSPECIFIED,
          UNRECOGNIZED ->
          CallRow.Invocation.ASYNC;
    };
  }

  /** The same, for the runner. */
  static FunctionCallInvocationType invocation(CallRow.Invocation invocation) {
    return switch (invocation) {
      case SYNC -> FunctionCallInvocationType.FUNCTION_CALL_INVOCATION_TYPE_SYNC;
      case SYNC_LEGACY -> FunctionCallInvocationType.FUNCTION_CALL_INVOCATION_TYPE_SYNC_LEGACY;
      case ASYNC -> FunctionCallInvocationType.FUNCTION_CALL_INVOCATION_TYPE_ASYNC;
    };
  }

  /** One input, or many. */
  static CallRow.Kind kind(FunctionCallType type) {
    return switch (type) {
      case FUNCTION_CALL_TYPE_MAP -> CallRow.Kind.MAP;
      case FUNCTION_CALL_TYPE_UNARY, FUNCTION_CALL_TYPE_UNSPECIFIED, UNRECOGNIZED ->
          CallRow.Kind.UNARY;
    };
  }

  /** A moment as the wire has it: seconds since the epoch. */
  static double seconds(Instant at) {
    return at.getEpochSecond() + at.getNano() / NANOS;
  }

  /** A moment from the wire; the epoch where it is none. */
  static Instant instant(double seconds) {
    if (!(Math.abs(seconds) < LAST_SECOND)) {
      return Instant.EPOCH;
    }
    double whole = Math.floor(seconds);
    return Instant.ofEpochSecond((long) whole, (long) ((seconds - whole) * NANOS));
  }
}
