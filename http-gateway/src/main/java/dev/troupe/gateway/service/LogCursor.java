package dev.troupe.gateway.service;

import dev.troupe.actors.id.MachineId;
import dev.troupe.gateway.link.LogFeed.Position;
import dev.troupe.gateway.rpc.RpcFailure;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * How far a reader has come in the logs of an app: the {@code entry_id} of a batch, by which it
 * goes on through any gateway. Each machine numbers its own lines, so there is a place for each;
 * one time for all would lose what a slower machine sends later.
 *
 * <p>As text: the time of the last news, behind it the beginning after a colon, then {@code
 * machine@time-number} for each machine, joined by commas.
 *
 * @param newsMicros time of the last news that was given out, in microseconds
 * @param beginMicros where the reader began: there it begins with a machine that is not named
 * @param machines the last line that was given out of each machine that holds any
 */
record LogCursor(long newsMicros, long beginMicros, SortedMap<MachineId, Position> machines) {

  private static final Comparator<MachineId> BY_NAME = Comparator.comparing(MachineId::value);

  /** Before everything. */
  static final LogCursor START = new LogCursor(0, 0, new TreeMap<>(BY_NAME));

  /** Reads a cursor; one that is empty is the start. */
  static LogCursor parse(String text) {
    if (text.isEmpty()) {
      return START;
    }
    try {
      String[] parts = text.split(",", -1);
      SortedMap<MachineId, Position> machines = new TreeMap<>(BY_NAME);
      for (int i = 1; i < parts.length; i++) {
        int at = parts[i].indexOf('@');
        int dash = parts[i].indexOf('-', at);
        if (at < 0 || dash < 0) {
          throw new IllegalArgumentException(parts[i]);
        }
        machines.put(
            new MachineId(URLDecoder.decode(parts[i].substring(0, at), StandardCharsets.UTF_8)),
            new Position(
                Long.parseLong(parts[i].substring(at + 1, dash)),
                Long.parseLong(parts[i].substring(dash + 1))));
      }
      int colon = parts[0].indexOf(':');
      return new LogCursor(
          Long.parseLong(colon < 0 ? parts[0] : parts[0].substring(0, colon)),
          colon < 0 ? 0 : Long.parseLong(parts[0].substring(colon + 1)),
          machines);
    } catch (IllegalArgumentException malformed) {
      throw RpcFailure.invalid("'%.60s' is no place in the logs of an app.".formatted(text));
    }
  }

  /** Writes the cursor. */
  String text() {
    return newsMicros
        + (beginMicros == 0 ? "" : ":" + beginMicros)
        + machines.entrySet().stream()
            .map(
                entry ->
                    ","
                        + URLEncoder.encode(entry.getKey().value(), StandardCharsets.UTF_8)
                        + "@"
                        + entry.getValue().timeMicros()
                        + "-"
                        + entry.getValue().number())
            .collect(Collectors.joining());
  }

  /** The cursor after a line of a machine. */
  LogCursor after(MachineId machine, Position position) {
    SortedMap<MachineId, Position> moved = new TreeMap<>(machines);
    moved.put(machine, position);
    return new LogCursor(newsMicros, beginMicros, moved);
  }

  /** The cursor after news of a time. */
  LogCursor afterNews(long micros) {
    return new LogCursor(Math.max(newsMicros, micros), beginMicros, machines);
  }

  /** The cursor of a reader that begins at a time. */
  static LogCursor beginningAt(long micros) {
    return new LogCursor(0, micros, new TreeMap<>(BY_NAME));
  }

  /** Where the lines of a machine begin that is not named. */
  Position beginning() {
    return new Position(beginMicros, 0);
  }
}
