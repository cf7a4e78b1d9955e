package dev.troupe.protocol.link;

import java.util.Set;
import java.util.function.Predicate;

/** Which lines meet a filter. */
public final class WantedLines {

  /** Behind it, the id of an input begins with the key of its call. */
  private static final int PREFIX = "in-".length();

  private WantedLines() {}

  /** Whether a line meets all that the filter sets. */
  public static Predicate<LogLine> by(LogFilter filter) {
    Predicate<LogLine> wanted = line -> true;
    if (!filter.getTaskId().isEmpty()) {
      wanted = wanted.and(line -> filter.getTaskId().equals(line.getTaskId()));
    }
    if (filter.getFunctionIdsCount() > 0) {
      Set<String> functions = Set.copyOf(filter.getFunctionIdsList());
      wanted = wanted.and(line -> functions.contains(line.getFunctionId()));
    }
    if (filter.getStream() != 0) {
      wanted = wanted.and(line -> filter.getStream() == line.getStream());
    }
    if (!filter.getInputId().isEmpty()) {
      wanted = wanted.and(line -> filter.getInputId().equals(line.getInputId()));
    }
    if (!filter.getCallId().isEmpty()) {
      wanted = wanted.and(line -> isOf(filter.getCallId(), line));
    }
    if (!filter.getSearchText().isEmpty()) {
      wanted = wanted.and(line -> line.getText().contains(filter.getSearchText()));
    }
    return wanted;
  }

  private static boolean isOf(String callId, LogLine line) {
    return line.getCallId().equals(callId)
        || line.getInputId().regionMatches(PREFIX, callId, PREFIX, callId.length() - PREFIX);
  }
}
