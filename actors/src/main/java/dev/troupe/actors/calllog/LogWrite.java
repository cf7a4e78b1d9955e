package dev.troupe.actors.calllog;

import dev.troupe.actors.id.CallId;
import dev.troupe.actors.id.InputId;
import java.time.Instant;
import java.util.List;

/** One change of the call log. Those of one {@link CallLog#write} are committed together. */
public sealed interface LogWrite {

  /** A new call; a second one of the same id is a {@link CallLog.Written.Duplicate}. */
  record NewCall(CallRow row) implements LogWrite {}

  /** A new input; a second one of the same id is a {@link CallLog.Written.Duplicate}. */
  record NewInput(InputRow row) implements LogWrite {}

  /** The number of inputs is known now: no more will come. */
  record Total(CallId call, int total) implements LogWrite {}

  /** No further input of this call runs. */
  record Cancelled(CallId call) implements LogWrite {}

  /** An input was handed to a container. */
  record Leased(InputId input, LeaseMark lease) implements LogWrite {}

  /** A run is over without an output: the mark goes, the counts stand. */
  record Spent(InputId input, int attempts, int lost) implements LogWrite {}

  /** An input ended. Its payload may go, the output stays. */
  record Finished(OutputRow output) implements LogWrite {}

  /** Outputs were taken by their only reader; they may be given again for a while. */
  record Cleared(List<InputId> inputs, Instant at) implements LogWrite {}
}
