package dev.troupe.persistence.calllog;

import dev.troupe.actors.calllog.CallRow;
import dev.troupe.actors.calllog.OutputNumber;
import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.FunctionId;
import dev.troupe.actors.id.Ids;
import dev.troupe.actors.id.InputId;
import dev.troupe.persistence.store.Micros;

/** How ids and numbers are kept in columns, both ways; for times see {@link Micros}. */
final class Columns {

  private static final int NUMBER_BITS = 36;
  private static final long MAX_NUMBER = (1L << NUMBER_BITS) - 1;
  private static final long MAX_EPOCH = (1L << (62 - NUMBER_BITS)) - 1;

  private static final int CALL_KEY = CallId.PREFIX.length() + Ids.KEY_LENGTH;
  private static final int INPUT_KEYS = InputId.PREFIX.length();
  private static final int INPUT_CALL_KEY = INPUT_KEYS + Ids.KEY_LENGTH;
  private static final int INPUT_INDEX = INPUT_CALL_KEY + Ids.KEY_LENGTH;

  /** The call's own key, once it is clear that the call is one of {@code function}. */
  static String callKey(CallId call, FunctionId function) {
    checkFunction(call.value(), CallId.PREFIX.length(), function);
    return call.value().substring(CALL_KEY);
  }

  /** The key of the input's call, once it is clear that it is one of {@code function}. */
  static String callKey(InputId input, FunctionId function) {
    checkFunction(input.value(), INPUT_KEYS, function);
    return input.value().substring(INPUT_CALL_KEY, INPUT_INDEX);
  }

  static int index(InputId input) {
    return Integer.parseInt(input.value(), INPUT_INDEX, input.value().length(), 10);
  }

  static InputId input(FunctionId function, String callKey, int index) {
    return InputId.of(CallId.of(function, callKey), index);
  }

  private static void checkFunction(String id, int at, FunctionId function) {
    String whole = function.value();
    int prefix = FunctionId.PREFIX.length();
    int length = whole.length() - prefix;
    if (length != Ids.KEY_LENGTH || !id.regionMatches(at, whole, prefix, length)) {
      throw new IllegalArgumentException(id + " does not belong to function " + whole);
    }
  }

  /** One number that orders outputs as their epoch and number do. */
  static long outputOrder(OutputNumber output) {
    if (output.epoch() < 0
        || output.epoch() > MAX_EPOCH
        || output.number() < 0
        || output.number() > MAX_NUMBER) {
      throw new IllegalArgumentException("output number out of range: " + output);
    }
    return (output.epoch() << NUMBER_BITS) | output.number();
  }

  static OutputNumber outputNumber(long order) {
    return new OutputNumber(order >>> NUMBER_BITS, order & MAX_NUMBER);
  }

  /** Codes are for ever, whatever becomes of the enum. */
  static int code(CallRow.Kind kind) {
    return switch (kind) {
      case UNARY -> 1;
      case MAP -> 2;
    };
  }

  static CallRow.Kind kind(int code) {
    return switch (code) {
      case 1 -> CallRow.Kind.UNARY;
      case 2 -> CallRow.Kind.MAP;
      default -> throw new IllegalStateException("kind of call " + code + " is unknown");
    };
  }

  static int code(CallRow.Invocation invocation) {
    return switch (invocation) {
      case SYNC -> 1;
      case SYNC_LEGACY -> 2;
      case ASYNC -> 3;
    };
  }

  static CallRow.Invocation invocation(int code) {
    return switch (code) {
      case 1 -> CallRow.Invocation.SYNC;
      case 2 -> CallRow.Invocation.SYNC_LEGACY;
      case 3 -> CallRow.Invocation.ASYNC;
      default -> throw new IllegalStateException("invocation " + code + " is unknown");
    };
  }

  private Columns() {}
}
