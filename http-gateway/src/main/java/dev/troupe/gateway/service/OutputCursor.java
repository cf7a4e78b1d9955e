package dev.troupe.gateway.service;

import dev.troupe.actors.calllog.OutputNumber;
import dev.troupe.gateway.rpc.RpcFailure;

/** The place in a call's outputs as clients hold it: {@code last_entry_id}. */
final class OutputCursor {

  private OutputCursor() {}

  /** Reads a cursor; one that is empty is the start. */
  static OutputNumber parse(String text) {
    if (text.isEmpty()) {
      return OutputNumber.START;
    }
    int dash = text.indexOf('-');
    try {
      return new OutputNumber(
          Long.parseLong(text, 0, Math.max(dash, 0), 10),
          Long.parseLong(text, dash + 1, text.length(), 10));
    } catch (NumberFormatException malformed) {
      throw RpcFailure.invalid("'%.60s' is no place in the outputs of a call.".formatted(text));
    }
  }

  /** Writes a cursor. */
  static String text(OutputNumber number) {
    return number.epoch() + "-" + number.number();
  }
}
